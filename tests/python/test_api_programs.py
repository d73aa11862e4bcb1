"""The public interface to the letter: the ten programs."""

import pytest

from segue import (
    Ask,
    ContinuationError,
    Delegate,
    Get,
    Handler,
    Pure,
    Put,
    PyVM,
    Resume,
    Tell,
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
from vocabulary import Ping, ask


@do
def plus_one():
    return (yield Ping()) + 1


def nontail(e, k):
    r = yield Resume(k, e.n + 1)
    return ("handled", r)


def test_program_1_a_clause_after_the_body():
    assert run(ask(1), handlers=[nontail]).value == ("handled", 2)


def test_program_2_delegate_transforms_the_outer_answer():
    def outer(e, k):
        return Resume(k, 42)

    def doubler(e, k):
        v = yield Delegate()
        return Resume(k, v * 2)

    assert run(plus_one(), handlers=[outer, doubler]).value == 85


def test_program_3_an_ended_body_cleans_up_before_the_value_arrives():
    @handles(Ping)
    def stop(e, k):
        return "stopped"

    @do
    def careful():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    @do
    def both():
        r = yield WithHandler(stop, careful())
        yield Tell(r)

    r = run(both(), handlers=[writer])
    assert list(r.log) == ["cleaned", "stopped"]


def test_program_4_a_clause_that_raises_is_caught_at_the_perform():
    @do
    def catches():
        try:
            yield Ping()
        except ValueError as e:
            return str(e)

    @answers(Ping)
    def fails(e):
        raise ValueError("no")

    assert run(catches(), handlers=[fails]).value == "no"


def test_program_5_a_body_that_raises_is_caught_around_resume():
    def saves(e, k):
        try:
            return (yield Resume(k, 1))
        except KeyError:
            return "saved"

    @do
    def breaks():
        yield Ping()
        raise KeyError("x")

    assert run(breaks(), handlers=[saves]).value == "saved"


def test_program_6_a_class_handler_starts_anew_each_time():
    class Counter(Handler):
        def enter(self):
            self.n = 0

        @answers(Ping)
        def ping(self, e):
            self.n += e.n
            return self.n

        def result(self, value):
            return (value, self.n)

    @do
    def thrice():
        out = []
        for i in (1, 2, 3):
            out.append((yield Ping(i)))  # noqa: PERF401 (a comprehension cannot yield)
        return out

    counter = Counter()
    assert run(thrice(), handlers=[counter]).value == ([1, 3, 6], 6)
    assert run(thrice(), handlers=[counter]).value == ([1, 3, 6], 6)


def test_program_7_the_built_in_handlers():
    @do
    def bump():
        n = yield Get("n")
        yield Put("n", n + 1)
        yield Tell(n)
        return (yield Ask("who"))

    r = run(bump(), handlers=[state, writer, reader], env={"who": "me"}, store={"n": 1})
    assert (r.value, r.raw_store, list(r.log)) == ("me", {"n": 2}, [1])


def test_program_8_a_kept_continuation_is_resumed_later():
    kept = []

    def later(e, k):
        kept.append(k.keep())
        return "later"

    @do
    def twice():
        a = yield WithHandler(later, ask(1))
        b = yield Resume(kept[0], 9)
        return a, b

    assert run(twice()).value == ("later", 9)


def test_program_9_a_second_use_is_an_error_at_the_yield():
    def again(e, k):
        a = yield Resume(k, 1)
        try:
            yield Resume(k, 2)
        except ContinuationError:
            return ("once", a)

    assert run(ask(0), handlers=[again]).value == ("once", 1)


def test_program_10_one_step_at_a_time():
    vm = PyVM()
    vm.start_program(Pure(1).map(lambda x: x + 1))
    event = vm.step_once()
    while event == ("continue",):
        event = vm.step_once()
    assert event == ("done", 2)
    with pytest.raises(VMStateError):
        vm.step_once()
