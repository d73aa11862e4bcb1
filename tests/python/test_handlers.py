"""Semantics 2: handlers, their clauses, order and life cycle (H-rows of the faults)."""

import functools
import inspect
import subprocess
import sys
import textwrap

import pytest

from segue import (
    Delegate,
    Discontinued,
    Effect,
    Get,
    GetHandlers,
    Handler,
    Inherit,
    K,
    Pass,
    Pure,
    Put,
    PyVM,
    Resume,
    TaskEndedError,
    Tell,
    Try,
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


class Ping(Effect[int]):
    n: int = 0


class Pong(Effect[str]):
    text: str = ""


class Fork(Effect[object]):
    program: object


@do
def ask(n=0):
    return (yield Ping(n))


@do
def twice():
    return (yield Ping(1)), (yield Ping(2))


@answers(Ping)
def echo(e):
    return e.n


@handles(Ping)
def stop(e, k):
    return "stopped"


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


# Value clauses.


def test_value_clause_answers_with_its_return_value():
    assert run(ask(7), handlers=[echo]).value == 7


def test_value_clause_as_a_generator_runs_outside_its_prompt():
    @answers(Ping)
    def clause(e):
        yield Tell(e.n)
        return e.n + 1

    r = run(twice(), handlers=[writer, clause])
    assert (r.value, list(r.log)) == ((2, 3), [1, 2])


class Callable:
    def __call__(self, e):
        return e.n

    def method(self, e):
        return (yield Pure(e.n))


class GeneratorCallable:
    def __call__(self, e):
        return (yield Pure(e.n))


def generator_clause(e, unused=None):
    return (yield Pure(e.n))


@pytest.mark.parametrize(
    "clause",
    [
        lambda e: e.n,
        generator_clause,
        do(generator_clause),
        functools.partial(generator_clause, unused=1),
        functools.partial(functools.partial(generator_clause), unused=1),
        Callable(),
        Callable().method,
        GeneratorCallable(),
    ],
)
def test_value_clause_may_be_any_callable(clause):
    """Semantics 2: the generator flag is read through partials, methods and `__call__`."""
    assert run(ask(7), handlers=[answers(Ping)(clause)]).value == 7


def test_value_clause_that_fails_is_an_error_at_the_perform():
    error = ValueError("no")

    @answers(Ping)
    def fails(e):
        raise error

    r = run(Try(ask()), handlers=[fails])
    assert r.value.error is error


def test_value_clause_generator_that_fails_is_an_error_at_the_perform():
    @answers(Ping)
    def fails(e):
        yield Pure(None)
        raise ValueError("no")

    @do
    def program():
        try:
            yield Ping()
        except ValueError:
            return (yield Pong())

    @answers(Pong)
    def pong(e):
        return "alive"

    assert run(program(), handlers=[pong, fails]).value == "alive"


def test_h18_program_returned_by_a_value_clause_is_a_plain_value():
    inner = Pure(3)

    @answers(Ping)
    def clause(e):
        return inner

    assert run(ask(), handlers=[clause]).value is inner


def test_value_clause_may_return_delegate_or_pass():
    """Semantics 2: a clause of any form that returns Pass() or Delegate() has it evaluated in its place."""
    for node in (Delegate(), Pass()):

        @answers(Ping)
        def hands_on(e, node=node):
            return node

        assert run(twice(), handlers=[echo, hands_on]).value == (1, 2)


def test_value_clause_generator_may_yield_delegate_or_pass():
    @answers(Ping)
    def delegates(e):
        return (yield Delegate()) + 10

    @answers(Ping)
    def passes(e):
        yield Pass()
        pytest.fail("a clause does not go on after Pass")

    assert run(twice(), handlers=[echo, delegates, passes]).value == (11, 12)


# Control clauses.


@pytest.mark.parametrize("wrap", [handles(Ping), lambda f: f])
def test_h04_plain_return_value_of_a_control_clause_ends_the_block(wrap):
    @wrap
    def clause(e, k):
        return ("ended", e.n)

    @do
    def body():
        yield Ping(4)
        pytest.fail("the body has ended")

    assert run(body(), handlers=[clause]).value == ("ended", 4)


def test_h04_nothing_is_guessed_from_the_signature():
    @answers(Ping)
    def optional(e, k="not given"):
        return k

    @handles(Ping)
    def star(*args):
        return Resume(args[1], len(args))

    assert run(ask(), handlers=[optional]).value == "not given"
    assert run(ask(), handlers=[star]).value == 2


def test_ended_block_is_the_value_of_its_withhandler_only():
    @do
    def program():
        inner = yield WithHandler(stop, ask(1))
        return inner, (yield Ping(2))

    assert run(program(), handlers=[echo]).value == ("stopped", 2)


def test_bare_callable_is_a_control_clause_for_every_effect():
    seen = []

    class Everything:
        def __call__(self, e, k):
            seen.append(type(e))
            return Resume(k, None)

    @do
    def program():
        yield Ping()
        yield Pong()
        yield Tell("x")

    for handler in (Everything(), functools.partial(lambda tag, e, k: Resume(k, None), "tag")):
        assert run(program(), handlers=[handler]).is_ok()
    assert seen == [Ping, Pong, Tell]


def test_h18_own_k_or_a_program_returned_by_a_control_clause_is_a_plain_value():
    inner = Pure(3)

    @handles(Ping)
    def gives_k(e, k):
        return k

    @handles(Ping)
    def gives_program(e, k):
        return inner

    given = run(ask(), handlers=[gives_k]).value
    assert type(given) is K
    assert given.used
    assert run(ask(), handlers=[gives_program]).value is inner


def test_h18_node_for_a_foreign_k_is_a_plain_value():
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @handles(Ping)
    def gives_foreign(e, k):
        return Resume(kept[0], 1)

    @do
    def program():
        yield WithHandler(keeps, ask())
        node = yield WithHandler(gives_foreign, ask())
        assert not kept[0].used
        return (yield node)

    assert run(program()).value == 1


def test_h01_clause_that_raises_with_k_unused_raises_at_the_perform():
    log = []
    error = ValueError("no")

    @handles(Ping)
    def fails(e, k):
        raise error

    @do
    def body():
        try:
            yield Ping()
        except ValueError as e:
            log.append(e)
            raise
        finally:
            log.append("finally")

    assert run(body(), handlers=[fails]).error is error
    assert log == [error, "finally"]


def test_h01_generator_clause_that_raises_with_k_unused_raises_at_the_perform():
    @handles(Ping)
    def fails(e, k):
        yield Tell("before")
        raise ValueError("no")

    @do
    def body():
        try:
            yield Ping()
        except ValueError:
            return "caught"

    assert run(body(), handlers=[writer, fails]).value == "caught"


def test_h01_clause_that_raises_with_k_kept_raises_outward():
    log = []

    @handles(Ping)
    def fails(e, k):
        k.keep()
        raise ValueError("no")

    @do
    def body():
        try:
            yield Ping()
        except ValueError:
            log.append("not here")
        finally:
            log.append("finally")

    @do
    def program():
        try:
            yield WithHandler(fails, body())
        except ValueError:
            return "outside"

    assert run(program()).value == "outside"
    assert log == ["finally"]


def test_h02_clause_that_raises_after_resume_raises_outward():
    log = []

    @handles(Ping)
    def fails(e, k):
        log.append((yield Resume(k, 1)))
        raise ValueError("late")

    @do
    def program():
        try:
            yield WithHandler(fails, ask())
        except ValueError as e:
            return str(e)

    assert run(program()).value == "late"
    assert log == [1]


@pytest.mark.parametrize("wrong", [1, None, "text", object()])
def test_h03_wrong_yield_in_a_clause_is_an_error_at_that_line(wrong):
    @handles(Ping)
    def clause(e, k):
        try:
            yield wrong
        except TypeError as error:
            return Resume(k, type(error))

    assert run(ask(), handlers=[clause]).value is TypeError


def test_h11_stop_iteration_in_a_clause_becomes_runtime_error_at_the_perform():
    stop_iteration = StopIteration("x")

    def plain(e, k=None):
        raise stop_iteration

    def generator(e, k=None):
        yield Pure(None)
        raise stop_iteration

    @do
    def body():
        try:
            yield Ping()
        except RuntimeError as e:
            return e.__cause__

    for handler in (
        answers(Ping)(plain),
        handles(Ping)(plain),
        answers(Ping)(generator),
        handles(Ping)(generator),
    ):
        assert run(body(), handlers=[handler]).value is stop_iteration


# Wrong handlers.


@pytest.mark.parametrize("wrong", [3, None, "text", Pure(1)])
def test_h06_handler_that_is_no_handler_is_a_type_error_at_installation(wrong):
    with pytest.raises(TypeError):
        WithHandler(wrong, Pure(1))
    with pytest.raises(TypeError):
        run(Pure(1), handlers=[wrong])


def test_h06_wrong_marks():
    for build in (
        lambda: answers(3),
        lambda: answers(Ping)(3),
        lambda: handles("x"),
        lambda: handles(Ping)(None),
    ):
        with pytest.raises(TypeError):
            build()


async def async_clause(e, k=None):
    return 1


async def async_generator_clause(e, k=None):
    yield 1


class AsyncCallable:
    async def __call__(self, e, k=None):
        return 1


@pytest.mark.parametrize(
    "clause", [async_clause, async_generator_clause, AsyncCallable(), functools.partial(async_clause)]
)
@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping), lambda f: f])
def test_h07_async_handler_points_at_await(mark, clause):
    with pytest.raises(TypeError, match="Await"):
        WithHandler(mark(clause), ask())


@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping)])
def test_h07_clause_that_returns_a_coroutine_points_at_await_and_closes_it(mark):
    made = []

    @mark
    def clause(e, k=None):
        made.append(async_clause(e))
        return made[0]

    @do
    def body():
        try:
            yield Ping()
        except TypeError as e:
            return str(e)

    assert "Await" in run(body(), handlers=[clause]).value
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED


def test_h21_unhandled_effect_is_raised_at_the_perform_and_says_everything():
    @answers(Pong)
    def inner(e):
        return "pong"

    class Outer(Handler):
        @answers(Pong)
        def pong(self, e):
            return "pong"

    @do
    def body():
        try:
            yield Ping(41)
        except UnhandledEffectError as e:
            return e

    error = run(body(), handlers=[writer, Outer(), inner]).value
    assert error.effect == Ping(41)
    assert list(error.handlers) == ["inner", "Outer", "writer"]
    message = str(error)
    assert "Ping(n=41)" in message
    assert message.index("inner") < message.index("Outer") < message.index("writer")


@pytest.mark.parametrize(("effect", "missing"), [(Tell("x"), "writer")])
def test_h21_missing_built_in_handler_is_named(effect, missing):
    assert missing in str(run(effect, handlers=[echo]).error)


def test_h21_effect_is_unhandled_when_only_a_sibling_handles_it():
    @do
    def program():
        first = yield WithHandler(echo, ask(1))
        try:
            yield Ping(2)
        except UnhandledEffectError:
            return first, "unhandled"

    assert run(program()).value == (1, "unhandled")


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


# Class handlers and their life cycle.


class Tally(Handler):
    def enter(self):
        self.seen = []

    @answers(Ping)
    def ping(self, e):
        self.seen.append(e.n)
        return e.n

    def result(self, value):
        return (self.seen, value)


class Recorder(Handler):
    """Notes each part of its life in a list that all its copies share."""

    def __init__(self, log):
        self.log = log

    def enter(self):
        self.log.append("enter")

    @answers(Ping)
    def ping(self, e):
        self.log.append("ping")
        return e.n

    @handles(Pong)
    def pong(self, e, k):
        self.log.append("pong")
        return "ended"

    def result(self, value):
        self.log.append("result")
        return ("result", value)

    def error(self, exc):
        self.log.append("error")
        raise exc

    def exit(self):
        self.log.append("exit")
        return "ignored"


def test_life_cycle_of_a_body_that_returns():
    log = []
    assert run(ask(3), handlers=[Recorder(log)]).value == ("result", 3)
    assert log == ["enter", "ping", "result", "exit"]


def test_life_cycle_of_a_body_that_raises():
    log = []
    error = ValueError("x")

    @do
    def raises():
        yield Ping()
        raise error

    assert run(raises(), handlers=[Recorder(log)]).error is error
    assert log == ["enter", "ping", "error", "exit"]


def test_life_cycle_of_a_body_that_is_ended():
    """Semantics 2: a value with which a clause ends the block does not pass `result`."""
    log = []
    assert run(Pong(), handlers=[Recorder(log)]).value == "ended"
    assert log == ["enter", "pong", "exit"]


def test_life_cycle_of_a_body_left_by_a_base_exception():
    """Semantics 4: `error` sees only Exceptions."""
    log = []

    @do
    def exits():
        yield Ping()
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run(exits(), handlers=[Recorder(log)])
    assert log == ["enter", "ping", "exit"]


def test_error_may_answer():
    class Forgiving(Recorder):
        def error(self, exc):
            self.log.append("error")
            return ("forgiven", str(exc))

    log = []

    @do
    def raises():
        yield Ping()
        raise ValueError("x")

    assert run(raises(), handlers=[Forgiving(log)]).value == ("forgiven", "x")
    assert log == ["enter", "ping", "error", "exit"]


def test_error_of_result_is_not_an_error_of_the_body():
    class Fails(Recorder):
        def result(self, value):
            raise ValueError("result failed")

    log = []
    assert str(run(ask(), handlers=[Fails(log)]).error) == "result failed"
    assert log == ["enter", "ping", "exit"]


def test_exit_that_fails_keeps_the_other_error_as_context():
    class Fails(Recorder):
        def exit(self):
            raise KeyError("exit failed")

    @do
    def raises():
        yield Ping()
        raise ValueError("body failed")

    error = run(raises(), handlers=[Fails([])]).error
    assert type(error) is KeyError
    assert type(error.__context__) is ValueError


def test_exit_that_fails_after_a_result_is_the_error():
    class Fails(Recorder):
        def exit(self):
            raise KeyError("exit failed")

    assert isinstance(run(ask(), handlers=[Fails([])]).error, KeyError)


def test_life_cycle_methods_may_perform():
    """Semantics 2: all of them run outside the prompt and may perform."""

    class Performs(Handler):
        def enter(self):
            self.start = yield Ping(100)
            yield Tell("enter")

        @answers(Ping)
        def ping(self, e):
            return self.start + e.n

        def result(self, value):
            yield Tell("result")
            return (value, (yield Ping(5)))

        def exit(self):
            yield Tell("exit")

    r = run(ask(1), handlers=[writer, echo, Performs()])
    assert (r.value, list(r.log)) == ((101, 5), ["enter", "result", "exit"])


def test_error_method_may_perform():
    class Performs(Handler):
        def error(self, exc):
            yield Tell(str(exc))
            return "forgiven"

    @do
    def raises():
        yield Pure(None)
        raise ValueError("x")

    r = run(raises(), handlers=[writer, Performs()])
    assert (r.value, list(r.log)) == ("forgiven", ["x"])


def test_life_cycles_nest():
    log = []

    class Named(Handler):
        def __init__(self, name):
            self.name = name

        def enter(self):
            log.append(("enter", self.name))

        def result(self, value):
            return (self.name, value)

        def exit(self):
            log.append(("exit", self.name))

    assert run(Pure(1), handlers=[Named("outer"), Named("inner")]).value == ("outer", ("inner", 1))
    assert log == [("enter", "outer"), ("enter", "inner"), ("exit", "inner"), ("exit", "outer")]


def test_exit_travels_with_a_kept_k():
    """Semantics 2: `exit` belongs to the prompt and travels with a kept `k`."""
    log = []
    kept = []

    class Keeper(Recorder):
        @handles(Ping)
        def ping(self, e, k):
            kept.append(k.keep())
            return "kept"

    @do
    def program():
        first = yield WithHandler(Keeper(log), ask())
        log.append("between")
        second = yield Resume(kept[0], 7)
        return first, second

    assert run(program()).value == ("kept", ("result", 7))
    assert log == ["enter", "between", "result", "exit"]


def test_result_is_seen_by_a_clause_that_resumed():
    """Semantics 2: the value of Resume is after `result`; the clause's value does not pass it."""

    class Maps(Handler):
        @handles(Ping)
        def ping(self, e, k):
            return ("clause", (yield Resume(k, e.n)))

        def result(self, value):
            return ("result", value)

    assert run(ask(3), handlers=[Maps()]).value == ("clause", ("result", 3))


def test_class_handler_is_copied_for_each_installation():
    tally = Tally()
    assert run(twice(), handlers=[tally]).value == ([1, 2], (1, 2))
    assert run(ask(5), handlers=[tally]).value == ([5], 5)
    assert not hasattr(tally, "seen")


def test_class_handler_installed_twice_has_two_states():
    tally = Tally()

    @do
    def program():
        inner = yield WithHandler(tally, ask(1))
        return inner, (yield Ping(2))

    assert run(program(), handlers=[tally]).value == ([2], (([1], 1), 2))


def test_copy_is_shallow():
    """Semantics 2: a fresh shallow copy, so what `__init__` made is shared."""
    log = []
    recorder = Recorder(log)
    run(ask(), handlers=[recorder])
    assert recorder.log is log
    assert log[0] == "enter"


def test_class_handlers_inherit_and_override_clauses():
    class Negative(Tally):
        @answers(Ping)
        def ping(self, e):
            self.seen.append(-e.n)
            return -e.n

    assert run(ask(3), handlers=[Negative()]).value == ([-3], -3)


def test_method_that_is_not_marked_is_no_clause():
    class Silent(Handler):
        def ping(self, e):
            return "never"

    assert run(ask(3), handlers=[echo, Silent()]).value == 3


def test_class_handler_with_control_and_value_clauses():
    class Both(Handler):
        @answers(Ping)
        def ping(self, e):
            return e.n

        @handles(Pong)
        def pong(self, e, k):
            r = yield Resume(k, e.text.upper())
            return ("pong", r)

    @do
    def program():
        return (yield Ping(1)), (yield Pong("a"))

    assert run(program(), handlers=[Both()]).value == ("pong", (1, "A"))


def test_reports():
    """Semantics 5: `reports` holds what handlers' report() gave, after an error too."""

    class Reports(Tally):
        def report(self):
            return ("seen", tuple(self.seen))

        def result(self, value):
            return value

    @do
    def raises():
        yield Ping(4)
        raise ValueError("x")

    assert list(run(twice(), handlers=[Reports()]).reports) == [("seen", (1, 2))]
    assert list(run(raises(), handlers=[Reports()]).reports) == [("seen", (4,))]


# Forks.


@handles(Fork)
def forks(e, k):
    value = yield Inherit(k, e.program)
    return Resume(k, value)


@do
def forked(program):
    before = yield Ping(1)
    child = yield Fork(program)
    after = yield Ping(2)
    return before, child, after


class Counting(Handler):
    def __init__(self, log):
        self.log = log
        self.n = 0

    def enter(self):
        self.log.append("enter")

    @answers(Ping)
    def ping(self, e):
        self.n += 1
        return self.n

    def result(self, value):
        self.log.append("result")
        return value

    def exit(self):
        self.log.append("exit")


def test_fork_shares_the_installation_by_default():
    """Semantics 7: the default fork shares the installation; a fork has no life cycle of its own."""
    log = []
    assert run(forked(ask()), handlers=[forks, Counting(log)]).value == (1, 2, 3)
    assert log == ["enter", "result", "exit"]


def test_fork_may_give_the_child_a_handler_of_its_own():
    class Copies(Counting):
        def fork(self):
            child = Copies(self.log)
            child.n = 100
            return child

    log = []
    assert run(forked(ask()), handlers=[forks, Copies(log)]).value == (1, 101, 2)
    assert log == ["enter", "result", "exit"]


def test_state_forks_as_a_copy():
    @do
    def child():
        yield Put("n", (yield Get("n")) + 10)
        return (yield Get("n"))

    @do
    def parent():
        yield Put("n", 1)
        inner = yield Fork(child())
        return inner, (yield Get("n"))

    assert run(parent(), handlers=[forks, state]).value == (11, 1)


def test_clause_that_would_end_the_block_in_a_fork_is_task_ended_error():
    """Semantics 7: the fork is unwound, then TaskEndedError is raised."""
    log = []

    @handles(Pong)
    def ends(e, k):
        return "ended with this"

    @do
    def child():
        try:
            yield Pong()
        finally:
            log.append("cleaned")

    @handles(Fork)
    def catches(e, k):
        try:
            yield Inherit(k, e.program)
        except TaskEndedError as error:
            log.append(error.value)
        return Resume(k, "survived")

    @do
    def parent():
        return (yield Fork(child()))

    assert run(parent(), handlers=[catches, ends]).value == "survived"
    assert log == ["cleaned", "ended with this"]


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
