"""What is done at each effect has slots of its own, which make and let go as any class does (semantics 2)."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import sys
import weakref

import pytest

from child import run_child
from segue import Ask, Await, Effect, Get, Put, Resume, Spawn
from segue._effect import EffectMeta


class Point(Effect[int]):
    x: object
    y: object = 2


class Five(Effect[int]):
    a: int
    b: int
    c: int
    d: int
    e: int = 5


class Nine(Five):
    f: int = 6
    g: int = 7
    h: int = 8
    i: int = 9


class Plain:
    pass


class WithDict(Plain, Point):
    pass


# ---- to make one ----


def test_fields_come_by_position_by_keyword_and_by_default():
    made = [Point(1, 2), Point(1), Point(1, y=2), Point(x=1), Point(y=2, x=1), Point(*[1]), Point(x=1)]
    assert [(effect.x, effect.y) for effect in made] == [(1, 2)] * len(made)
    assert (Five(1, 2, 3, 4).e, Five(1, 2, 3, 4, 6).e, Five(1, 2, d=4, c=3).e) == (5, 6, 5)
    assert Nine(1, 2, 3, 4, h=0) == Nine(1, 2, 3, 4, 5, 6, 7, 0, 9)


def test_keywords_have_any_order_and_defaults_fill_the_gaps():
    class Open(Effect[int]):
        path: str
        mode: str = "r"
        depth: int = 0
        strict: bool = False

    assert Open(depth=1, path="a") == Open("a", "r", 1, False)
    assert Open("a", strict=True) == Open("a", "r", 0, True)
    assert Open("a", strict=True, mode="w", depth=2) == Open("a", "w", 2, True)
    built = "-path"[1:]
    assert Open(**{built: "a"}) == Open("a")
    for arguments, keywords in [
        ((), {"mode": "w"}),
        (("a",), {"path": "b"}),
        (("a",), {"other": 1}),
        (("a", 1, 2, 3, 4), {}),
    ]:
        with pytest.raises(TypeError, match=r"Open\(\) (missing|got|takes)"):
            Open(*arguments, **keywords)


def test_a_class_without_fields_takes_none():
    class Nothing(Effect[int]):
        pass

    assert Nothing() == Nothing()
    with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
        Nothing(1)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((), {}, "missing 1 required positional argument: 'x'"),
        ((1, 2, 3), {}, "takes from 1 to 2 positional arguments but 3 were given"),
        ((1,), {"x": 1}, "multiple values for argument 'x'"),
        ((1,), {"z": 1}, "unexpected keyword argument 'z'"),
    ],
)
@pytest.mark.parametrize("effect", [Point, WithDict])
def test_wrong_arguments_are_told(effect, arguments, keywords, message):
    with pytest.raises(TypeError, match=message):
        effect(*arguments, **keywords)


def test_the_base_makes_nothing():
    with pytest.raises(TypeError, match="EffectBase is abstract"):
        Effect()


def test_a_constructor_of_the_class_is_called():
    calls = []

    class Made(Point):
        def __new__(cls, *fields):
            calls.append("new")
            return super().__new__(cls, *fields)

        def __init__(self, *fields):
            calls.append("init")

    assert Made(1, 3).y == 3
    assert calls == ["new", "init"]


def test_a_constructor_that_a_class_gets_later_is_called():
    class Late(Point):
        pass

    class Below(Late):
        pass

    calls = []
    assert Below(1).x == 1
    Late.__init__ = lambda self, *fields: calls.append(self.x)
    Late(2)
    Below(3)
    del Late.__init__
    Below(4)
    assert calls == [2, 3]


def test_a_metaclass_that_answers_calls_is_asked():
    class Counting(EffectMeta):
        def __call__(self, *fields):
            return super().__call__(*(field + 1 for field in fields))

    class Counted(Effect[int], metaclass=Counting):
        x: int

    assert Counted(1).x == 2


def test_a_class_made_around_the_metaclass_still_makes_effects():
    around = type.__new__(EffectMeta, "Around", (Point,), {"__slots__": ()})
    assert (around(1).x, around(1, 3).y) == (1, 3)


def test_calls_keep_no_reference():
    gc.collect()
    value = object()
    counted = [value, Point.__segue_rest__]
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        # Without a GIL each thread counts references to a class for itself.
        counted.append(Point)
    before = [sys.getrefcount(one) for one in counted]
    for _ in range(100):
        Point(value)
        Point(value, value)
        Point(y=value, x=value)
        with pytest.raises(TypeError):
            Point(value, value, value)
    assert [sys.getrefcount(one) for one in counted] == before


def test_effects_are_copied_and_pickled():
    effect = Point([1], "two")
    assert copy.copy(effect) == effect
    assert copy.deepcopy(effect) == effect
    assert pickle.loads(pickle.dumps(effect)) == effect  # noqa: S301 - its own bytes


# ---- to let one go ----


@pytest.mark.parametrize("effect", [Point, WithDict])
def test_what_an_effect_holds_goes_with_it(effect):
    held = Plain()
    gone = weakref.ref(held)
    made = [effect(held) for _ in range(40)]
    del held
    assert gone() is not None
    made.clear()
    assert gone() is None


@pytest.mark.parametrize("effect", [Point, WithDict])
def test_weak_references_are_told(effect):
    told = []
    made = effect(1)
    watched = weakref.ref(made, lambda _: told.append("gone"))
    assert watched() is made
    del made
    assert (watched(), told) == (None, ["gone"])


def test_memory_is_used_again_without_what_was_in_it():
    first = Point(1)
    watched = weakref.ref(first)
    del first
    again = [Point(n, n) for n in range(40)]
    assert watched() is None
    assert all(weakref.getweakrefcount(effect) == 0 for effect in again)
    assert [(effect.x, effect.y) for effect in again] == [(n, n) for n in range(40)]
    assert all(gc.is_tracked(effect) for effect in again)


def test_a_finaliser_of_the_class_runs():
    told = []

    class Final(Point):
        def __del__(self):
            told.append(self.x)

    Final(1)
    assert told == [1]


def test_a_finaliser_that_a_class_gets_later_runs():
    told = []

    class Late(Point):
        pass

    class Below(Late):
        pass

    Late(1)
    Late.__del__ = lambda self: told.append(self.x)
    for n in range(2, 5):
        Late(n)
        Below(n)
    assert told == [2, 2, 3, 3, 4, 4]


def test_memory_of_a_finalised_effect_is_new_to_the_next_class():
    class Once(Effect[int]):
        x: object

    told, kept = [], []

    class Final(Effect[int]):
        x: object

        def __del__(self):
            told.append(self.x)

    cycles = [[] for _ in range(5)]
    for cycle in cycles:
        cycle.append(Once(cycle))
    Once.__del__ = lambda self: kept.append(self)  # noqa: PLW0108 - a built-in method is not bound
    del cycle, cycles
    gc.collect()
    del Once.__del__
    assert len(kept) == 5
    for effect in kept:
        effect.x.clear()
    del effect
    kept.clear()
    for n in range(8):
        Final(n)
    assert told == list(range(8))


def test_fields_that_are_tampered_with_are_an_error():
    class Two(Effect[int]):
        x: int
        y: int = 2

    names = ["x", "y", *(f"more_{n}" for n in range(8))]
    Two.__segue_fields__ = tuple(sys.intern(name) for name in names)
    for name in names[2:]:
        with pytest.raises(TypeError, match=name):
            Two(x=1, **{name: 3})


def test_a_finaliser_may_keep_its_effect():
    kept = []

    class Keeps(Point):
        pass

    Keeps(1)
    Keeps.__del__ = lambda self: kept.append(self)  # noqa: PLW0108 - a built-in method is not bound
    Keeps(2)
    assert kept[0].x == 2


@pytest.mark.parametrize("effect", [Point, WithDict])
@pytest.mark.parametrize("width", [1, 2])
def test_deep_effects_are_let_go(effect, width):
    gone = Plain()
    watched = weakref.ref(gone)
    deep = effect(gone)
    del gone
    for _ in range(100_000):
        deep = effect(*[deep] * width)
    del deep
    assert watched() is None


def test_a_cycle_through_an_effect_is_collected():
    gc.collect()
    knot = []
    effect = Point(knot)
    knot.append(effect)
    watched = weakref.ref(effect)
    del knot, effect
    gc.collect()
    assert watched() is None


def test_a_class_of_effects_goes_when_nobody_needs_it():
    def short_lived():
        class Local(Effect[int]):
            x: int

        Local(1)
        return weakref.ref(Local)

    watched = short_lived()
    gc.collect()
    assert watched() is None


# ---- how effects stand in memory ----


class Sized(Effect[int]):
    size: int = 1


class Helps:
    def doubled(self):
        return self.x * 2


class Helped(Helps, Point):
    pass


def test_effects_of_two_bases_have_the_fields_of_both():
    class Box(Sized, Point):
        z: int = 3

    class Other(Helps, Sized, Point):
        pass

    assert set(Box.__match_args__) == {"x", "y", "size", "z"}
    made = Box(**{name: name.upper() for name in Box.__match_args__})
    assert [getattr(made, name) for name in Box.__match_args__] == [name.upper() for name in Box.__match_args__]
    assert Other(**dict.fromkeys(Other.__match_args__, 4)).doubled() == 8


def test_two_classes_with_a_dictionary_each_are_bases_of_one_where_the_interpreter_allows_it():
    class Named(Effect[int]):
        name: str

    class Other(Helps, Named):
        pass

    if sys.version_info < (3, 12):
        with pytest.raises(TypeError, match="lay-out conflict"):
            type("Both", (Helped, Other), {})
    else:
        both = type("Both", (Helped, Other), {})("n", 2)
        both.__dict__["more"] = 3
        assert (both.name, both.doubled(), both.more) == ("n", 4, 3)

    class One(Sized, Helped):
        pass

    assert (One(x=2, size=5).doubled(), One(2).size) == (4, 1)


def test_an_effect_with_a_dictionary_has_its_fields_beside_it():
    effect = Helped(1, "two")
    effect.__dict__["more"] = 3
    assert (effect.x, effect.y, effect.more, effect.doubled()) == (1, "two", 3, 2)
    copied = copy.copy(effect)
    assert (copied.x, copied.y) == (1, "two")


@pytest.mark.parametrize("effect", [Point, WithDict, Nine])
def test_an_effect_is_as_large_as_its_fields(effect):
    fields = len(effect.__match_args__)
    made = effect(*range(fields))
    assert made.__sizeof__() == effect.__basicsize__ + max(fields, 4) * effect.__itemsize__


def test_effects_of_many_lengths_share_no_memory():
    lengths = [type(f"Of{n}", (Effect,), {"__annotations__": {f"f{i}": int for i in range(n)}}) for n in range(12)]
    seed = 20261122
    numbers = random.Random(seed)  # noqa: S311 - no secret
    kept = []
    for _ in range(20_000):
        effect = numbers.choice(lengths)
        values = tuple(object() for _ in effect.__match_args__)
        kept.append((effect(*values), values))
        if len(kept) > 40:
            made, values = kept.pop(numbers.randrange(len(kept)))
            assert all(getattr(made, name) is value for name, value in zip(made.__match_args__, values, strict=True)), (
                seed
            )


def test_nobody_changes_a_class_of_the_library():
    for built_in in [Ask, Await, Get, Put, Resume, Spawn]:
        with pytest.raises(TypeError, match=f"immutable type '(segue._vm.)?{built_in.__name__}'"):
            built_in.__init__ = lambda self, *fields: None

    class Mine(Get):
        pass

    Mine.more = 1
    assert Mine("n").key == "n"


@pytest.mark.parametrize("base", [Effect, Helped])
def test_a_class_that_keeps_an_effect_of_its_own_goes_with_it(base):
    def short_lived():
        class Local(base):
            n: int = 1

        Local.first = Local(*[0] * (len(Local.__match_args__)))
        return weakref.ref(Local)

    watched = short_lived()
    gc.collect()
    assert watched() is None


AT_THE_END = """
import gc
import sys

import segue
from segue import Delegate, Effect, Get, Pass, Pure, Resume, Spawn, do


class Fetch(Effect[int]):
    url: object
    retries: int = 0


@do
def child(v=None, w=1):
    yield Get("a")


def wrong(call, *given):
    try:
        call(*given)
    except TypeError as error:
        return str(error).partition(":")[0]


class Last:
    def __init__(self):
        self.knot = self

    def __del__(self, *, wrong=wrong, child=child, Fetch=Fetch, vocabulary=(Delegate, Pass, Pure, Resume, Spawn)):
        Delegate, Pass, Pure, Resume, Spawn = vocabulary
        told = [Fetch(1).url, Fetch(Fetch(Pure(child(1)))).retries, Fetch(url=[Fetch(2)]).url[0].url]
        told += [wrong(Fetch, 1, 2, 3), wrong(Resume, 1, 2), wrong(Pass, 3)]
        Spawn(child(Fetch(1), w=2), name="x")
        Delegate()
        for wrap in (Fetch, child, lambda deep: child(v=deep), lambda deep: Fetch(Pure(deep))):
            deep = None
            for _ in range(10_000):
                deep = wrap(deep)
        del deep
        sys.stdout.write(f"{told}\\n")
        sys.stdout.flush()


sys.modules["last"] = Last()
segue.held = Fetch(Fetch([Fetch(child(1))]))
gc.disable()
"""


def test_effects_and_programs_are_made_and_let_go_while_the_interpreter_ends():
    message = "Fetch() takes from 1 to 2 positional arguments but 3 were given"
    assert run_child(AT_THE_END).ok().startswith(f"[1, 0, 2, {message!r}, 'Resume', ")


def test_what_is_done_to_the_base_reaches_no_effect_of_the_library(monkeypatch):
    class Own(Effect[int]):
        key: str

    made = []
    monkeypatch.setattr(Effect, "__init__", lambda self, *_args, **_kwargs: made.append(type(self)), raising=False)
    assert Get("n") == Get(key="n")
    assert made == []
    Own("n"), Own(key="n")
    assert made == [Own, Own]
