"""Faults of confinement (C-rows): nested runs, bounds, and effects that pretend to be others."""

import gc

import pytest

from running_vocabulary import forever
from segue import (
    Delegate,
    Effect,
    GetHandlers,
    LimitExceeded,
    Limits,
    Pass,
    Pure,
    PyVM,
    Resume,
    Seal,
    Tell,
    Try,
    UnhandledEffectError,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    run,
)
from vocabulary import Ping, ask, echo, pong

# C02: nested runs.


@pytest.mark.parametrize("nested", [run, lambda program: PyVM().run(program)], ids=["run", "PyVM"])
def test_c02_run_behind_a_wall_has_no_handlers_but_its_own(nested):
    @do
    def program():
        inner = nested(Ping(1))
        return inner.is_err(), (yield Ping(2))

    assert run(Seal([Ping], program()), handlers=[echo]).value == (True, 2)


def test_c02_run_inside_a_run_has_what_is_passed_to_it():
    @do
    def program():
        visible = yield GetHandlers()
        return run(ask(3), handlers=list(reversed(visible))).value

    assert run(program(), handlers=[pong, echo]).value == 3
    assert isinstance(run(Seal([Ping], program()), handlers=[pong, echo]).error, UnhandledEffectError)


# C03, C04: bounds.


@pytest.mark.parametrize("grace", [0, 1, 7])
def test_c03_clean_up_past_a_bound_has_exactly_its_grace(grace):
    performed = []

    @answers(Tell)
    def counts(e):
        performed.append(e)

    @do
    def program():
        try:
            yield forever()
        finally:
            while True:
                yield Tell("clean-up")

    result = run(program(), handlers=[echo, counts], limits=Limits(steps=100, grace=2 * grace))
    assert (type(result.error), result.error.limit) == (LimitExceeded, "steps")
    assert len(performed) == grace


def test_c03_every_finally_runs_past_a_bound():
    log = []

    @do
    def nested(n):
        try:
            yield nested(n - 1) if n else forever()
        finally:
            log.append(n)

    assert isinstance(run(nested(5), handlers=[echo], limits=Limits(steps=50)).error, LimitExceeded)
    assert log == [0, 1, 2, 3, 4, 5]


@do
def deeper():
    yield deeper()


@do
def wider():
    yield WithHandler(echo, wider())


@pytest.mark.parametrize(
    ("limit", "value", "program"),
    [("steps", 50, forever()), ("depth", 50, deeper()), ("segments", 50, wider()), ("seconds", 0.02, forever())],
)
def test_c04_the_error_names_the_bound_and_its_value(limit, value, program):
    result = run(program, handlers=[echo], limits=Limits(**{limit: value}))
    assert (result.error.limit, result.error.value) == (limit, value)
    assert f"{limit}={value}" in str(result.error)
    assert run(ask(1), handlers=[echo]).value == 1


# C05: spoofed classes. The real class counts, whatever a class or an instance says of itself.


class Granted(Effect[str]):
    pass


class Denied(Effect[str]):
    pass


class Derived(Granted):
    pass


class Liar(Effect[str]):
    @property
    def __class__(self):
        return Granted


class SameMeta(type(Effect)):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(Granted)

    def __instancecheck__(cls, instance):
        return True

    def __subclasscheck__(cls, subclass):
        return True


class Same(Effect[str], metaclass=SameMeta):
    pass


class Namesake(Effect[str]):
    __qualname__ = Granted.__qualname__


def turned(effect, into):
    """The effect with another class, by the one way that a frozen object leaves."""
    object.__dict__["__class__"].__set__(effect, into)
    return effect


def granted_only(program, *handlers):
    """Behind a wall that lets `Granted` pass; everything outside answers."""
    reached = []

    def everything(e, k):
        reached.append(type(e))
        return Resume(k, "answered")

    return reached, run(Seal([Granted], program), handlers=[everything, *handlers])


@pytest.mark.parametrize(
    "effect",
    [Denied(), Derived(), Liar(), Same(), Namesake(), turned(Granted(), Denied)],
    ids=lambda e: type(e).__name__,
)
def test_c05_only_effects_of_exactly_the_class_pass(effect):
    reached, result = granted_only(effect)
    assert reached == []
    assert isinstance(result.error, UnhandledEffectError)


def test_c05_class_that_equals_others_lets_only_itself_pass():
    reached = []

    def everything(e, k):
        reached.append(type(e))
        return Resume(k, None)

    for effect in (Granted(), Denied(), Same()):
        run(Seal([Same], effect), handlers=[everything])
    assert [kind is Same for kind in reached] == [True]


def test_c05_class_that_changes_after_the_effect_was_made_is_looked_at_when_it_is_performed():
    def turns(e):
        return turned(e, Denied)

    @answers(Granted)
    def turns_and_delegates(e):
        turned(e, Denied)
        return (yield Delegate())

    @handles(Granted)
    def turns_and_passes(e, k):
        turned(e, Denied)
        return Pass()

    @do
    def performs_twice():
        effect = Granted()
        yield effect
        yield turned(effect, Denied)

    for program, passed in (
        (WithIntercept(turns, Pure(None).flat_map(lambda _: Granted())), []),
        (turns_and_delegates(Pure(None).flat_map(lambda _: Granted())), []),
        (turns_and_passes(Pure(None).flat_map(lambda _: Granted())), []),
        (performs_twice(), [Granted]),
    ):
        reached, result = granted_only(program)
        assert reached == passed
        assert isinstance(result.error, UnhandledEffectError)


def test_c05_class_that_takes_the_place_of_a_dead_one_is_not_taken_for_it():
    """Look-ups are remembered by class: a class made later in the same place of memory is another one."""

    @do
    def program():
        for _ in range(3):
            kind = type(Effect)("Brief", (Effect,), {})
            inside = yield answers(kind)(lambda e: "inside")(kind())
            assert inside == "inside"
            del kind
            gc.collect()
            other = type(Effect)("Brief", (Effect,), {})
            refused = yield Try(other())
            assert isinstance(refused.error, UnhandledEffectError)
            del other, refused
        return "done"

    reached, result = granted_only(program())
    assert (reached, result.value) == ([], "done")


def test_c05_list_of_allowed_classes_is_fixed_when_the_wall_is_built():
    allowed = [Granted]
    wall = Seal(allowed, Denied())
    allowed.append(Denied)
    assert isinstance(run(wall, handlers=[lambda e, k: "reached"]).error, UnhandledEffectError)
