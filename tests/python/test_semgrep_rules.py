"""The architecture's rules, each against a fixture that it must flag and one that it must let pass."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "semgrep"
RULE_IDS = sorted(re.findall(r"^  - id: (\S+)$", (ROOT / ".semgrep.yaml").read_text(), re.MULTILINE))

_spec = importlib.util.spec_from_file_location("segue_semgrep_gate", FIXTURES / "gate.py")
gate = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = gate
_spec.loader.exec_module(gate)

pytestmark = pytest.mark.timeout(300)


def marks(tree: Path, word: str) -> set[tuple[str, int, str]]:
    """The lines of a tree that come after a comment `// <word>: rule, rule`, with each rule."""
    found = set()
    for source in sorted(tree.rglob("*.rs")):
        for number, line in enumerate(source.read_text().splitlines(), start=1):
            if mark := re.match(rf"\s*// {word}: (.+)$", line):
                rules = [rule.strip() for rule in mark[1].split(",")]
                found |= {(source.relative_to(tree).as_posix(), number + 1, rule) for rule in rules}
    return found


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Copies of the fixtures: semgrep leaves out what stands in a project's `tests`."""
    copies = tmp_path_factory.mktemp("semgrep")
    for kind in ("flagged", "clean"):
        shutil.copytree(FIXTURES / kind, copies / kind)
    return copies


def test_the_rules_flag_every_marked_line_and_no_other(trees):
    report = gate.scan(trees / "flagged")
    assert report.errors == []
    assert {(found.path, found.line, found.rule) for found in report.findings} == marks(FIXTURES / "flagged", "ruleid")


def test_the_rules_let_the_clean_fixtures_pass(trees):
    assert gate.scan(trees / "clean") == gate.Report([], [])


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_rule_has_a_fixture_of_both_kinds(rule):
    assert rule in {mark[2] for mark in marks(FIXTURES / "flagged", "ruleid")}
    assert rule in {mark[2] for mark in marks(FIXTURES / "clean", "ok")}


def test_fixtures_name_only_rules_that_exist():
    named = marks(FIXTURES / "flagged", "ruleid") | marks(FIXTURES / "clean", "ok")
    assert {mark[2] for mark in named} == set(RULE_IDS)


def test_the_gate_passes_a_clean_tree_and_fails_a_flagged_one(trees, capsys):
    assert gate.main([str(trees / "clean")]) == 0
    assert gate.main([str(trees / "flagged")]) == 1
    assert "src/core/vm.rs:8: vm-holds-no-execution-state" in capsys.readouterr().err


BROKEN_RULE = """
  - id: broken
    message: never said
    languages: [rust]
    severity: ERROR
    pattern: "struct { {"
"""


def test_a_rule_that_does_not_parse_fails_the_gate_beside_good_ones(trees, tmp_path, monkeypatch, capsys):
    rules = tmp_path / "rules.yaml"
    rules.write_text((ROOT / ".semgrep.yaml").read_text() + BROKEN_RULE)
    report = gate.scan(trees / "clean", rules)
    assert report.findings == []
    assert any("broken" in error for error in report.errors)

    monkeypatch.setattr(gate, "scan", lambda tree: report)
    assert gate.main([str(trees / "clean")]) == 1
    assert "broken" in capsys.readouterr().err


def test_a_file_that_was_left_out_fails_the_gate(tmp_path):
    source = tmp_path / "src" / "tests" / "hidden.rs"
    source.parent.mkdir(parents=True)
    source.write_text("pub struct Vm { mode: u8 }\n")
    (tmp_path / ".semgrepignore").write_text("tests/\n")
    report = gate.scan(tmp_path)
    assert "src/tests/hidden.rs was not scanned" in report.errors
    assert not report.passed


def test_the_sources_pass():
    assert gate.scan(ROOT) == gate.Report([], [])
