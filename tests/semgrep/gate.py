"""The gate over the rules of `.semgrep.yaml`: runs them over a tree and reports what they found.

A rule that semgrep cannot parse, and a file that it leaves out, are findings nowhere; so the gate fails on them too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / ".semgrep.yaml"
SEMGREP = ROOT / ".venv-semgrep" / "bin" / "semgrep"


class Finding(NamedTuple):
    """One place that a rule flagged."""

    path: str
    line: int
    rule: str
    message: str


class Report(NamedTuple):
    """What a run of semgrep came to."""

    findings: list[Finding]
    errors: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing was found and every rule was run over every file."""
        return not self.findings and not self.errors


def scan(tree: Path, rules: Path = RULES) -> Report:
    """Run the rules over the `src` of a tree."""
    command = [
        str(SEMGREP),
        "scan",
        "--config",
        str(rules),
        "--metrics=off",
        "--disable-version-check",
        "--semgrepignore-v2",
        "--project-root=.",
        "--error",
        "--json",
        "--quiet",
        "src",
    ]
    # Semgrep is a command of its environment, and starts its helpers from there.
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        return Report([], [f"semgrep gave no report (exit {done.returncode}): {done.stderr.strip()}"])
    findings = [
        Finding(
            found["path"],
            found["start"]["line"],
            found["check_id"].rpartition(".")[2],
            found["extra"]["message"],
        )
        for found in report["results"]
    ]
    errors = [str(error.get("message", error)) for error in report["errors"]]
    scanned = set(report["paths"]["scanned"])
    sources = (source.relative_to(tree).as_posix() for source in (tree / "src").rglob("*.rs"))
    errors += [f"{source} was not scanned" for source in sorted(sources) if source not in scanned]
    if done.returncode not in (0, 1) and not errors:
        errors.append(f"semgrep ended with {done.returncode}: {done.stderr.strip()}")
    return Report(sorted(findings), errors)


def main(arguments: list[str]) -> int:
    """Scan the tree named by the only argument; 0 when it passes."""
    (tree,) = arguments
    report = scan(Path(tree).resolve())
    for found in report.findings:
        print(f"{found.path}:{found.line}: {found.rule}: {found.message}", file=sys.stderr)
    for error in report.errors:
        print(f"semgrep: {error}", file=sys.stderr)
    if report.passed:
        print("semgrep: no findings, no errors")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
