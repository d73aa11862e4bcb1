"""Shows which lines never ran, and which of them nobody has explained. Called by `make coverage`.

Explanations are rows of tables in docs/coverage.md: a file, a function, how many of its lines never run, and why. A
function with more such lines than its row says fails the check. One with fewer is named, so that its row can go.
Lines without a word and attributes are not counted. What says that the machine itself is wrong is explained there once.
"""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("src/", "python/segue/")
FUNCTION = re.compile(
    r"^(?P<indent>\s*)(?:pub(?:\([^)]*\))? )?(?:const |async |unsafe )*"
    r"(?:fn|def|class|impl|trait|macro_rules!)(?!\w) ?(?P<name>.*)"
)
NO_CODE = re.compile(r"\s*(?:\W*$|#!?\[)")
WRONG = re.compile(r"Fault::Internal\(|error::internal\(|\b(?:INV-\d|L3\.\d)")
ROW = re.compile(r"^\| `(?P<file>[^`]+)` \| `(?P<function>[^`]+)` \| (?P<lines>\d+) \| .+ \|$")


def runs(reports):
    """How often each line of each file ran, from reports in lcov's format."""
    counts = defaultdict(Counter)
    for report in reports:
        lines = None
        for entry in Path(report).read_text().splitlines():
            kind, _, value = entry.partition(":")
            if kind == "SF":
                path = Path(value)
                name = (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()
                lines = counts[name] if name.startswith(SOURCES) else None
            elif kind == "DA" and lines is not None:
                line, count = value.split(",")[:2]
                lines[int(line)] += int(count)
    return counts


def function_at(source, line):
    """The name of the innermost function around a line of the source, told by what is indented less."""
    depth = len(source[line - 1]) - len(source[line - 1].lstrip())
    for text in reversed(source[:line]):
        found = FUNCTION.match(text)
        if found and (len(found["indent"]) < depth or text is source[line - 1]):
            return re.split(r"[<(:{ ]", found["name"].strip())[0] or found["name"].strip(" {")
    return "top level"


def explained(document):
    rows = map(ROW.match, document.read_text().splitlines())
    return {(row["file"], row["function"]): int(row["lines"]) for row in rows if row}


def main():
    document, *reports = map(Path, sys.argv[1:])
    counts, known = runs(reports), explained(document)
    never, total, idle, wrong = {}, 0, 0, 0
    for name, lines in sorted(counts.items()):
        source = (ROOT / name).read_text().splitlines()
        counted = [line for line in sorted(lines) if not NO_CODE.match(source[line - 1])]
        missed = [line for line in counted if not lines[line]]
        total, idle = total + len(counted), idle + len(missed)
        print(f"{100 * (1 - len(missed) / len(counted)):6.1f} %  {len(missed):3} of {len(counted):4}  {name}")
        for line in missed:
            if WRONG.search(source[line - 1]):
                wrong += 1
                continue
            never.setdefault((name, function_at(source, line)), []).append((line, source[line - 1].strip()))

    unexplained = {place: lines for place, lines in never.items() if len(lines) > known.get(place, 0)}
    for heading, places in ("explained", never.keys() - unexplained), ("not explained", unexplained):
        print(f"\nlines that never ran, {heading}:")
        for name, function in sorted(places):
            print(f"  {name}, {function}: {len(never[name, function])} (explained: {known.get((name, function), 0)})")
            for line, text in never[name, function]:
                print(f"    {line:4}  {text}")
    for place, lines in sorted(known.items()):
        if len(never.get(place, ())) < lines:
            print(f"explained, but {lines - len(never.get(place, ()))} of {lines} ran: {', '.join(place)}")
    print(f"{wrong} more lines never ran that say that the machine is wrong")
    print(f"\n{total - idle} of {total} lines ran, {100 * (total - idle) / total:.2f} %")
    print(f"{len(never) - len(unexplained)} passed, {len(unexplained)} failed")
    sys.exit(bool(unexplained))


main()
