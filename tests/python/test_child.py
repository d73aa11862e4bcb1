"""Children that end badly are reported as such: without this, the tests that use them could not fail."""

import pytest

from child import run_child

MEGABYTE = 2**20


def test_child_that_ends_well_gives_what_it_wrote():
    source = """
        import os, sys

        print("hello", *sys.argv[1:], os.environ["COLOUR"])
        print("aside", file=sys.stderr)
    """
    child = run_child(source, args=("a", 1), env={"COLOUR": "red"})
    assert child.ok() == "hello a 1 red\n"
    assert child.stderr == "aside\n"


def test_child_that_raises_is_reported_with_its_traceback():
    child = run_child("print('before'); 1 / 0")
    assert child.returncode == 1
    with pytest.raises(AssertionError, match=r"(?s)exited with 1.*before.*ZeroDivisionError"):
        child.ok()


def test_child_that_crashes_is_reported_with_its_signal():
    child = run_child("import ctypes; ctypes.string_at(0)")
    assert child.ended == "was killed by SIGSEGV"
    with pytest.raises(AssertionError, match=r"(?s)SIGSEGV.*Fatal Python error"):
        child.ok()


def test_long_words_of_a_child_are_shown_from_both_ends():
    child = run_child("import sys; print('first' + 'x' * 10**6 + 'last', file=sys.stderr); sys.exit(2)")
    with pytest.raises(AssertionError, match=r"(?s)exited with 2.*first.*….*last") as raised:
        child.ok()
    assert len(str(raised.value)) < 10_000


def test_child_that_hangs_is_killed_with_all_that_it_started():
    """The grandchild holds the pipes: without its end, reading them would not end."""
    source = """
        import subprocess, sys, time

        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]):
            print("hangs", flush=True)
            time.sleep(1000)
    """
    child = run_child(source, seconds=2)
    assert child.out_of_time
    assert child.stdout == "hangs\n"
    with pytest.raises(AssertionError, match="still running"):
        child.ok()


def test_child_that_wants_too_much_memory_does_not_get_it():
    source = """
        try:
            bytes(600 * 2**20)
        except MemoryError:
            print("refused")
    """
    assert run_child(source, memory=500 * MEGABYTE).ok() == "refused\n"
    assert run_child(source).ok() == ""


def test_child_leaves_no_core_and_takes_warnings_as_errors():
    limit = run_child("import resource; print(*resource.getrlimit(resource.RLIMIT_CORE))").ok()
    assert limit == "0 0\n"
    assert "UserWarning" in run_child("import warnings; warnings.warn('x')").stderr
