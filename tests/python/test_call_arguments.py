"""The arguments of a call stand in its node, and come to the function as they were given (semantics 1)."""

from __future__ import annotations

import gc
import inspect
import random
import sys
import weakref
from collections import defaultdict
from functools import partial

import pytest

from child import ON_SMALL_STACK, run_child
from segue import Call, Get, Pure, do, run


class Plain:
    pass


def seen(*args, **kwargs):
    return args, kwargs


@do
def generator(*args, **kwargs):
    yield Pure(None)
    return args, kwargs


plain = do(seen)


class Owner:
    @do
    def method(self, *args, **kwargs):
        return (self, *args), kwargs


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("program", [generator, plain], ids=["generator", "plain"])
def test_a_function_gets_what_its_call_was_given(program, seed):
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(10):
        args = tuple(chance.randrange(1000, 2000) for _ in range(chance.randrange(8)))
        kwargs = {f"name{number}": chance.random() for number in chance.sample(range(9), chance.randrange(7))}
        call = program(*args, **kwargs)
        for _ in range(2):
            assert run(call).value == (args, kwargs)
        assert (call.args, call.kwargs) == (args, kwargs)
        assert list(call.kwargs) == list(kwargs), "in the order in which they were given"
        assert run(Call(lambda *a, **k: Pure(seen(*a, **k)), *args, **kwargs)).value == (args, kwargs)
        assert run(partial(program, *args)(**kwargs)).value == (args, kwargs)


@pytest.mark.parametrize("count", range(8))
def test_methods_and_values_by_name_at_each_size(count):
    owner, names = Owner(), "abcdefgh"[:count]
    assert run(owner.method(*names)).value == ((owner, *names), {})
    assert run(owner.method(**dict.fromkeys(names, 1))).value == ((owner,), dict.fromkeys(names, 1))
    assert run(generator(0, **dict.fromkeys(names, 1))).value == ((0,), dict.fromkeys(names, 1))


def test_what_a_function_does_to_its_arguments_does_not_reach_the_call():
    @do
    def spoils(*args, **kwargs):
        kwargs["b"] = 3
        return args, kwargs

    call = spoils(1, b=2)
    assert run(call).value == run(call).value == ((1,), {"b": 3})
    call.kwargs["b"] = 4
    assert call.kwargs == {"b": 2}


def test_a_call_is_shown_as_it_was_written():
    assert repr(generator(1, "x", b=2)) == "generator(1, 'x', b=2)"
    assert repr(generator(1, 2, 3, 4, 5, b=6)) == "generator(1, 2, 3, 4, 5, b=6)"
    assert repr(Call(seen, 1, b=2)) == f"Call({seen!r}, 1, b=2)"
    match generator(1, b=2):
        case Call(function, args, kwargs):
            assert (inspect.unwrap(generator), args, kwargs) == (function, (1,), {"b": 2})


@pytest.mark.parametrize("make", [lambda kwargs: Call(seen, **kwargs), lambda kwargs: generator(**kwargs)])
def test_a_name_is_a_string(make):
    with pytest.raises(TypeError, match="string"):
        make({1: 2})
    with pytest.raises(TypeError, match="string"):
        make({"a": 1, 1: 2})


def test_wrong_arguments_are_the_functions_own_error_where_the_call_is_evaluated():
    @do
    def one(a):
        yield Pure(a)

    for call, told in [
        (one(), "missing 1 required positional argument"),
        (one(1, 2), "takes 1 positional argument but 2 were given"),
        (one(b=1), "unexpected keyword argument 'b'"),
        (one(1, a=2), "multiple values for argument 'a'"),
    ]:
        result = run(call)
        assert isinstance(result.error, TypeError)
        assert told in str(result.error)


@pytest.mark.parametrize("count", [1, 4, 5, 9])
@pytest.mark.parametrize("named", [False, True])
def test_a_call_holds_each_argument_once_and_lets_it_go(count, named):
    values = [Plain() for _ in range(count)]
    before = [sys.getrefcount(value) for value in values]
    call = generator(**{f"n{at}": value for at, value in enumerate(values)}) if named else generator(*values)
    assert [sys.getrefcount(value) for value in values] == [count + 1 for count in before]
    run(call)
    assert [sys.getrefcount(value) for value in values] == [count + 1 for count in before]
    del call
    assert [sys.getrefcount(value) for value in values] == before


@pytest.mark.parametrize("count", [1, 4, 5])
@pytest.mark.parametrize("named", [False, True])
def test_a_call_that_leads_to_itself_is_collected(count, named):
    box = Plain()
    others = [0] * (count - 1)
    box.call = generator(*others, last=box) if named else generator(*others, box)
    dead = weakref.ref(box)
    del box
    gc.collect()
    assert dead() is None


def test_an_interpreter_that_passes_no_array_calls_all_the_same():
    assert run(defaultdict(generator)[1]).value == ((), {})
    assert run(next(iter(generator, None))).value == ((), {})
    with pytest.raises(TypeError, match="key"):
        defaultdict(Get)[1]


def test_the_names_of_a_call_go_with_it():
    def call():
        return generator(name=1)

    names = call.__code__.co_consts[-1]
    assert names == ("name",)
    before = sys.getrefcount(names)
    for _ in range(1000):
        call()
    assert sys.getrefcount(names) == before


@pytest.mark.parametrize("make", [generator, lambda **kwargs: Call(seen, **kwargs)], ids=["do", "Call"])
def test_a_name_that_leads_to_its_call_is_collected(make):
    class Name(str):
        __slots__ = ("__weakref__", "call")

    name = Name("name")
    name.call = make(**{name: 1})
    dead = weakref.ref(name)
    del name
    gc.collect()
    assert dead() is None


DEEP = """
from segue import do


@do
def holds(*args):
    yield


def work():
    call = None
    for _ in range(300_000):
        call = holds(*[None] * {place}, call)


on_small_stack(work)
"""


@pytest.mark.parametrize("place", [0, 3, 4])
def test_a_deep_chain_of_calls_drops_where_the_stack_is_small(place):
    run_child(ON_SMALL_STACK + DEEP.format(place=place)).ok()
