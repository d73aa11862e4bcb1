"""Every fault of a built area has tests, and they run; the table of `make faults` hides nothing."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from child import run_child
from fault_catalogue import CATALOGUE, faults_of, ids_of

TESTS = Path(__file__).parent
FAULTS = faults_of(CATALOGUE.read_text())
WAYS_TO_SKIP = {"skip", "skipif", "xfail", "importorskip"}


@functools.cache
def fault_tests():
    """What is named by a fault, as `(id, place, node)`."""
    found = []
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += [(fault_id, f"{path.name}::{node.name}", node) for fault_id in ids_of(node.name)]
    return found


def ways_to_skip(tree):
    """What of a piece of code would let a test not run."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & WAYS_TO_SKIP


def test_ids_are_unique_and_told_by_their_area():
    ids = [fault.id for fault in FAULTS]
    assert sorted({fault_id for fault_id in ids if ids.count(fault_id) > 1}) == []
    areas = {fault.id[0]: fault.area for fault in FAULTS}
    assert len(areas) == len(set(areas.values())) == 11
    assert [fault.id for fault in FAULTS if areas[fault.id[0]] != fault.area] == []


def test_every_row_that_is_built_has_a_test():
    tested = {fault_id for fault_id, _, _ in fault_tests()}
    assert [fault.id for fault in FAULTS if fault.built and fault.id not in tested] == []


def test_every_test_that_is_named_by_a_fault_has_a_row_that_is_built():
    built = {fault.id for fault in FAULTS if fault.built}
    assert [place for fault_id, place, _ in fault_tests() if fault_id not in built] == []


def test_no_test_of_a_fault_can_be_skipped():
    assert [place for _, place, node in fault_tests() if ways_to_skip(node)] == []
    modules = {place.partition("::")[0] for _, place, _ in fault_tests()}
    for module in modules:
        marks = [node for node in ast.parse((TESTS / module).read_text()).body if isinstance(node, ast.Assign)]
        assert [ast.unparse(mark) for mark in marks if ways_to_skip(mark)] == []


def test_names_say_which_faults_a_test_holds():
    assert ids_of("test_k01_second_resume") == ["K01"]
    assert ids_of("test_s01_s102_interrupt_of_a_loop") == ["S01", "S102"]
    assert ids_of("test_sixty_four_threads") == ids_of("test_k1_x") == ids_of("") == []


def test_a_row_that_cannot_be_read_is_an_error():
    with pytest.raises(ValueError, match="K01"):
        faults_of("## Continuation\n\n| `K01` | a cell too few |")


# The table, over a catalogue and tests of its own.

SAMPLE = """\
## Continuation

| id | fault | what must hold |
|---|---|---|
| `K01` | one | holds |
| `K02` | two | breaks |
| `K03` | three | has a test that is skipped |
| `K04` | four | has no test |
| `K05` | five | breaks in one of two |
| `K06` | six | leaves something behind |

## Scheduler

| `Q01` | seven | *not built yet*: later |
"""
SAMPLE_TESTS = """
import pytest

@pytest.fixture
def clean():
    yield
    assert not "left behind"

def test_k01_k02_both(): pass
def test_k02_breaks(): assert False
def test_k03_skipped(): pytest.skip("not today")
@pytest.mark.parametrize("n", [1, 2])
def test_k05_breaks_in_one(n): assert n == 1
def test_k06_leaves_something(clean): pass
def test_of_no_fault(): assert False
"""
MAIN = """
import sys

from faults_table import main

folder, catalogue = sys.argv[1:]
sys.exit(main(catalogue, ["-q", "-p", "no:cacheprovider", "-c", folder + "/pytest.ini", folder]))
"""


def table_of(folder, catalogue, tests):
    """The exit code over a catalogue and tests, the rows of the table, and its last line."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_sample.py").write_text(tests)
    child = run_child(MAIN, args=(folder, catalogue), env={"PYTHONPATH": str(TESTS)})
    lines = [" ".join(line.split()) for line in child.stdout.rpartition(" in ")[2].splitlines()]
    return child.returncode, lines[2:-2], lines[-1]


def test_table_tells_what_is_held_and_what_is_not(tmp_path):
    code, rows, counts = table_of(tmp_path, SAMPLE, SAMPLE_TESTS)
    assert code == 1
    assert rows == [
        "K01 continuation held one",
        "K02 continuation broken two",
        "K03 continuation skipped three",
        "K04 continuation no test four",
        "K05 continuation broken five",
        "K06 continuation broken six",
        "Q01 scheduler not built yet seven",
    ]
    assert counts == "7 faults: 1 held, 1 not built yet, 3 broken, 1 skipped, 0 not run, 1 no test"


HELD = "## State\n\n| `B01` | one | holds |\n"
HOLDS = "def test_b01_holds(): pass\n"


@pytest.mark.parametrize(
    ("catalogue", "tests", "code"),
    [
        (HELD + "| `B02` | two | *not built yet*: later |\n", HOLDS, 0),
        (HELD + "| `B02` | two | has no test |\n", HOLDS, 1),
        (HELD, "import pytest\n\ndef test_b01_skipped(): pytest.skip('no')\n", 1),
        (HELD, "import pytest\n\n@pytest.mark.xfail\ndef test_b01_fails(): assert False\n", 1),
    ],
    ids=["held", "no_test", "skipped", "xfail"],
)
def test_exit_code_is_zero_only_when_every_built_row_is_held(tmp_path, catalogue, tests, code):
    """Where pytest itself finds nothing wrong."""
    assert table_of(tmp_path, catalogue, tests)[0] == code
