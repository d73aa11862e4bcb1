"""Faults of programs (P-rows), as far as they do not stand with the laws of programs and errors."""

import gc
import io
import pdb  # noqa: T100 - what it shows is the matter
import subprocess
import sys
import textwrap
import traceback
import warnings

import pytest

from child import run_child
from errors_vocabulary import outer
from programs_vocabulary import async_generator, coroutine, raw
from segue import Call, Pure, ResumeThrow, Tell, WithHandler, do, handles, run, writer
from vocabulary import Ping, echo


@pytest.mark.parametrize("wrong", [1, None, "text", [1], int, ValueError("x")])
def test_p01_program_that_catches_goes_on_from_the_line_of_the_yield(wrong):
    @do
    def program():
        for yielded in (wrong, wrong):
            try:
                yield yielded
            except TypeError as error:
                line = traceback.extract_tb(error.__traceback__)[-1].line
                yield Tell(line)
        return "done"

    result = run(program(), handlers=[writer])
    assert (result.value, list(result.log)) == ("done", ["yield yielded"] * 2)


@pytest.mark.parametrize("make", [coroutine, async_generator, raw])
def test_p02_what_cannot_be_yielded_leaves_no_noise(make):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        @do
        def program():
            yield make()

        assert isinstance(run(program()).error, TypeError)
        with pytest.raises(TypeError):
            run(Call(make).flat_map(lambda made: made)).value
        gc.collect()
    assert caught == []


def test_p06_error_of_a_running_generator_has_the_line_of_the_run():
    me = []

    def program():
        run(me[0]).value
        yield Pure(None)

    me.append(program())
    error = run(me[0]).error
    assert type(error) is ValueError
    assert traceback.extract_tb(error.__traceback__)[0].line == "run(me[0]).value"


def test_p08_return_in_finally_swallows_what_a_handler_throws():
    @handles(Ping)
    def throws(e, k):
        return ResumeThrow(k, KeyboardInterrupt)

    @do
    def swallows():
        try:
            yield Ping()
        finally:
            return "kept"  # noqa: B012

    assert run(swallows(), handlers=[throws]).value == "kept"


def test_p11_members_of_a_group_reach_their_except_clauses_unchanged():
    members = [ValueError(1), KeyError(2), OSError(3)]
    seen = []

    @do
    def inner():
        yield Ping()
        raise ExceptionGroup("three", members)

    @do
    def program():
        try:
            yield inner()
        except* ValueError as group:
            seen.extend(group.exceptions)
        except* KeyError as group:
            yield Ping()
            seen.extend(group.exceptions)

    error = run(program(), handlers=[echo]).error
    assert [*seen, *error.exceptions] == members
    assert error.message == "three"


# P12: the tools that read tracebacks.


def test_p12_pdb_walks_the_frames_of_a_post_mortem():
    error = run(outer(ValueError("x")), handlers=[echo]).error
    said = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("where\nup\np error\nquit\n"), stdout=said, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    debugger.reset()
    debugger.interaction(None, error.__traceback__)
    text = said.getvalue().partition("(Pdb)")[2]  # without the line that it starts with
    assert text.index("outer()") < text.index("middle()") < text.index("inner()")
    assert "ValueError('x')" in text


def test_p12_pytest_shows_the_frames(tmp_path):
    (tmp_path / "test_fails.py").write_text(
        textwrap.dedent("""
            from segue import do, run

            @do
            def inner():
                raise ValueError("shown")

            @do
            def outer():
                yield inner()

            def test_fails():
                run(outer()).value
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    places = ["run(outer()).value", "yield inner()", '>       raise ValueError("shown")']
    shown = done.stdout[done.stdout.index("FAILURES") :]
    assert [place for place in places if place not in shown] == []
    assert "ValueError: shown" in done.stdout


# P13: leaving the interpreter.


def test_p13_system_exit_ends_the_interpreter_with_its_code_after_every_finally():
    done = run_child(
        """
        import sys
        from segue import Tell, answers, do, run

        @answers(Tell)
        def prints(effect):
            print(effect.x, flush=True)

        @do
        def inner():
            try:
                yield Tell("exits")
                sys.exit(7)
            finally:
                yield Tell("inner")

        @do
        def outer():
            try:
                yield inner()
            finally:
                yield Tell("outer")

        run(outer(), handlers=[prints])
        print("never")
        """
    )
    assert done.returncode == 7
    assert done.stdout.split() == ["exits", "inner", "outer"]
    assert done.stderr == ""


# P15: no memory.

DEEP = """
import gc
import resource
from pathlib import Path

from segue import Pure, do, run
from segue._vm import vm_live_counts

closed = []

@do
def down(n):
    {body}

@do
def catches():
    try:
        yield down(0)
    except MemoryError:
        return "caught"

in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + {megabytes} * 2**20, resource.RLIM_INFINITY))

result = run(down(0))
assert type(result.error) is MemoryError
del result
gc.collect()
assert vm_live_counts() == {{"segments": 0, "frames": 0, "continuations": 0}}
assert run(Pure(1).map(str)).value == "1"
assert run(catches()).value == "caught"
print("survived")
"""
PLAIN = "return 1 + (yield down(n + 1))"
WITH_FINALLY = """try:
        return 1 + (yield down(n + 1))
    finally:
        assert (yield Pure(n)) == n"""


@pytest.mark.parametrize("megabytes", [50, 150])
@pytest.mark.parametrize("body", [PLAIN, WITH_FINALLY], ids=["plain", "with_finally"])
def test_p15_exhausted_memory_in_deep_recursion_is_a_memory_error_and_the_next_run_works(body, megabytes):
    assert run_child(DEEP.format(body=body, megabytes=megabytes), seconds=120).ok() == "survived\n"


def test_p17_a_wrong_root_runs_nothing():
    ran = []

    def not_called():
        ran.append("ran")
        yield Pure(None)

    for wrong in (3, None, not_called, do(not_called), WithHandler):
        with pytest.raises(TypeError):
            run(wrong, handlers=[echo])
    assert ran == []
