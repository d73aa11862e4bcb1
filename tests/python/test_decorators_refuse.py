"""What decorators, class statements and handler positions refuse, and what they take although it looks odd."""

import dataclasses
import functools
import inspect
import pickle
import sys
from typing import ClassVar

import pytest

from segue import (
    Effect,
    Handler,
    HandlerStack,
    Key,
    Modify,
    Pure,
    WithHandler,
    answers,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, ask, echo, pong


@do
def top(n=0):
    return (yield Ping(n))


class Counts:
    def __call__(self, e, k):
        return "counted"


# `@do`.


def test_do_refuses_a_class_by_name():
    with pytest.raises(TypeError, match=r"decorates functions, not classes: .*Counts"):
        do(Counts)


def test_do_refuses_what_is_no_function():
    with pytest.raises(TypeError, match="do needs a function, got 3"):
        do(3)


def test_do_stands_before_and_behind_staticmethod_and_classmethod():
    class Holds:
        @do
        @staticmethod
        def one():
            return (yield Ping(1))

        @staticmethod
        @do
        def two():
            return (yield Ping(2))

        @do
        @classmethod
        def three(cls):
            yield Ping(3)
            return cls

    assert run(Holds.one(), handlers=[echo]).value == 1
    assert run(Holds().two(), handlers=[echo]).value == 2
    assert run(Holds.three(), handlers=[echo]).value is Holds


def test_do_of_a_do_function_is_itself_and_on_its_class_too():
    class Holds:
        method = ask

    assert do(ask) is ask
    assert Holds.method is ask


def test_do_takes_partials_methods_and_callable_objects():
    class Asks:
        def __call__(self):
            return (yield Ping(4))

        def method(self):
            return (yield Ping(5))

    def asks(n):
        return (yield Ping(n))

    for function, answer in (functools.partial(asks, 3), 3), (Asks(), 4), (Asks().method, 5):
        assert run(do(function)(), handlers=[echo]).value == answer
    assert run(do(functools.partial(int, "7"))()).value == 7


def test_do_takes_a_callable_that_wraps_itself():
    class Endless:
        @property
        def __func__(self):
            return self

        def __call__(self):
            return 3

    assert run(do(Endless())()).value == 3


def test_do_function_is_shown_and_pickled_by_its_name():
    assert repr(top) == "<@do function top>"
    assert pickle.loads(pickle.dumps(top)) is top  # noqa: S301 - its own


# Clauses.


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (echo, "is a handler already"),
        (classmethod(lambda cls, e: 1), "cannot be a classmethod"),
        (Counts, "got the class Counts"),
        (3, "got 3"),
    ],
)
@pytest.mark.parametrize("mark", [answers, handles])
def test_h06_mark_refuses_what_is_no_clause(mark, wrong, why):
    with pytest.raises(TypeError, match=why):
        mark(Ping)(wrong)


@pytest.mark.parametrize("mark", [answers, handles])
def test_h06_mark_without_its_effect_class_says_how_to_write_it(mark):
    with pytest.raises(TypeError, match=rf"write @{mark.__name__}\(E\), or @{mark.__name__}\(\) for all"):
        mark(lambda e: 1)


def test_clause_may_be_a_static_method_or_a_do_function_or_a_partial_of_one():
    @do
    def clause(more, e):
        return (yield Pure(e.n + more))

    class Holds(Handler):
        @answers(Ping)
        @staticmethod
        def ping(e):
            return e.n + 1

    class Clauses:
        more = 3

        @do
        def bound(self, e):
            return (yield Pure(e.n + self.more))

        @staticmethod
        def free(e):
            return (yield Pure(e.n + 4))

    assert run(ask(1), handlers=[Holds()]).value == 2
    assert run(ask(1), handlers=[answers(Ping)(functools.partial(clause, 2))]).value == 3
    assert run(ask(1), handlers=[answers(Ping)(Clauses().bound)]).value == 4
    assert run(ask(1), handlers=[answers(Ping)(vars(Clauses)["free"])]).value == 5


def test_clause_is_a_method_of_a_handler_only():
    """On an instance of a handler the name is the method; anywhere else it is the handler."""

    class Holds(Handler):
        @answers(Ping)
        def ping(self, e):
            return (self, e.n)

    class Other:
        ping = echo

    holds = Holds()
    assert holds.ping(Ping(3)) == (holds, 3)
    assert Other().ping is echo


def test_override_of_a_clause_stays_a_clause_and_none_takes_it_away():
    class Base(Handler):
        @answers(Ping)
        def ping(self, e):
            return "base"

    class Overrides(Base):
        def ping(self, e):
            return "overridden"

    class Without(Base):
        ping = None

    class Again(Without):
        def ping(self, e):
            return "no clause"

    assert run(ask(), handlers=[Overrides()]).value == "overridden"
    for handler in Without(), Again():
        assert run(ask(), handlers=[echo, handler]).value == 0


@pytest.mark.parametrize("name", ["enter", "result", "error", "exit", "fork", "report"])
@pytest.mark.parametrize("wrong", [staticmethod(len), classmethod(lambda cls: 1), echo, 3])
def test_hook_that_is_no_plain_method_is_refused(name, wrong):
    with pytest.raises(TypeError, match=f"{name} belongs to the life cycle"):
        type("Holds", (Handler,), {name: wrong})


def test_hook_that_is_async_points_at_await():
    async def enter(self):
        pass

    with pytest.raises(TypeError, match=r"enter is an async function.*Await"):
        type("Holds", (Handler,), {"enter": enter})


# Where a handler is asked for.


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Handler, "make an instance"),
        (Counts, "a handler is an object or a function"),
        (ask(), "is a program, no handler"),
        (Ping(), "is a program, no handler"),
        ([echo], "put its items there"),
    ],
)
def test_h06_what_is_no_handler_is_told_apart(wrong, why):
    with pytest.raises(TypeError, match=why):
        WithHandler(wrong, Pure(1))


def test_h06_coroutine_is_no_handler_and_is_closed():
    async def later():
        pass

    coroutine = later()
    with pytest.raises(TypeError, match="coroutine"):
        WithHandler(coroutine, Pure(1))
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


def test_callable_object_is_a_control_clause():
    assert run(ask(), handlers=[Counts()]).value == "counted"


def test_handler_called_with_an_effect_of_its_own_points_at_the_function():
    with pytest.raises(TypeError) as caught:
        echo(3)
    assert any("its function is __wrapped__" in note for note in caught.value.__notes__)
    assert echo.__wrapped__(Ping(3)) == 3


def test_stacks_are_put_together_from_handlers_functions_and_sequences():
    def plain(e, k):
        return "plain"

    class Holds(Handler):
        pass

    holds = Holds()
    for stack, expected in (
        (echo | pong, [echo, pong]),
        (plain | echo, [plain, echo]),
        ([pong] | echo, [pong, echo]),
        (plain | (echo | pong), [plain, echo, pong]),
        ((echo | pong) | plain, [echo, pong, plain]),
        ((pong, plain) | (echo | pong), [pong, plain, echo, pong]),
        (plain | holds, [plain, holds]),
    ):
        assert isinstance(stack, HandlerStack)
        assert list(stack) == expected
    assert repr(echo | holds) == f"HandlerStack([<handler echo>, {holds!r}])"
    assert repr(holds).startswith("<handler ")
    with pytest.raises(TypeError, match="unsupported operand"):
        echo | 3
    with pytest.raises(TypeError, match="unsupported operand"):
        3 | echo


def test_writer_has_no_settings_and_the_others_take_mappings_only():
    assert repr(state({"n": 1})) == "state({'n': 1})"
    assert repr(writer()) == "writer"
    assert run(state()(Pure(1))).value == 1
    with pytest.raises(TypeError, match="writer has no settings"):
        writer({})
    with pytest.raises(TypeError, match="state is called with a mapping"):
        state(3)


def test_names_and_functions_of_effects_are_checked_when_they_are_made():
    with pytest.raises(TypeError, match="the name must be a str, got 3"):
        Key(3)
    with pytest.raises(TypeError, match="f must be callable, got 3"):
        Modify("n", 3)


# Classes of effects.


@pytest.mark.parametrize(
    ("annotations", "values", "why"),
    [
        ({"class": int}, {}, "'class' is no name for a field"),
        ({"map": int}, {}, "effects have a method of that name"),
        ({"items": list}, {"items": []}, "a mutable list"),
        ({"items": list}, {"items": dataclasses.field(default_factory=list)}, r"dataclasses\.field\(\)"),
        ({"first": int, "second": int}, {"first": 1}, "field second without a default follows field first"),
        ({"first": int}, {"__slots__": ("more",)}, "no __slots__ of their own"),
    ],
)
def test_field_that_cannot_be_is_refused_by_the_class_statement(annotations, values, why):
    with pytest.raises(TypeError, match=why):
        type(Effect)("Made", (Effect,), {"__annotations__": annotations, "__qualname__": "Made", **values})


def test_field_is_not_hidden_by_accident():
    with pytest.raises(TypeError, match="n hides a field; annotate it to give it another default"):

        class Hides(Ping):
            n = 3


def test_class_variables_are_no_fields_and_signatures_tell_the_fields():
    class Counted(Effect[int]):
        first: int
        second: int = 2
        made: ClassVar[int] = 0

    assert [str(p) for p in inspect.signature(Counted).parameters.values()] == ["first", "second=2"]
    assert Counted.made == 0
    assert Counted.__match_args__ == ("first", "second")


def test_fields_are_told_where_nobody_imported_typing(monkeypatch):
    monkeypatch.delitem(sys.modules, "typing")

    class Plain(Effect[int]):
        n: int

    assert Plain(3).n == 3
