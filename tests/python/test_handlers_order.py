"""Semantics 2: which handler answers: order, acceptance, self-exclusion, nested runs (H-rows of the faults)."""

import subprocess
import sys
import textwrap

import pytest

from segue import (
    Delegate,
    Discontinued,
    Effect,
    GetHandlers,
    Handler,
    Pass,
    Pure,
    PyVM,
    Resume,
    UnhandledEffectError,
    VMStateError,
    WithHandler,
    answers,
    do,
    handles,
    reader,
    run,
    state,
    writer,
)
from vocabulary import Ping, Pong, Tally, ask, echo, twice


def wraps(name):
    """A handler that puts its name around the outer answer."""

    @answers(Ping)
    def clause(e):
        return f"{name}({(yield Delegate())})"

    return clause


@answers(Ping)
def innermost_answer(e):
    return "x"


# Order and nesting.


def test_handlers_list_is_nested_withhandler_with_the_last_innermost():
    """Semantics 2: run(p, handlers=[h0, h1, h2]) is WithHandler(h0, WithHandler(h1, WithHandler(h2, p)))."""
    h0, h1, h2 = innermost_answer, wraps("a"), wraps("b")
    nested = WithHandler(h0, WithHandler(h1, WithHandler(h2, ask())))
    assert run(ask(), handlers=[h0, h1, h2]).value == "b(a(x))"
    assert run(nested).value == "b(a(x))"


@pytest.mark.parametrize(
    "compose",
    [
        lambda a, b, c: [a, b, c],
        lambda a, b, c: (a, b, c),
        lambda a, b, c: a | b | c,
        lambda a, b, c: a | (b | c),
    ],
)
def test_every_form_of_composition_has_the_same_order(compose):
    handlers = compose(innermost_answer, wraps("a"), wraps("b"))
    assert run(ask(), handlers=handlers).value == "b(a(x))"


def test_composition_called_on_a_program_is_nested_withhandler():
    stack = innermost_answer | wraps("a") | wraps("b")
    assert len(stack) == 3
    assert run(stack(ask())).value == "b(a(x))"
    assert run(innermost_answer(wraps("a")(ask()))).value == "a(x)"


def test_one_handler_alone_is_accepted():
    assert run(ask(3), handlers=echo).value == 3


def test_composition_takes_built_in_and_class_handlers():
    stack = state | writer | reader({"who": "me"}) | Tally()
    assert len(stack) == 4
    assert run(stack(ask(3))).value == ([3], 3)


def test_nearest_handler_wins():
    @answers(Ping)
    def inner(e):
        return "inner"

    @do
    def program():
        return (yield WithHandler(inner, ask())), (yield ask(5))

    assert run(program(), handlers=[echo]).value == ("inner", 5)


def test_handler_that_does_not_accept_is_passed_over():
    @answers(Pong)
    def other(e):
        return "pong"

    assert run(ask(5), handlers=[echo, other, other]).value == 5


def test_the_same_handler_twice_is_two_installations():
    """Semantics 2: the same handler twice."""
    around = wraps("a")
    assert run(ask(), handlers=[innermost_answer, around, around]).value == "a(a(x))"


def test_handlers_are_deep():
    """Semantics 2: after Resume the same handler is again around the rest of the body."""

    def clause(e, k):
        return ("handled", (yield Resume(k, e.n)))

    assert run(twice(), handlers=[clause]).value == ("handled", ("handled", (1, 2)))


# Acceptance.


def test_subclasses_of_the_effect_are_accepted():
    class Louder(Ping):
        pass

    assert run(Louder(3), handlers=[echo]).value == 3


def test_superclass_is_not_accepted():
    class Louder(Ping):
        pass

    @answers(Louder)
    def only_louder(e):
        return "louder"

    assert run(ask(3), handlers=[echo, only_louder]).value == 3


def test_subclass_hooks_are_not_asked():
    """Semantics 2: acceptance by real class and MRO; no user code runs to decide it."""
    calls = []

    class Meta(type(Ping)):
        def __subclasscheck__(cls, other):
            calls.append("subclass")
            return True

        def __instancecheck__(cls, other):
            calls.append("instance")
            return True

    class Greedy(Effect[int], metaclass=Meta):
        pass

    @answers(Greedy)
    def greedy(e):
        return "greedy"

    calls.clear()
    assert run(ask(3), handlers=[echo, greedy]).value == 3
    assert calls == []


def test_h09_dispatch_is_by_the_real_type():
    class Liar(Effect[int]):
        @property
        def __class__(self):
            return Ping

    class Rude(Pong):
        def __getattribute__(self, name):
            raise RuntimeError(name)

    @answers(Pong)
    def pong(e):
        return "pong"

    @answers(Liar)
    def liar(e):
        return "liar"

    assert run(WithHandler(liar, WithHandler(echo, Liar()))).value == "liar"
    assert run(Rude(), handlers=[pong, echo]).value == "pong"


def test_the_most_derived_clause_of_a_class_handler_answers():
    class Louder(Ping):
        pass

    class Both(Handler):
        @answers(Ping)
        def ping(self, e):
            return "ping"

        @answers(Louder)
        def louder(self, e):
            return "louder"

    assert run(Louder(), handlers=[Both()]).value == "louder"
    assert run(Ping(), handlers=[Both()]).value == "ping"


def test_one_clause_may_accept_several_effects():
    @answers(Ping, Pong)
    def either(e):
        return type(e).__name__

    assert run(Ping(), handlers=either).value == "Ping"
    assert run(Pong(), handlers=either).value == "Pong"


# Self-exclusion.


def test_h12_what_a_clause_performs_goes_to_the_outer_handler():
    @answers(Ping)
    def inner(e):
        return (yield Ping(e.n + 1)) * 100

    assert run(ask(1), handlers=[echo, inner]).value == 200


def test_h12_with_no_outer_handler_it_is_unhandled_and_no_endless_loop():
    @answers(Ping)
    def alone(e):
        return (yield Ping(e.n))

    assert isinstance(run(ask(1), handlers=[alone]).error, UnhandledEffectError)


def test_a_clause_does_not_see_the_handlers_inside_its_prompt():
    @handles(Ping)
    def outer(e, k):
        text = yield Pong()
        return Resume(k, text)

    @answers(Pong)
    def far(e):
        return "far"

    @answers(Pong)
    def near(e):
        return "near"

    assert run(ask(), handlers=[far, outer, near]).value == "far"


# Nested runs.


def test_h14_nested_run_in_a_clause_does_not_see_outer_handlers():
    @answers(Pong)
    def clause(e):
        return run(ask(1)), run(ask(1), handlers=[echo])

    bare, served = run(Pong(), handlers=[echo, clause]).value
    assert isinstance(bare.error, UnhandledEffectError)
    assert served.value == 1


def test_h15_nested_run_too_deep_is_a_recursion_error():
    program = """
        from segue import do, run

        @do
        def nest(n):
            return 0 if n == 0 else run(nest(n - 1)).value

        assert isinstance(run(nest(5000)).error, RecursionError)
        assert run(nest(3)).value == 0
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_h17_vm_re_entered_from_its_own_clause():
    vm = PyVM()

    @answers(Ping)
    def clause(e):
        for enter in (lambda: vm.run(Pure(1)), lambda: vm.start_program(Pure(1)), vm.step_once):
            with pytest.raises(VMStateError, match="already running"):
                enter()
        return "refused"

    assert vm.run(ask(), handlers=[clause]).value == "refused"
    assert vm.run(ask(2), handlers=[echo]).value == 2


# What a handler is.


def test_get_handlers_gives_the_objects_of_the_user():
    """Semantics 2: `is`-identical, innermost first."""

    def bare(e, k):
        return Pass()

    tally = Tally()
    given = [state, bare, echo, tally]

    @do
    def program():
        return (yield GetHandlers())

    _, visible = run(program(), handlers=given).value
    assert [a is b for a, b in zip(visible, reversed(given), strict=True)] == [True] * 4


def test_discontinued_of_a_clause_reaches_the_body_of_that_clause():
    """Semantics 3: a clause that is itself unwound hands Discontinued on to its performer."""
    log = []

    @handles(Pong)
    def ends(e, k):
        return "ended"

    @answers(Ping)
    def performs(e):
        try:
            yield Pong()
        except Discontinued:
            log.append("clause")
            raise

    @do
    def body():
        try:
            yield Ping()
        except Discontinued:
            log.append("body")
            raise

    assert run(body(), handlers=[ends, performs]).value == "ended"
    assert log == ["clause", "body"]
