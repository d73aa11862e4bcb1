"""Semantics 1: programs are values (P-rows of the faults)."""

import threading

import pytest

from programs_vocabulary import add
from segue import Ask, Call, FlatMap, Map, Pure, WithHandler, WithIntercept, bracket, do, reader, run
from vocabulary import Ping, echo


def test_p05_program_runs_many_times():
    program = add(1, 2)
    assert [run(program, handlers=[echo]).value for _ in range(5)] == [3] * 5


def test_p05_program_runs_in_eight_threads_at_once():
    @do
    def counts(n):
        total = 0
        for i in range(n):
            total += yield Ping(i)
        return total

    program = counts(500)
    start = threading.Barrier(8)
    results = []

    def work():
        start.wait()
        results.append(run(program, handlers=[echo]).value)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [sum(range(500))] * 8


def test_program_may_stand_twice_in_another():
    part = add(1, 2)

    @do
    def both():
        return (yield part), (yield part)

    assert run(both(), handlers=[echo]).value == (3, 3)


def test_p06_generator_that_is_already_running():
    me = []

    def program():
        try:
            run(me[0]).value
        except ValueError as e:
            return str(e)
        yield Pure(None)

    me.append(program())
    assert "already executing" in run(me[0]).value


def test_p07_stop_iteration_in_a_program_becomes_runtime_error():
    stop = StopIteration("x")

    @do
    def generator():
        yield Pure(1)
        raise stop

    @do
    def plain():
        raise stop

    for program in (generator(), plain()):
        error = run(program).error
        assert type(error) is RuntimeError
        assert error.__cause__ is stop


@pytest.mark.parametrize(
    "build",
    [
        lambda f: Map(Pure(1), f),
        lambda f: FlatMap(Pure(1), f),
        lambda f: Call(f, 1),
        lambda f: WithIntercept(f, Ping()),
        lambda f: bracket(Pure(1), f, Pure),
    ],
)
def test_p07_stop_iteration_in_a_function_called_by_the_machine(build):
    """Semantics 3: StopIteration that leaves a function called by the machine becomes RuntimeError."""
    stop = StopIteration("x")

    def raises(_):
        raise stop

    error = run(build(raises), handlers=[echo]).error
    assert type(error) is RuntimeError
    assert error.__cause__ is stop


def test_p08_return_in_finally_swallows_the_exception():
    @do
    def swallows():
        try:
            raise ValueError("lost")
        finally:
            yield Ping()
            return "kept"  # noqa: B012

    assert run(swallows(), handlers=[echo]).value == "kept"


def test_p10_cause_context_and_notes_are_unchanged():
    @do
    def inner():
        yield Ping()
        error = ValueError("inner")
        error.add_note("a note")
        raise error

    @do
    def middle():
        try:
            yield inner()
        except ValueError as e:
            raise KeyError("middle") from e

    @do
    def outer():
        try:
            yield middle()
        except KeyError:
            raise OSError("outer")  # noqa: B904

    error = run(outer(), handlers=[echo]).error
    assert type(error) is OSError
    assert type(error.__context__) is KeyError
    assert error.__cause__ is None
    assert type(error.__context__.__cause__) is ValueError
    assert error.__context__.__cause__.__notes__ == ["a note"]


def test_p11_exception_groups_split_across_programs():
    @do
    def inner():
        yield Ping()
        raise ExceptionGroup("both", [ValueError(1), KeyError(2), OSError(3)])

    @do
    def outer():
        seen = []
        try:
            yield inner()
        except* ValueError as group:
            seen.extend(group.exceptions)
        except* KeyError as group:
            seen.append((yield Ping(5)))
            seen.extend(group.exceptions)
        return seen

    error = run(outer(), handlers=[echo]).error
    assert isinstance(error, ExceptionGroup)
    assert [type(e) for e in error.exceptions] == [OSError]


def test_programs_are_evaluated_where_they_stand():
    """Semantics 1: nothing runs until a program is evaluated, under the handlers of that place."""

    @do
    def program(part):
        return (yield WithHandler(reader({"who": "inner"}), part)), (yield part)

    assert run(program(Ask("who")), handlers=[reader({"who": "outer"})]).value == ("inner", "outer")
