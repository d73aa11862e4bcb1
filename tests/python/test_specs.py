"""The specifications: every law has a number of its own and a test or rule that holds it, and that one exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "specs"
DOCUMENTS = sorted(SPECS.rglob("*.md"))
READ_BY_USERS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

NUMBER = r"(?:[A-Z]+-?)?\d+(?:\.\d+)*"
LAW = re.compile(rf"^(?:(?:[-*] )?\*\*(?P<bold>{NUMBER})\*\*|\| *\**(?P<row>{NUMBER})\** *\|)")
REFERENCE = re.compile(r"`(?P<file>[\w./-]+\.(?:rs|py|yaml))(?:::(?P<name>[\w:-]+))?`")


class Law(NamedTuple):
    """One law: its number, its text, and where it stands."""

    number: str
    text: str
    place: str


def laws_of(text: str, place: str) -> list[Law]:
    """The laws of a document. A row of a table is a law of its own; others go on to the next law, table or heading."""
    laws: list[list[str]] = []
    heads: list[tuple[str, int]] = []
    open_law = in_fence = False
    for line_number, line in enumerate(text.splitlines(), start=1):
        in_fence ^= line.startswith("```")
        if in_fence:
            continue
        if match := LAW.match(line):
            heads.append((match["bold"] or match["row"], line_number))
            laws.append([line])
            open_law = not line.startswith("|")
        elif line.startswith(("#", "|")):
            open_law = False
        elif open_law:
            laws[-1].append(line)
    return [Law(number, "\n".join(lines), f"{place}:{line}") for (number, line), lines in zip(heads, laws, strict=True)]


def holders(law: Law) -> list[tuple[str, str | None]]:
    """What a law says that it is held by: in a table row every reference, else those after `held by:`."""
    text = law.text if law.text.startswith("|") else law.text.partition("eld by:")[2]
    return [(match["file"], match["name"]) for match in REFERENCE.finditer(text)]


@functools.cache
def names_in(path: Path) -> set[str]:
    """The names of the tests, or rules, of a file."""
    text = path.read_text()
    if path.suffix == ".yaml":
        return set(re.findall(r"^  - id: (\S+)$", text, re.MULTILINE))
    if path.suffix == ".rs":
        return set(re.findall(r"#\[test\](?:\s*#\[[^\]]*\]|\s*//[^\n]*)*\s*fn (\w+)", text))
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return {name for name in names if name.rpartition("::")[2].startswith("test_")}


@functools.cache
def find(file: str) -> Path | None:
    """A file by its path from the root, or by its name alone when only one file of the sources and tests has it."""
    if (ROOT / file).is_file():
        return ROOT / file
    alike = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob(file)] if "/" not in file else []
    return alike[0] if len(alike) == 1 else None


def missing(file: str, name: str | None) -> str | None:
    """What is wrong with a reference; `None` when it leads somewhere."""
    path = find(file)
    if path is None:
        return f"{file} does not exist, or there are several"
    if name is None:
        # A compile-fail test is a whole file.
        return None if ROOT / "tests" / "ui" in path.parents else f"{file} is named without a test"
    return None if name in names_in(path) else f"{file} has no {name}"


LAWS = [law for path in DOCUMENTS for law in laws_of(path.read_text(), str(path.relative_to(ROOT)))]


def test_there_are_laws():
    assert len(LAWS) > 50
    assert {f"INV-{number}" for number in range(1, 7)} <= {law.number for law in LAWS}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.number)
def test_a_law_is_held_by_tests_that_exist(law):
    named = holders(law)
    assert named, f"{law.place}: law {law.number} says nothing of what holds it"
    assert [wrong for file, name in named if (wrong := missing(file, name))] == []


def test_law_numbers_are_unique():
    numbers = [law.number for law in LAWS]
    assert sorted(number for number in set(numbers) if numbers.count(number) > 1) == []


@pytest.mark.parametrize("path", [*DOCUMENTS, *READ_BY_USERS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_reference_in_a_document_leads_somewhere(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    references = {(match["file"], match["name"]) for match in REFERENCE.finditer(text) if match["name"]}
    assert [wrong for file, name in sorted(references) if (wrong := missing(file, name))] == []
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_index_lists_every_document():
    index = (SPECS / "README.md").read_text()
    listed = {(SPECS / link).resolve() for link in re.findall(r"\]\(([^)#\s]+\.md)", index)}
    assert {path.resolve() for path in DOCUMENTS} - listed == {(SPECS / "README.md").resolve()}


SAMPLE = """\
# Title

**1.1** A law. It goes on
over a line.

Held by: `tests/python/test_specs.py::test_there_are_laws`, `.semgrep.yaml::core-knows-no-python`

- **1.2** Nobody holds this one.

| law | held by |
|---|---|
| E-7 | `test_specs.py::test_nowhere` |

## Next

Held by: `tests/python/test_specs.py::test_there_are_laws`
"""


def test_laws_and_their_holders_are_read():
    laws = laws_of(SAMPLE, "sample")
    assert [(law.number, holders(law)) for law in laws] == [
        (
            "1.1",
            [
                ("tests/python/test_specs.py", "test_there_are_laws"),
                (".semgrep.yaml", "core-knows-no-python"),
            ],
        ),
        ("1.2", []),
        ("E-7", [("test_specs.py", "test_nowhere")]),
    ]


@pytest.mark.parametrize(
    ("file", "name", "wrong"),
    [
        ("tests/python/test_specs.py", "test_there_are_laws", None),
        (".semgrep.yaml", "core-knows-no-python", None),
        ("tests/python/test_specs.py", "test_nowhere", "tests/python/test_specs.py has no test_nowhere"),
        ("tests/python/test_specs.py", "laws_of", "tests/python/test_specs.py has no laws_of"),
        ("test_specs.py", "test_there_are_laws", None),
        ("test_specs.py", "test_nowhere", "test_specs.py has no test_nowhere"),
        (".semgrep.yaml", "no-rule", ".semgrep.yaml has no no-rule"),
        ("tests/nowhere.rs", "anything", "tests/nowhere.rs does not exist, or there are several"),
        ("tests/python/test_specs.py", None, "tests/python/test_specs.py is named without a test"),
    ],
)
def test_a_reference_that_leads_nowhere_is_seen(file, name, wrong):
    assert missing(file, name) == wrong


def test_rust_tests_are_found_through_attributes(tmp_path):
    source = tmp_path / "laws.rs"
    source.write_text(
        "#[test]\nfn a_law() {}\n\nfn helper() {}\n\n"
        'proptest! {\n    #[test]\n    #[should_panic(expected = "x")]\n    // why\n    fn another(n in 0..3) {}\n}\n'
    )
    assert names_in(source) == {"a_law", "another"}
