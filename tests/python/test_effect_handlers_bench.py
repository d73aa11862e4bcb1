"""Every version of every program of the field's suite comes to the listed output. Nothing here is timed."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from benches.effect_handlers_bench import __main__ as command
from benches.effect_handlers_bench import ocaml, peers, report, suite, worker
from benches.effect_handlers_bench.parsing_dollars import with_segue as parsing
from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.suite import CASES, VERSIONS, Timed
from benches.peers import ASKED, field
from benches.peers import machine as generic
from benches.row import Work, WrongAnswerError, nanoseconds

from segue import do, run

EVERY = [(program, version) for program in CASES for version in VERSIONS]


@pytest.mark.parametrize(("program", "version"), EVERY)
def test_a_version_of_a_program_comes_to_the_listed_output(program, version):
    case = CASES[program]["test"]
    assert str(suite.main_of(program, version)(case["arg"])) == case["out"]


@pytest.mark.parametrize("size", ["timed", "peers", "slow"])
@pytest.mark.parametrize("program", CASES)
def test_what_is_timed_comes_to_its_output_without_effects_too(program, size):
    nanoseconds(suite.round_of(program, "plain", size))  # raises when it does not


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


def test_the_command_keeps_what_it_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "benches.records", SimpleNamespace(machine=dict))  # It needs pyperf.
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(suite, "round_of", lambda program, version, size: Work(lambda: 0, 0, 1))
    monkeypatch.setattr(ocaml, "find", lambda: None)
    command.main(["--program", "countdown", "--seconds", "0"])
    assert json.loads((tmp_path / "suite.json").read_text())["programs"][0]["program"] == "countdown"
    text = capsys.readouterr().out
    assert (tmp_path / "suite.md").read_text() == text
    assert "Beside the peers" not in text


def test_the_clause_that_feeds_the_parser_stops_it_itself():
    """The parser has an end of its own, which would hide that the clause's was never reached."""

    @do
    def reads():
        characters = []
        for _ in range(6):
            characters.append((yield parsing.Read()))  # noqa: PERF401 - a comprehension cannot yield
        raise AssertionError(characters)

    assert run(reads(), handlers=[parsing.catch, parsing.Feed(1)]).value is None


# The peers: what needs their libraries is looked at when it is timed.


def peer_file(peer, program):
    return ocaml.HERE / program / f"with_{peer}.py"


@pytest.mark.parametrize("program", CASES)
@pytest.mark.parametrize("peer", peers.PEERS)
def test_a_peer_has_a_program_or_a_reason(peer, program):
    asked = [job["name"] for job in peers.jobs(peer, [program])]
    assert asked == ([program] if peer_file(peer, program).exists() else [])
    assert peer_file(peer, program).exists() != bool(peers.WITHOUT[peer].get(program))


def test_the_peers_are_those_of_the_rows():
    assert set(peers.PEERS) <= set(ASKED)
    assert peers.WITHOUT.keys() == set(peers.PEERS)
    assert set(peers.PEERS) >= peers.SLOW


def job(version):
    return {"name": "countdown", "version": version, "size": "slow"}


def test_a_worker_gives_a_ratio_to_the_machine(monkeypatch):
    monkeypatch.setattr(worker, "take_turns", lambda works, seconds: {name: [len(name), 90.0] for name in works})
    assert worker.run_program(generic, job("plain"), 0.0) == {"value": 5 / 7, "ns": 5e9}


def test_a_worker_says_why_a_program_does_not_run():
    (why,) = worker.run_program(generic, job("with_nobody"), 0.0).values()
    assert why.startswith("ModuleNotFoundError: No module named")


def test_a_workers_wrong_output_names_the_peer_and_the_program(monkeypatch):
    monkeypatch.setattr(worker, "round_of", lambda program, version, size: Work(lambda: "1", "0", 1))
    row = worker.run_program(generic, job("plain"), 0.0)
    assert row == {"wrong": "came to '1', not '0'"}
    monkeypatch.setattr(field, "ask", lambda *asked: {"rows": {"countdown": row}})
    with pytest.raises(WrongAnswerError, match="countdown with doeff: came to '1', not '0'"):
        peers.ask("python", "doeff", ["countdown"], 0.0)


def test_a_worker_runs_in_a_process_of_its_own():
    said = field.ask(sys.executable, "machine", [job("by_hand")], 0.0, peers.WORKER)
    assert said["rows"]["countdown"]["value"] > 0


def test_a_peer_that_says_nothing_is_a_reason():
    assert peers.ask("/bin/false", "doeff", CASES, 0.0) == {"why": "its process ended with 1: nothing said"}


def test_the_command_puts_the_peers_beside_segue(monkeypatch, tmp_path, capsys):
    asked = []

    def ask(python, peer, jobs, seconds, module):
        asked.append((python, peer, [each["size"] for each in jobs]))
        return {"version": "1.0", "rows": {each["name"]: {"value": 4.0, "ns": 1.0} for each in jobs}}

    monkeypatch.setitem(sys.modules, "benches.records", SimpleNamespace(machine=dict))
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(ocaml, "find", lambda: None)
    monkeypatch.setattr(field, "ask", ask)
    monkeypatch.setattr(suite, "timed", lambda program, seconds: timed(program, **dict.fromkeys(VERSIONS, 1e-7)))
    command.main(["--program", "fibonacci_recursive", "--peers", "there"])
    assert [peer for _, peer, _ in asked] == list(peers.PEERS)
    assert ("there", "doeff", ["peers"]) in asked
    assert ("there", "aleff", []) in asked
    head, _, line = capsys.readouterr().out.partition("Beside the peers")[2].splitlines()[2:5]
    shown = dict(zip(*([cell.strip() for cell in row.split("|")[1:-1]] for row in (head, line)), strict=True))
    assert shown == {"program": "fibonacci_recursive", "segue": "1"} | {
        f"{peer} 1.0": "-" if "fibonacci_recursive" in peers.WITHOUT[peer] else "4" for peer in peers.PEERS
    }
    assert json.loads((tmp_path / "suite.json").read_text())["peers"].keys() == set(peers.PEERS)


def test_the_reasons_stand_below_the_ratios():
    said = {"greenlet": {"rows": {"fibonacci_recursive": {"why": peers.DIRECT}}}}
    fast = timed("fibonacci_recursive", with_segue=1e-7, machine=3e-7, by_hand=2e-8, plain=1e-8)
    assert report.theirs([fast], said).endswith(f"- greenlet: fibonacci_recursive: {peers.DIRECT}.")


# OCaml


def test_the_table_says_that_ocaml_is_not_here(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert ocaml.find() is None
    assert report.table([]).endswith(report.ABSENT)


@pytest.mark.parametrize(("version", "found"), [("4.13.1", False), ("5.3.0", True), ("5.3.0+flambda", True)])
def test_a_compiler_must_know_effects(monkeypatch, version, found):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    said = subprocess.CompletedProcess((), 0, f"{version}\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *asked, **settings: said)
    assert ocaml.find() == (ocaml.Compiler(("ocamlfind", "ocamlopt"), version) if found else None)


def test_a_findlib_without_a_compiler_is_passed_over(monkeypatch):
    def run(asked, **settings):
        return subprocess.CompletedProcess(asked, int(asked[0] == "ocamlfind"), "5.1.0\n", "")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", run)
    assert ocaml.find() == ocaml.Compiler(("ocamlopt",), "5.1.0")


def test_ocaml_has_each_program_that_uses_a_continuation_once_at_most():
    once = {program for program in CASES if CASES[program]["continuations"] != "used more than once"}
    assert {program for program in CASES if ocaml.source(program).exists()} == once


def native(monkeypatch, output):
    monkeypatch.setattr(ocaml, "compiled", lambda compiler, program, folder: "program")
    said = subprocess.CompletedProcess((), 0, output, "")
    monkeypatch.setattr(subprocess, "run", lambda *asked, **settings: said)
    return lambda program: ocaml.timed(ocaml.Compiler(("ocamlopt",), "5.3.0"), program, 0.0)


def test_a_program_in_ocaml_is_timed_by_the_operation(monkeypatch):
    assert native(monkeypatch, "0 4000002\n")("countdown") == 2.0
    assert native(monkeypatch, "")("nqueens") is None


def test_a_wrong_output_in_ocaml_is_an_error(monkeypatch):
    with pytest.raises(WrongAnswerError, match="countdown in OCaml: came to '1', not '0'"):
        native(monkeypatch, "1 7\n")("countdown")


def test_the_table_has_a_column_for_ocaml():
    fast = timed("countdown", with_segue=1e-7, machine=3e-7, by_hand=2e-8, plain=1e-8)
    head, _, line = report.table([replace(fast, ocaml=7.0)], "5.3.0").splitlines()
    assert "ocaml 5.3.0" in head
    assert [cell.strip() for cell in line.split("|")[7:9]] == ["10", "7"]
    assert "| -           |" in report.table([fast], "5.3.0")


@pytest.mark.skipif(ocaml.find() is None, reason="no ocamlopt of version 5 or newer is installed")
@pytest.mark.parametrize("program", CASES)
def test_a_program_in_ocaml_comes_to_the_listed_output(program):
    ocaml.timed(ocaml.find(), program, 0.0, "test")  # raises when it does not
