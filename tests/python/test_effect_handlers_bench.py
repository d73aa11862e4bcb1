"""Every version of every program of the field's suite comes to the listed output. Nothing here is timed."""

import json
import sys
from types import SimpleNamespace

import pytest
from benches.effect_handlers_bench import __main__ as command
from benches.effect_handlers_bench import report, suite
from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.suite import CASES, VERSIONS, Timed
from benches.row import Work, nanoseconds

EVERY = [(program, version) for program in CASES for version in VERSIONS]


@pytest.mark.parametrize(("program", "version"), EVERY)
def test_a_version_of_a_program_comes_to_the_listed_output(program, version):
    case = CASES[program]["test"]
    assert str(suite.main_of(program, version)(case["arg"])) == case["out"]


@pytest.mark.parametrize("program", CASES)
def test_what_is_timed_comes_to_its_output_without_effects_too(program):
    nanoseconds(suite.round_of(program, "plain"))  # raises when it does not


def ways(*branches):
    path = Path()
    gone = []
    while True:
        gone.append(tuple(path.choose(each) for each in branches))
        if not path.advance():
            return gone


def test_a_path_goes_every_way_once_and_in_order():
    assert ways() == [()]
    assert ways(2) == [(0,), (1,)]
    assert ways(1, 2, 3) == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2)]


def test_a_path_replays_until_the_choice_that_it_turned():
    path = Path()
    seen = []
    for _ in range(2):
        for _ in range(3):
            path.choose(2)
            seen.append(path.replaying)
        assert path.advance()
    assert seen == [False, False, False, True, True, False]


def timed(program, **seconds):
    return Timed(program, {version: [seconds[version], 1.0] for version in VERSIONS})


def test_the_table_says_how_far_ahead_and_whether_that_is_enough():
    fast = timed("countdown", with_segue=1e-7, machine=3e-7, by_hand=2e-8, plain=1e-8)
    slow = timed("generator", with_segue=1e-7, machine=2e-7, by_hand=2e-8, plain=1e-8)
    replayed = timed("nqueens", with_segue=1e-7, machine=2e-7, by_hand=2e-8, plain=1e-8)
    assert [report.verdict(it) for it in (fast, slow, replayed)] == [True, False, None]
    assert [cell.strip() for cell in report.table([fast]).splitlines()[2].split("|")[1:-1]] == [
        "countdown",
        "used once",
        str(CASES["countdown"]["timed"]["arg"]),
        *("100", "300", "20", "10"),
        "3x",
        "yes",
    ]
    assert report.data([slow])[0]["ahead"] == {"machine": 2.0, "by_hand": 0.2, "plain": 0.1}


def test_the_table_says_that_ocaml_is_not_here(monkeypatch):
    monkeypatch.setattr(report.shutil, "which", lambda name: None)
    assert "`ocamlfind ocamlopt` is not installed" in report.table([])


def test_the_command_keeps_what_it_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "benches.records", SimpleNamespace(machine=dict))  # It needs pyperf.
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(suite, "round_of", lambda program, version, size: Work(lambda: 0, 0, 1))
    command.main(["--program", "countdown", "--seconds", "0"])
    assert json.loads((tmp_path / "suite.json").read_text())["programs"][0]["program"] == "countdown"
    assert (tmp_path / "suite.md").read_text() == capsys.readouterr().out
