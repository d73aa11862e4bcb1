"""The values that the library gives: equal, hashed, pickled, copied and shown as values are."""

import copy
import pickle
from types import MemberDescriptorType

import pytest

from segue import (
    Call,
    DoExpr,
    Effect,
    Err,
    Limits,
    Ok,
    Pure,
    ResumeThrow,
    Seal,
    UnhandledEffectError,
    Usage,
    handles,
    lazy,
    run,
)
from segue._vm import EffectField
from vocabulary import Ping, ask


def pickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - its own


def usage():
    return run(ask(), handlers=[lambda e, k: k.resume(1)]).usage


@pytest.mark.parametrize(
    ("value", "same", "other"),
    [
        (Ok(1), Ok(1), Ok(2)),
        (Ok(1), Ok(True), Err(ValueError(1))),
        (Limits(steps=1, seconds=0.5), Limits(steps=1, seconds=0.5), Limits(steps=1)),
        (Limits(), Limits(grace=Limits().grace), Limits(tasks=1)),
    ],
)
def test_equal_values_have_equal_hashes(value, same, other):
    assert value == same
    assert hash(value) == hash(same)
    assert {value: "found"}[same] == "found"
    assert value != other
    assert value != 1


def test_ok_and_err_of_the_same_thing_are_told_apart():
    error = ValueError(1)
    assert hash(Err(error)) == hash(Err(error))
    assert len({Ok(error), Err(error)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ok([]))


def test_effects_have_no_order():
    with pytest.raises(TypeError, match="not supported between instances of 'Ping' and 'Ping'"):
        _ = Ping(1) < Ping(2)


def test_err_holds_an_exception_only():
    with pytest.raises(TypeError, match="error must be an exception, got 3 \\(of type int\\)"):
        Err(3)


@pytest.mark.parametrize("value", [Ok([1]), Limits(steps=3, seconds=0.25, grace=7), Ping(4), usage()])
def test_values_are_pickled_and_copied(value):
    for made in pickled(value), copy.copy(value), copy.deepcopy(value):
        assert made == value
        assert type(made) is type(value)


def test_limits_show_what_was_given():
    assert repr(Limits(steps=3, seconds=0.25)) == "Limits(steps=3, seconds=0.25)"


def test_usage_is_made_of_all_its_fields():
    used = usage()
    assert used._replace(steps=0).steps == 0
    assert used._replace(steps=used.steps) == used
    with pytest.raises(TypeError, match=r"Usage takes steps, depth"):
        Usage(1)


def test_nodes_show_their_parts():
    assert repr(lazy(Pure(1))) == "lazy(Pure(1))"
    node = Call(max, 1, key=abs)
    assert node.kwargs == {"key": abs}
    assert Call(max, 1).kwargs == {}
    assert repr(node) == f"Call({max!r}, 1, key={abs!r})"


def test_programs_have_no_constructor_of_their_own():
    with pytest.raises(TypeError, match="DoExpr is abstract"):
        DoExpr()


def test_field_of_a_class_of_effects_is_its_default_or_what_reads_it():
    class Five(Effect[int]):
        first: int
        second: int
        third: int
        fourth: int
        fifth: int
        sixth: int = 6

    assert Five.sixth == 6
    assert isinstance(Five.fifth, EffectField)
    assert Five.fifth.index == 4
    assert isinstance(Five.first, MemberDescriptorType)
    assert Five.first.__name__ == "first"
    assert Five.first.__get__(Five(1, 2, 3, 4, 5)) == 1


def test_exception_class_that_makes_none_is_refused_as_an_error():
    class MakesError(ValueError):
        def __new__(cls):
            return 3

    @handles(Ping)
    def clause(e, k):
        with pytest.raises(TypeError, match="an exception class that makes exceptions"):
            ResumeThrow(k, MakesError)
        return "refused"

    assert run(ask(), handlers=[clause]).value == "refused"


def test_wall_takes_classes_of_effects_and_not_one_class():
    with pytest.raises(TypeError, match=r"as in \[Ping\]"):
        Seal(Ping, Pure(1))


def test_many_handlers_in_scope_are_counted_and_not_all_shown():
    def other(e, k):
        return None

    others = [handles(type(f"Other{n}", (Effect,), {}))(other) for n in range(100)]
    error = run(ask(), handlers=others).error
    assert isinstance(error, UnhandledEffectError)
    assert "… (100 in all)" in str(error)
