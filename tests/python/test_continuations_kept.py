"""Semantics 3: what becomes of a continuation that nobody used (K-rows of the faults)."""

import gc
import sys
import weakref

import pytest

from segue import (
    ContinuationError,
    Discontinue,
    Discontinued,
    Pure,
    Resume,
    ResumeThrow,
    Tell,
    UnhandledEffectError,
    WithHandler,
    answers,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Ping, Pong, guarded, keeper

# Without keep().


def test_k06_body_is_unwound_before_the_withhandler_gives_its_value():
    """Semantics 3: deterministic, never left to reference counts or gc."""
    log = []
    stash = []

    @handles(Ping)
    def drops(e, k):
        stash.append(k)  # a reference changes nothing
        return "value"

    @do
    def program():
        value = yield WithHandler(drops, guarded(log))
        log.append(value)

    gc.disable()
    try:
        run(program())
    finally:
        gc.enable()
    assert log == ["body", "value"]


def test_k08_effects_of_the_clean_up_are_handled_first_inside_k_then_around_the_place():
    log = []

    @handles(Ping)
    def drops(e, k):
        return "value"

    @answers(Pong)
    def inside(e):
        return "inside"

    @do
    def body():
        try:
            yield Ping()
        finally:
            log.append((yield Pong()))
            yield Tell("outside")

    @do
    def program():
        value = yield WithHandler(drops, WithHandler(inside, body()))
        yield Tell(value)

    @answers(Pong)
    def outside(e):
        return "outside"

    r = run(program(), handlers=[writer, outside])
    assert log == ["inside"]
    assert list(r.log) == ["outside", "value"]


def test_k09_throwing_into_k_runs_finally_and_its_effects():
    @handles(Ping)
    def throws(e, k):
        try:
            yield ResumeThrow(k, ValueError("thrown"))
        except ValueError as error:
            yield Tell("clause")
            return error

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell("finally")

    r = run(body(), handlers=[writer, throws])
    assert r.value.args == ("thrown",)
    assert list(r.log) == ["finally", "clause"]


# Kept.


def test_kept_k_is_not_unwound_when_its_clause_finishes():
    kept = []
    log = []

    @do
    def program():
        log.append((yield WithHandler(keeper(kept), guarded(log))))
        log.append((yield Resume(kept[0], "answer")))

    run(program())
    assert log == ["kept", "body", "answer"]


def test_kept_k_discontinued_later_is_unwound_at_that_place():
    """Semantics 3: `k` is unwound where it is let go, its effects handled around that place."""
    kept = []
    log = []

    @do
    def body():
        try:
            yield Ping()
        finally:
            log.append((yield Pong()))

    def named(name):
        @answers(Pong)
        def clause(e):
            return name

        return clause

    @do
    def program():
        yield WithHandler(named("captured"), WithHandler(keeper(kept), body()))
        return (yield WithHandler(named("let go"), Discontinue(kept[0])))

    assert run(program()).value is None
    assert log == ["let go"]


def test_continuations_left_at_the_end_are_unwound_in_the_order_of_their_capture():
    kept = []
    log = []

    @do
    def program():
        for name in ("first", "second", "third"):
            yield WithHandler(keeper(kept), guarded(log, name))
        kept.reverse()
        return "done"

    assert run(program()).value == "done"
    assert log == ["first", "second", "third"]


def test_continuations_left_after_an_error_are_unwound_too():
    kept = []
    log = []
    error = ValueError("x")

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log))
        raise error

    assert run(program()).error is error
    assert log == ["body"]


def test_lost_k_is_unwound_between_two_steps():
    """A kept `k` that nobody holds any more: its finally runs in the course of the run."""
    log = []

    @handles(Ping)
    def loses(e, k):
        k.keep()
        return "lost"

    @do
    def program():
        yield WithHandler(loses, guarded(log))
        for _ in range(10):
            yield Pure(None)
        log.append("program")

    assert run(program()).is_ok()
    assert log == ["body", "program"]


def test_lost_k_in_a_cycle_is_unwound_after_gc():
    log = []

    @handles(Ping)
    def loses(e, k):
        cycle = [k.keep()]
        cycle.append(cycle)
        return "lost"

    @do
    def program():
        yield WithHandler(loses, guarded(log))
        gc.collect()
        for _ in range(10):
            yield Pure(None)
        log.append("program")

    gc.disable()
    try:
        assert run(program()).is_ok()
    finally:
        gc.enable()
    assert log == ["body", "program"]


def test_lost_k_has_only_the_handlers_that_it_contains():
    """Semantics 3: what they do not accept is UnhandledEffectError at the perform, there."""
    log = []

    @handles(Ping)
    def loses(e, k):
        k.keep()
        return "lost"

    @answers(Pong)
    def inside(e):
        return "inside"

    @do
    def body():
        try:
            yield Ping()
        finally:
            log.append((yield Pong()))
            try:
                yield Tell("x")
            except UnhandledEffectError:
                log.append("unhandled")

    r = run(WithHandler(loses, WithHandler(inside, body())), handlers=[writer])
    assert log == ["inside", "unhandled"]
    assert list(r.log) == []
    assert list(r.unobserved) == []


def test_error_of_a_lost_k_is_unobserved(monkeypatch):
    """Semantics 4: in `unobserved` and once to `sys.unraisablehook`, never instead of the result."""
    hooked = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: hooked.append(args.exc_value))
    error = ValueError("clean-up")

    @handles(Ping)
    def loses(e, k):
        k.keep()
        return "lost"

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise error

    @do
    def program():
        value = yield WithHandler(loses, body())
        yield Pure(None)
        return value

    r = run(program())
    assert r.value == "lost"
    assert len(r.unobserved) == 1
    assert hooked == [error]


def test_error_of_a_continuation_left_at_the_end_is_unobserved(monkeypatch):
    hooked = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: hooked.append(args.exc_value))
    kept = []
    error = ValueError("clean-up")

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise error

    r = run(WithHandler(keeper(kept), body()))
    assert (r.value, len(r.unobserved), hooked) == ("kept", 1, [error])


def test_base_exception_of_a_lost_k_is_thrown_into_the_program():
    """Ctrl-C and SystemExit are never merely noted."""
    log = []

    @handles(Ping)
    def loses(e, k):
        k.keep()
        return "lost"

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise SystemExit(3)

    @do
    def program():
        try:
            yield WithHandler(loses, body())
            for _ in range(10):
                yield Pure(None)
        finally:
            log.append("program")

    with pytest.raises(SystemExit) as caught:
        run(program())
    assert caught.value.code == 3
    assert log == ["program"]


def test_body_of_a_lost_k_that_catches_discontinued_runs_on():
    log = []

    @handles(Ping)
    def loses(e, k):
        k.keep()
        return "lost"

    @do
    def body():
        try:
            yield Ping()
        except Discontinued:
            log.append((yield Pure("ran on")))
        return "dropped"

    assert run(WithHandler(loses, body())).value == "lost"
    assert log == ["ran on"]


def test_m03_k_in_a_cycle_with_its_handler_is_collected():
    log = []
    refs = []

    def make():
        kept = []

        @handles(Ping)
        def keeps(e, k):
            kept.append(k.keep())
            refs.append(weakref.ref(k))
            return "kept"

        return keeps

    assert run(WithHandler(make(), guarded(log))).value == "kept"
    assert log == ["body"]
    gc.collect()
    assert refs[0]() is None


def test_k101_what_the_end_of_the_run_unwinds_cannot_be_kept_again():
    held, refused = [], []

    @handles(Ping)
    def keeps(effect, k):
        held.append(k.keep())

    @do
    def body():
        try:
            yield Ping()
        finally:
            try:
                held[0].keep()
            except ContinuationError as error:
                refused.append(str(error))

    run(body(), handlers=[keeps])
    assert len(refused) == 1
    assert "unwound" in refused[0]


def test_k102_each_refusal_of_what_the_end_of_the_run_unwound_says_the_same():
    held, refused = [], []

    @handles(Ping)
    def keeps(effect, k):
        if held:
            try:
                yield Resume(held[0], 2)
            except ContinuationError as error:
                refused.append(str(error))
            return "refused"
        held.append(k.keep())
        return "kept"

    @do
    def body():
        try:
            yield Ping()
        finally:
            try:
                yield Ping(2)
            finally:
                yield Ping(3)

    run(body(), handlers=[keeps])
    assert len(refused) == 2
    assert refused[0] == refused[1]
    assert "unwound" in refused[0]
