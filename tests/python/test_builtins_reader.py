"""Semantics 6: reader and Local."""

import types

import pytest

from builtins_vocabulary import caught, raises, sequence
from segue import Ask, Call, CycleError, Local, MissingKeyError, Pure, Tell, Try, answers, do, lazy, reader, run, writer
from vocabulary import Ping, stop

# Reader.


def test_ask_gives_the_value_of_the_environment():
    assert run(Ask("who"), handlers=[reader], env={"who": "me"}).value == "me"
    assert run(Ask("who"), handlers=[reader({"who": "me"})]).value == "me"


def test_ask_of_a_missing_key_is_a_key_error_that_names_close_matches():
    error = run(caught(Ask("usr"), KeyError), handlers=[reader({"user": 1})]).value
    assert isinstance(error, MissingKeyError)
    assert "user" in str(error)


def test_environment_is_copied():
    env = {"who": "me"}

    @do
    def program():
        env["who"] = "changed"
        return (yield Ask("who"))

    assert run(program(), handlers=[reader], env=env).value == "me"


def test_program_in_the_environment_is_given_as_it_is():
    inner = Pure(1)
    assert run(Ask("p"), handlers=[reader({"p": inner})]).value is inner


def test_lazy_value_is_evaluated_at_the_first_ask_and_once():
    @do
    def costly():
        yield Tell("evaluated")
        return object()

    program = sequence(Tell("before"), Ask("v"), Ask("v"))
    r = run(program, handlers=[writer, reader({"v": lazy(costly())})])
    assert list(r.log) == ["before", "evaluated"]
    assert r.value[1] is r.value[2]


def test_lazy_value_that_nobody_asks_for_is_not_evaluated():
    ran = []
    assert run(Pure(1), handlers=[reader({"v": lazy(Call(lambda: ran.append(1)))})]).value == 1
    assert ran == []


def test_lazy_value_is_evaluated_once_per_installation():
    ran = []

    @do
    def costly():
        ran.append(1)
        return len(ran)

    handler = reader({"v": lazy(costly())})
    assert [run(Ask("v"), handlers=[handler]).value for _ in range(3)] == [1, 2, 3]


def test_lazy_value_may_ask_this_reader():
    env = {"a": 1, "b": lazy(Ask("a").map(lambda a: a + 1)), "c": lazy(Ask("b").map(lambda b: b + 1))}
    assert run(Ask("c"), handlers=[reader(env)]).value == 3


def test_lazy_value_does_not_see_handlers_inside_the_reader():
    """Semantics 6: evaluated under this reader and the handlers outside it."""

    @answers(Ping)
    def outside(e):
        return "outside"

    @answers(Ping)
    def inside(e):
        return "inside"

    handlers = [outside, reader({"v": lazy(Ping())}), inside]
    assert run(sequence(Ask("v"), Ping()), handlers=handlers).value == ["outside", "inside"]


def test_failure_of_a_lazy_value_is_raised_at_that_ask_and_not_kept():
    attempts = []

    @do
    def flaky():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("first")
        return "second"

    program = sequence(caught(Ask("v"), ValueError), Ask("v"), Ask("v"))
    error, *values = run(program, handlers=[reader({"v": lazy(flaky())})]).value
    assert error.args == ("first",)
    assert values == ["second", "second"]


def test_lazy_value_that_asks_for_itself_is_a_cycle():
    env = {"a": lazy(Ask("b")), "b": lazy(Ask("a")), "c": 3}
    program = sequence(caught(Ask("a"), CycleError), Ask("c"))
    error, value = run(program, handlers=[reader(env)]).value
    assert isinstance(error, CycleError)
    assert value == 3


def test_lazy_takes_a_program():
    with pytest.raises(TypeError):
        lazy(3)


def test_nested_readers_do_not_add_up():
    """The nearest reader answers, for every key."""
    inner = reader({"b": 2})
    program = inner(sequence(Ask("b"), caught(Ask("a"), MissingKeyError)))
    b, error = run(program, handlers=[reader({"a": 1})]).value
    assert b == 2
    assert isinstance(error, MissingKeyError)


# Local.


def test_local_overrides_inside_and_not_after():
    program = sequence(Ask("a"), Local({"a": 2}, Ask("a")), Ask("a"))
    assert run(program, handlers=[reader({"a": 1})]).value == [1, 2, 1]


def test_local_leaves_other_keys():
    program = Local({"a": 2}, sequence(Ask("a"), Ask("b")))
    assert run(program, handlers=[reader({"a": 1, "b": 10})]).value == [2, 10]


def test_local_nests():
    program = Local({"a": 2, "b": 2}, sequence(Local({"a": 3}, sequence(Ask("a"), Ask("b"))), Ask("a")))
    assert run(program, handlers=[reader({})]).value == [[3, 2], 2]


def test_local_copies_its_overrides():
    overrides = {"a": 2}
    program = Local(overrides, Ask("a"))
    overrides["a"] = 3
    assert run(program, handlers=[reader({"a": 1})]).value == 2


def test_local_takes_any_mapping():
    overrides = types.MappingProxyType({"who": "inner"})
    assert run(Local(overrides, Ask("who")), handlers=[reader({"who": "outer"})]).value == "inner"


def test_local_is_left_by_errors_and_by_ended_bodies():
    program = sequence(
        Try(Local({"a": 2}, raises(ValueError("x")))).map(lambda r: r.is_err()),
        stop(Local({"a": 2}, Ping())),
        Ask("a"),
    )
    assert run(program, handlers=[reader({"a": 1})]).value == [True, "stopped", 1]


def test_handlers_around_local_stay_visible():
    @answers(Ping)
    def echo(e):
        return e.n

    program = Local({"a": 2}, sequence(Ping(5), Tell("x"), Ask("a")))
    r = run(program, handlers=[reader({}), writer, echo])
    assert (r.value, list(r.log)) == ([5, None, 2], ["x"])


def test_local_may_override_with_a_lazy_value():
    program = Local({"a": lazy(Ask("b"))}, sequence(Ask("a"), Ask("a")))
    assert run(program, handlers=[reader({"b": 7})]).value == [7, 7]
