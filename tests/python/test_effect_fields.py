"""How fields of effects are read, also where classes and effects are changed in ways that the interpreter allows."""

from __future__ import annotations

from inspect import getattr_static
from types import MemberDescriptorType

import pytest

from segue import Effect
from segue._effect import EffectMeta


class Point(Effect[int]):
    x: int
    y: int = 2


Wide = EffectMeta("Wide", (Effect,), {"__annotations__": {f"f{i}": int for i in range(9)}})
"""Nine fields without defaults."""


class Plain:
    pass


class WithDict(Plain, Point):
    pass


@pytest.mark.parametrize(("effect", "name"), [(Point(7), "x"), (Wide(*range(9)), "f8")])
def test_a_field_is_read_of_effects_only(effect, name):
    field = type(effect).__dict__[name]
    assert field.__get__(effect, type(effect)) == getattr(effect, name)
    assert field.__get__(None, type(effect)) is field
    with pytest.raises(TypeError, match=r"is no effect|doesn't apply to"):
        field.__get__(7, int)


def test_a_field_with_a_default_is_read_of_effects_only():
    field = Point.__dict__["y"]
    assert (Point(7).y, Point(7, 8).y, Point.y) == (2, 8, 2)
    with pytest.raises(TypeError, match="is no effect"):
        field.__get__(7, int)


def test_the_first_fields_are_read_as_slots_are():
    fields = vars(Wide)
    assert [isinstance(fields[f"f{i}"], MemberDescriptorType) for i in range(9)] == [True] * 4 + [False] * 5
    assert isinstance(vars(Point)["x"], MemberDescriptorType)
    assert vars(Point)["x"].__objclass__ is Point


@pytest.mark.parametrize("length", [0, 1, 3, 4])
def test_an_effect_that_becomes_one_of_another_class_reads_only_its_own_memory(length):
    """The interpreter lets the class of an effect be changed by one of the same layout."""
    few = EffectMeta("Few", (Effect,), {"__annotations__": {f"f{i}": int for i in range(length)}})
    for _ in range(40):
        full = Wide(*(object() for _ in range(9)))
        del full
        made = few(*range(length))
        object.__dict__["__class__"].__set__(made, Wide)
        assert [getattr(made, f"f{i}") for i in range(length)] == list(range(length))
        for beyond in range(length, 4):
            with pytest.raises(AttributeError):
                getattr(made, f"f{beyond}")
        for beyond in range(4, 9):
            with pytest.raises(IndexError):
                getattr(made, f"f{beyond}")


def test_a_dictionary_hides_no_field_of_an_effect():
    class Beside(Plain, Effect[int]):
        required: int
        optional: int = 2

    class Far(Plain, Wide):
        pass

    beside, far = Beside(1), Far(*range(9))
    beside.__dict__.update(required=-1, optional=-1)
    far.__dict__.update(f0=-1, f8=-1)
    assert (beside.required, beside.optional, far.f0, far.f8) == (1, 2, 0, 8)
    for effect, name in [(beside, "required"), (beside, "optional"), (far, "f8")]:
        field = getattr_static(type(effect), name)
        with pytest.raises(AttributeError):
            field.__set__(effect, 3)
        with pytest.raises(AttributeError):
            field.__delete__(effect)
    assert (beside, Beside.optional) == (Beside(1, 2), 2)


def test_an_effect_with_a_dictionary_that_becomes_another_reads_only_its_own_memory():
    class Base(Plain, Effect[int]):
        pass

    narrow_class, broad = (
        EffectMeta("Of", (Base,), {"__annotations__": {f"f{i}": int for i in range(n)}}) for n in (1, 5)
    )
    for _ in range(40):
        narrow = narrow_class(1)
        narrow.__dict__["more"] = 2
        object.__dict__["__class__"].__set__(narrow, broad)
        assert narrow.f0 == 1
        # Nothing, or the dictionary, which 3.11 has behind the fields.
        assert {type(getattr(narrow, f"f{beyond}", None)) for beyond in (1, 2, 3)} <= {type(None), dict}


def test_a_field_that_is_declared_again_is_read_where_it_stands():
    class Required(Effect[int]):
        first: int
        again: int

    class Optional(Required):
        again: int = 2

    class Last(Optional):
        more: int = 3

    def reads(effect):
        return [(effect.first, effect.again) for _ in range(100)][-1]

    for _ in range(3):
        assert reads(Required(1, 7)) == (1, 7)
        assert reads(Optional(1)) == (1, 2)
        assert reads(Last(1, 8, 9)) == (1, 8)
    assert Optional.again == 2


def test_a_class_that_gets_another_base_reads_only_its_own_memory():
    class One(Effect[int]):
        first: int

    class Child(One):
        pass

    child = Child(1)
    Child.__bases__ = (One, Wide)
    assert (child.first, Wide.f0.__get__(child)) == (1, 1)
    for beyond in range(1, 4):
        with pytest.raises(AttributeError):
            getattr(child, f"f{beyond}")


def test_a_field_that_an_effect_does_not_have_is_an_error():
    class One(Effect[int]):
        only: int

    with pytest.raises(IndexError):
        Point.__dict__["y"].__get__(One(1), One)


def test_fields_of_a_class_with_more_in_it_are_read():
    effect = WithDict(3)
    effect.__dict__["more"] = 4
    assert (effect.x, effect.y, effect.more) == (3, 2, 4)
