"""Semantics 1: nodes and effects (P-rows of the faults)."""

import copy
import functools
import inspect
import pickle
import types

import pytest

from programs_vocabulary import add, async_generator, coroutine, error_at_yield, raw
from segue import (
    Call,
    CreateContinuation,
    Discontinue,
    Effect,
    FlatMap,
    GetHandlers,
    Inherit,
    Listen,
    Local,
    Map,
    Perform,
    Pure,
    PythonAsyncSyntaxEscape,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Seal,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    bracket,
    do,
    run,
)
from vocabulary import Ping, echo


class Louder(Ping):
    by: int = 1


class Pair(Effect[None]):
    left: object
    right: object = None


class Bare(Effect[str]):
    pass


@do
def constant(value):
    return value


# Nodes.


def test_pure_is_its_value():
    assert run(Pure(3)).value == 3


def test_map_applies_a_function_to_the_result():
    assert run(Map(Pure(3), str)).value == "3"
    assert run(Pure(3).map(str).map(len)).value == 1


def test_flat_map_goes_on_with_the_program_that_f_gives():
    assert run(FlatMap(Pure(3), lambda n: Pure(n + 1))).value == 4
    assert run(Pure(3).flat_map(Ping), handlers=[echo]).value == 3


def test_call_evaluates_what_f_gives():
    assert run(Call(add, 1, b=2), handlers=[echo]).value == 3
    assert run(Call(Ping, 4), handlers=[echo]).value == 4


def test_perform_gives_the_answer():
    assert run(Perform(Ping(5)), handlers=[echo]).value == 5


def test_effects_have_map_and_flat_map():
    assert run(Ping(5).map(str), handlers=[echo]).value == "5"
    assert run(Ping(5).flat_map(lambda n: Ping(n + 1)), handlers=[echo]).value == 6


def test_map_of_a_function_that_gives_a_program_is_that_program():
    """Semantics 1: what a function returns is a value."""
    inner = Pure(1)
    assert run(Map(Pure(0), lambda _: inner)).value is inner


def test_result_of_a_do_function_is_a_value_even_when_it_is_a_program():
    inner = Pure(1)

    @do
    def yields():
        yield Pure(None)
        return inner

    assert run(constant(inner)).value is inner
    assert run(yields()).value is inner


@pytest.mark.parametrize("given", [3, None, "text", raw, [Pure(1)]])
@pytest.mark.parametrize("build", [lambda f: FlatMap(Pure(0), lambda _: f()), Call])
def test_flat_map_and_call_ask_for_a_program(build, given):
    """Semantics 1: anything else that their function gives is a TypeError at the yield."""
    error = error_at_yield(build(lambda: given))
    assert isinstance(error, TypeError)


def test_a_program_is_asked_for_and_an_effect_will_do():
    for node in (Map(Ping(2), int), Try(Ping(2)).map(lambda r: r.value), WithHandler(echo, Ping(2))):
        assert run(node, handlers=[echo]).value == 2
    assert run(Ping(2), handlers=[echo]).value == 2


def test_do_functions_call_nothing_until_they_run():
    log = []

    @do
    def says(text):
        log.append(text)
        return text

    program = says("hello")
    assert log == []
    assert run(program).value == "hello"
    assert log == ["hello"]


def test_arguments_of_a_do_function_are_untouched():
    given = [object()]
    assert run(constant(given)).value is given


def test_wrong_arguments_are_an_error_at_the_yield():
    @do
    def program():
        try:
            yield add(1, 2, 3)
        except TypeError as e:
            return str(e)

    assert "add" in run(program()).value


def test_do_keeps_the_name_and_the_text_of_its_function():
    @do
    def named(a, b=2):
        """Says what it does."""
        yield Pure(a)

    assert (named.__name__, named.__doc__) == ("named", "Says what it does.")
    assert list(inspect.signature(named).parameters) == ["a", "b"]


def test_do_works_on_methods():
    class Account:
        def __init__(self, start):
            self.start = start

        @do
        def plus(self, n):
            return self.start + (yield Ping(n))

        @staticmethod
        @do
        def static(n):
            return (yield Ping(n))

        @classmethod
        @do
        def of(cls, n):
            return cls.__name__, (yield Ping(n))

    assert run(Account(10).plus(5), handlers=[echo]).value == 15
    assert run(Account.static(5), handlers=[echo]).value == 5
    assert run(Account.of(5), handlers=[echo]).value == ("Account", 5)


def test_do_works_on_partials():
    @do
    def body(a, b):
        return a + (yield Ping(b))

    assert run(functools.partial(body, 1)(2), handlers=[echo]).value == 3
    assert run(do(functools.partial(lambda a, b: a + b, 1))(2)).value == 3


@pytest.mark.parametrize("function", [coroutine, async_generator])
def test_async_functions_are_rejected_where_they_are_decorated(function):
    with pytest.raises(TypeError, match=function.__name__):
        do(function)


def test_yield_from_means_the_same_as_yield():
    @do
    def program():
        a = yield from Ping(1)
        b = yield from add(2, 3)
        c = yield from Pure(4)
        return a, b, c

    assert run(program(), handlers=[echo]).value == (1, 5, 4)


def test_yield_from_a_plain_generator_helper():
    def helper(n):
        return (yield Ping(n)) * 10

    @do
    def program():
        return (yield from helper(4))

    assert run(program(), handlers=[echo]).value == 40


def test_an_error_arrives_through_yield_from():
    @answers(Ping)
    def fails(e):
        raise ValueError("no")

    @do
    def program():
        try:
            yield from Ping(1)
        except ValueError as e:
            return str(e)

    assert run(program(), handlers=[fails]).value == "no"


def test_nodes_are_immutable():
    for node in (Pure(1), Map(Pure(1), str), add(1, 2), WithHandler(echo, Pure(1))):
        with pytest.raises((AttributeError, TypeError)):
            node.extra = 1
    with pytest.raises((AttributeError, TypeError)):
        Pure(1).value = 2


def test_set_of_nodes_is_closed():
    with pytest.raises(TypeError):
        type("MyNode", (Pure,), {})


@pytest.mark.parametrize(
    "build",
    [
        lambda: Map(3, str),
        lambda: Map(Pure(1), 3),
        lambda: FlatMap(3, Pure),
        lambda: FlatMap(Pure(1), None),
        lambda: Pure(1).map(3),
        lambda: Pure(1).flat_map(3),
        lambda: Ping(1).map(3),
        lambda: Call(3),
        lambda: Perform(3),
        lambda: Perform(Pure(1)),
        lambda: Perform(Ping),
        lambda: WithHandler(echo, 3),
        lambda: WithHandler(echo, add),
        lambda: WithIntercept(3, Pure(1)),
        lambda: WithIntercept(Perform, 3),
        lambda: Seal(3, Pure(1)),
        lambda: Seal([3], Pure(1)),
        lambda: Seal([Ping], 3),
        lambda: Try(3),
        lambda: Try(None),
        lambda: Local(3, Pure(1)),
        lambda: Local({}, 3),
        lambda: Listen(3),
        lambda: bracket(3, Pure, Pure),
        lambda: bracket(Pure(1), 3, Pure),
        lambda: bracket(Pure(1), Pure, 3),
        lambda: GetHandlers(3),
        lambda: Inherit(3, Pure(1)),
        lambda: Discontinue(3),
        lambda: Resume(3, 1),
        lambda: ResumeThrow(3, ValueError()),
        lambda: Transfer(3, 1),
        lambda: TransferThrow(3, ValueError()),
        lambda: ResumeContinuation(3, 1),
        lambda: CreateContinuation(3, []),
        lambda: CreateContinuation(Pure(1), 3),
        lambda: CreateContinuation(Pure(1), [3]),
        lambda: PythonAsyncSyntaxEscape(3),
    ],
)
def test_node_checks_its_arguments_at_once(build):
    """Semantics 1: node constructors check their arguments."""
    with pytest.raises(TypeError):
        build()


def test_coroutine_as_an_argument_is_closed():
    wrong = coroutine()
    with pytest.raises(TypeError, match="map: f must be callable"):
        Pure(1).map(wrong)
    assert inspect.getcoroutinestate(wrong) == inspect.CORO_CLOSED


def test_generator_is_not_a_program_where_a_program_is_asked_for():
    generator = raw()
    with pytest.raises(TypeError, match="raw"):
        Try(generator)
    generator.close()


# Effects.


def test_effects_are_data():
    """Semantics 2: equality, hash, repr."""
    assert Ping(1) == Ping(n=1)
    assert Ping(1) != Ping(2)
    assert Ping(1) != Louder(1)
    assert Ping(1) != 1
    assert hash(Ping(1)) == hash(Ping(1))
    assert len({Ping(1), Ping(1), Ping(2)}) == 2
    assert (repr(Ping(1)), repr(Bare()), repr(Pair("a"))) == (
        "Ping(n=1)",
        "Bare()",
        "Pair(left='a', right=None)",
    )


def test_effects_match_patterns():
    match Louder(3, by=4):
        case Louder(n, by):
            assert (n, by) == (3, 4)
    match Pair("l", "r"):
        case Pair(right=right):
            assert right == "r"


def test_effect_subclasses_add_fields():
    assert Louder.__match_args__ == ("n", "by")
    assert (Louder().n, Louder().by) == (0, 1)
    assert isinstance(Louder(), Ping)


@pytest.mark.parametrize(
    "build",
    [
        Pair,
        lambda: Ping(1, 2),
        lambda: Ping(m=1),
        lambda: Ping(1, n=2),
        lambda: Bare(1),
    ],
)
def test_effect_checks_its_arguments(build):
    with pytest.raises(TypeError):
        build()


def test_effects_are_frozen():
    effect = Pair(1)
    for change in (
        lambda: setattr(effect, "left", 2),
        lambda: setattr(effect, "other", 2),
        lambda: delattr(effect, "left"),
    ):
        with pytest.raises(AttributeError):
            change()
    assert effect == Pair(1)


def test_effects_pickle_and_copy():
    effect = Louder(3, by=4)
    for version in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(effect, version)) == effect  # noqa: S301
    assert copy.deepcopy(Pair([1], {"a": 2})) == Pair([1], {"a": 2})


def test_effect_with_an_unhashable_field_is_unhashable_like_a_tuple():
    assert Pair([1]) == Pair([1])
    with pytest.raises(TypeError):
        hash(Pair([1]))


def test_effects_may_have_methods():
    class Area(Effect[float]):
        w: int
        h: int

        @property
        def size(self):
            return self.w * self.h

        def grown(self, by):
            return Area(self.w + by, self.h + by)

    assert Area(2, 3).size == 6
    assert Area(2, 3).grown(1) == Area(3, 4)
    assert Area.__match_args__ == ("w", "h")


@pytest.mark.parametrize("field", ["class", "two words", "", "__segue_fields__", "map", "__class__"])
def test_h102_field_that_cannot_be_one_is_an_error_of_the_class(field):
    with pytest.raises(TypeError, match="field"):
        types.new_class("Made", (Effect[int],), exec_body=lambda body: body.update(__annotations__={field: int}))
