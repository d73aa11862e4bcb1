"""The benchmarks come to the right results, at sizes at which they take no time. Nothing here is timed."""

import importlib
import json
import subprocess
import sys

import benches.row
import pytest
from benches import counting, floors, gate, table
from benches.loops import LOOPS
from benches.measure import take_turns
from benches.peers import NAMES, field, worker
from benches.row import Inside, Measured, Row, UnavailableError, Work, WrongAnswerError, met, nanoseconds
from benches.rows import BY_NAME, ROWS, instructions, memory, package

TINY = 10
TIMED = [row for row in ROWS if row.amount is None]
# What `make test` installs for other tests; the others are looked at when they are measured.
HERE = ["segue", "machine", "asyncio", "uvloop", "trio", "anyio"]


def comes_to_its_answer(make, size=TINY):
    nanoseconds(make(size))  # raises when it does not


@pytest.mark.parametrize("row", TIMED, ids=lambda row: row.name)
def test_a_row_comes_to_what_it_must(row):
    for size in (TINY, 2 * TINY):
        comes_to_its_answer(row.subject, size)
        if row.floor:
            comes_to_its_answer(row.floor, size)


@pytest.mark.parametrize("row", TIMED, ids=lambda row: row.name)
def test_a_row_counts_the_operations_of_its_size(row):
    many = row.subject(2 * TINY).operations
    assert many == 2 * TINY or (
        row.name in ("growth-handlers", "growth-depth") and many == row.subject(TINY).operations
    )


@pytest.mark.parametrize("name", [row.name for row in memory.ROWS])
def test_a_row_of_memory_gives_an_amount(name):
    amount = BY_NAME[name].amount(1_000)
    assert amount < 1 if name == "memory-flat" else amount > 0


def test_a_row_of_memory_that_fails_says_why():
    with pytest.raises(RuntimeError, match="KeyError: 'nothing'"):
        memory.resident("nothing")(1)


def test_the_row_of_imports_leaves_out_the_bare_interpreter(monkeypatch):
    monkeypatch.setattr(package, "fastest", lambda source, processes: {"import segue": 30.0, "pass": 20.0}[source])
    assert package.imported(2) == 10.0


def test_the_row_of_the_wheel_gives_its_size(monkeypatch, tmp_path):
    monkeypatch.setattr(package, "WHEELS", tmp_path)
    (tmp_path / "segue-0-any.whl").write_bytes(b"x" * 500_000)
    (tmp_path / "segue_floor-0-any.whl").write_bytes(b"x")
    assert package.wheel(1) == 0.5


@pytest.mark.parametrize("name", counting.SUBJECTS)
def test_what_is_counted_comes_to_what_it_must(name):
    for make in counting.SUBJECTS[name].values():
        comes_to_its_answer(make)


def test_instructions_are_those_of_the_operations_alone(monkeypatch):
    cost = {"subject": 30, "floor": 10}
    monkeypatch.setattr(instructions, "count", lambda name, which, size: 10**6 + cost[which] * size)
    assert BY_NAME["instructions-get"].amount(100) == 3.0


def test_the_gate_has_a_limit_for_each_path():
    assert gate.limits().keys() == counting.SUBJECTS.keys()
    assert gate.limits()["get"] <= 1.8
    assert gate.limits()["generator-clause"] <= 9


@pytest.mark.parametrize(("counted", "ended", "told"), [(1.0, 0, "yes"), (1_000.0, 1, "**no**")])
def test_the_gate_is_shut_where_a_limit_is_passed(monkeypatch, capsys, counted, ended, told):
    monkeypatch.setattr(gate, "COMPILED", True)
    monkeypatch.setattr(gate, "counted", lambda path: lambda size: counted if path == "get" else 1.0)
    assert gate.main() == ended
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| get ")]
    assert told in line


def test_the_gate_says_so_where_nothing_can_be_counted(monkeypatch, capsys):
    monkeypatch.setattr(gate, "COMPILED", True)
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert gate.main() == 0
    assert "Nothing was counted: valgrind is not installed" in capsys.readouterr().out


def test_what_is_compiled_at_the_first_import_is_not_counted(monkeypatch):
    ran = []

    def counting(name, which, size, under=()):
        ran.append((size, *under[:1]))
        return subprocess.CompletedProcess((), 0, "", "Collected : 7")

    monkeypatch.setattr(instructions.shutil, "which", lambda name: name)
    monkeypatch.setattr(instructions, "counting", counting)
    assert instructions.count("get", "subject", 100) == 7
    assert ran == [(1,), (100, "valgrind")]


def test_instructions_cannot_be_counted_without_valgrind(monkeypatch):
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    with pytest.raises(UnavailableError, match="valgrind"):
        BY_NAME["instructions-get"].amount(100)


def test_names_are_given_once():
    assert len(BY_NAME) == len(ROWS)


def test_every_growth_is_seen_over_two_decades():
    growing = [row for row in ROWS if row.unit == "first"]
    assert growing
    for grows in growing:
        first, second, third = grows.sizes
        assert (second, third) == (10 * first, 100 * first)


def test_a_wrong_answer_is_no_measurement():
    with pytest.raises(WrongAnswerError, match="came to 2, not 3"):
        take_turns({"wrong": Work(lambda: 2, 3, 1)}, 0.0)


def test_a_round_that_times_itself_is_believed():
    assert nanoseconds(Work(lambda: Inside(7, "answer"), "answer", 1)) == 7


def test_subjects_take_turns(monkeypatch):
    monkeypatch.setattr(benches.row, "clock", iter(range(10**6)).__next__)
    turns = []
    works = {name: Work(lambda name=name: turns.append(name), None, 1) for name in ("one", "two")}
    rounds = take_turns(works, 0.0)
    assert turns == ["one", "two"] * (len(turns) // 2)
    assert [len(times) for times in rounds.values()] == [len(turns) // 2 - 1] * 2


def test_the_floor_drives_a_generator_to_its_end():
    assert floors.drive(floors.pings(5), 3) == 15


def test_a_limit_is_met_to_the_digits_that_the_table_shows():
    assert met(1.5004, 1.5) is True
    assert met(1.6, 1.5) is False
    assert met(1.6, None) is None


# The peers


def peer(name):
    return importlib.import_module(f"benches.peers.{name}")


@pytest.mark.parametrize(("name", "program"), [(name, program) for name in HERE for program in peer(name).ROWS])
def test_a_peers_row_comes_to_what_it_must(name, program):
    comes_to_its_answer(peer(name).ROWS[program])


@pytest.mark.parametrize("name", HERE)
def test_a_peer_has_a_row_or_a_reason_for_each_program(name):
    jobs = [job | {"size": TINY} for job in field.jobs(ROWS)]
    said = worker.run_peer(name, jobs, 0.0)
    assert set(said["rows"]) == {row.name for row in ROWS if row.program}
    for job in jobs:
        (kind,) = said["rows"][job["name"]].keys() & {"value", "why"}
        assert kind == ("value" if {job["name"], job["program"]} & peer(name).ROWS.keys() else "why")


def test_segue_beside_the_peers_runs_the_rows_own_programs_against_the_same_floor(monkeypatch):
    measured = []

    def against(subject, floor, size, seconds):
        measured.append((subject, floor))
        return Measured(1.0, {"subject": [1.0]})

    monkeypatch.setattr(worker, "against", against)
    asked = [row for row in ROWS if row.program and row.unit != "depth 1"]
    worker.run_peer("segue", [job for job in field.jobs(ROWS) if job["unit"] != "depth 1"], 0.0)
    assert measured == [(row.subject, row.floor) for row in asked]


def test_every_program_that_peers_are_asked_for_is_one_that_somebody_has():
    asked = {row.program for row in ROWS if row.program}
    text = "".join((field.ROOT / "benches" / "peers" / f"{name}.py").read_text() for name in NAMES)
    assert {program for program in asked if f'"{program}":' not in text and program not in LOOPS} == set()


def test_a_worker_that_does_not_end_well_is_a_line_of_the_table():
    assert "No module named" in field.ask(sys.executable, "nobody", [], 0.0)["why"]
    assert field.ask("/bin/false", "doeff", [], 0.0) == {"why": "its process ended with 1: nothing said"}


def test_a_worker_says_what_it_measured():
    jobs = [{"name": "spawn-1k", "unit": "asyncio", "program": "spawn", "size": TINY}]
    said = field.ask(sys.executable, "asyncio", jobs, 0.0)
    assert said["rows"]["spawn-1k"]["value"] > 0


def test_a_peer_that_fails_is_a_line_of_the_table(monkeypatch):
    monkeypatch.setitem(peer("machine").ROWS, "call", lambda size: Work(lambda: 1 / 0, 1, size))
    job = {"name": "call-bare", "unit": "U", "program": "call", "size": TINY}
    assert worker.run_row(peer("machine"), job, 0.0) == {"why": "ZeroDivisionError: division by zero"}


# The table


def test_the_table_gives_verdicts_and_the_best_peer():
    kept = Row("kept", "is kept", "U", 3.0, 2.0, (1,))
    ahead = Row("ahead", "is ahead", "asyncio", 0.5, None, (1,))
    text = table.ours({kept: Measured(2.5, {}), ahead: Measured(0.25, {})}, {"kept": {"one": 9.0, "two": 7.0}})
    kept_line, ahead_line = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:])
    assert kept_line == ["kept", "is kept", "U", "3", "2", "2.5", "yes", "**no**", "two 7"]
    assert ahead_line == ["ahead", "is ahead", "asyncio", "0.5", "", "0.25 (4x ahead)", "yes", "", ""]


def test_the_table_of_peers_says_why_a_number_is_missing():
    row = Row("call", "a call", "U", None, None, (1,), program="call")
    said = {"one": {"version": "1.0", "rows": {"call": {"value": 4.0}}}, "two": {"why": "not installed"}}
    text = table.theirs({row: Measured(2.0, {})}, said)
    assert "| call | U    | 2     | 4       | -   |" in text
    assert text.endswith("- two: call: not installed.")


def test_the_command_names_the_rows():
    command = [sys.executable, "-m", "benches", "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=field.ROOT)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(BY_NAME)


def test_what_peers_are_asked_is_data():
    assert json.loads(json.dumps(field.jobs(ROWS))) == field.jobs(ROWS)
