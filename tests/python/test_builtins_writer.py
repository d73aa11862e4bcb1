"""Semantics 6: writer and Listen."""

from builtins_vocabulary import caught, raises, sequence
from segue import (
    Get,
    Listen,
    Pure,
    Put,
    Sleep,
    Spawn,
    Tell,
    UnhandledEffectError,
    VirtualClock,
    WithHandler,
    do,
    run,
    scheduler,
    state,
    writer,
)


def test_tell_is_none_and_keeps_the_order():
    r = run(sequence(Tell("a"), Tell("b"), Tell("a")), handlers=[writer])
    assert r.value == [None] * 3
    assert list(r.log) == ["a", "b", "a"]


def test_log_is_there_after_an_error():
    assert list(run(sequence(Tell("a"), raises(ValueError("x"))), handlers=[writer]).log) == ["a"]


def test_log_starts_empty_each_time():
    assert [list(run(Tell("a"), handlers=[writer]).log) for _ in range(2)] == [["a"], ["a"]]


def test_log_is_that_of_the_outermost_writer():
    program = sequence(Tell("inner"), WithHandler(writer, Tell("innermost")))
    assert list(run(program, handlers=[writer]).log) == ["inner"]
    assert list(run(program, handlers=[writer, writer]).log) == []


def listened(pair):
    value, entries = pair
    return value, list(entries)


def test_listen_gives_value_and_entries_and_they_go_outward_too():
    """Semantics 6: a tee."""
    program = sequence(Tell("before"), Listen(sequence(Tell("a"), Tell("b"))).map(listened), Tell("after"))
    r = run(program, handlers=[writer])
    assert r.value == [None, ([None, None], ["a", "b"]), None]
    assert list(r.log) == ["before", "a", "b", "after"]


def test_listen_nests():
    inner = Listen(Tell("inner")).map(listened)
    program = Listen(sequence(Tell("outer"), inner)).map(listened)
    r = run(program, handlers=[writer])
    assert r.value == ([None, (None, ["inner"])], ["outer", "inner"])
    assert list(r.log) == ["outer", "inner"]


def test_listen_of_a_program_that_tells_nothing():
    assert run(Listen(Pure(1)).map(listened), handlers=[writer]).value == (1, [])


def test_listen_that_fails_has_told():
    r = run(Listen(sequence(Tell("a"), raises(ValueError("x")))), handlers=[writer])
    assert isinstance(r.error, ValueError)
    assert list(r.log) == ["a"]


def test_listen_without_a_writer_is_unhandled_at_the_tell():
    program = Listen(caught(Tell("a"), UnhandledEffectError))
    assert isinstance(run(program).value[0], UnhandledEffectError)


def test_handlers_around_listen_stay_visible():
    program = Listen(sequence(Put("n", 1), Get("n")))
    assert run(program, handlers=[state, writer]).value[0] == [None, 1]


def test_list_of_listen_does_not_grow_any_more():
    """A task that was spawned in it tells later: that goes outward only."""

    @do
    def late():
        yield Sleep(1)
        yield Tell("late")

    @do
    def program():
        _, told = yield Listen(Tell("now").flat_map(lambda _: Spawn(late())))
        before = list(told)
        yield Sleep(2)
        return before, list(told)

    done = run(program(), handlers=[writer, scheduler(clock=VirtualClock())])
    assert done.value == (["now"], ["now"])
    assert list(done.log) == ["now", "late"]
