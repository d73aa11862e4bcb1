"""Faults of continuations (K-rows) that no test of another file holds, each with what must not be lost."""

from __future__ import annotations

import threading

import pytest

from child import run_child
from segue import (
    ContinuationError,
    Delegate,
    Discontinue,
    Effect,
    GetHandlers,
    Inherit,
    Pass,
    Pure,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    answers,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Ping, Pong, guarded, keeper


class Use(Effect[object]):
    """Asks a clause of the running program to evaluate a node in its place."""

    node: object


@handles(Use)
def uses(e, k):
    try:
        yield e.node
    except ContinuationError as error:
        return Resume(k, error)
    pytest.fail("a foreign continuation was used")


FOREIGN_USES = {
    "Resume": lambda k: Resume(k, "merged"),
    "ResumeThrow": lambda k: ResumeThrow(k, ValueError("merged")),
    "Transfer": lambda k: Transfer(k, "merged"),
    "TransferThrow": lambda k: TransferThrow(k, ValueError("merged")),
    "Discontinue": Discontinue,
    "ResumeContinuation": lambda k: ResumeContinuation(k, "merged"),
    "Inherit": lambda k: Inherit(k, Pong()),
    "GetHandlers": GetHandlers,
}
every_use = pytest.mark.parametrize("use", FOREIGN_USES.values(), ids=FOREIGN_USES)


def in_this_thread(f):
    return f()


def in_another_thread(f):
    results = []
    thread = threading.Thread(target=lambda: results.append(f()), daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()
    return results[0]


def refused_by_a_run_beside(call, use):
    """A live `k` is used in another run, whose handlers would answer all that its body performs."""
    log, kept = [], []

    @answers(Pong)
    def stranger(e):
        pytest.fail("the body reached the handlers of another run")

    @answers(Pong)
    def own(e):
        return "own"

    @do
    def body():
        try:
            answer = yield Ping()
            log.append(("answered", answer))
        finally:
            log.append(("finally", (yield Pong())))

    @do
    def program():
        first = yield keeper(kept)(body())
        error = call(lambda: run(Use(use(kept[0])), handlers=[stranger, uses])).value
        assert isinstance(error, ContinuationError)
        assert "another run" in str(error)
        assert (kept[0].used, log) == (False, [])
        yield Resume(kept[0], "here")
        return first

    assert run(program(), handlers=[own]).value == "kept"
    assert log == [("answered", "here"), ("finally", "own")]


@every_use
def test_k03_live_k_is_refused_by_a_nested_run_and_its_own_run_goes_on(use):
    """No handler stacks are merged, and the `finally` that `k` holds runs where it belongs."""
    refused_by_a_run_beside(in_this_thread, use)


@every_use
def test_k04_live_k_is_refused_by_a_run_in_another_thread_and_its_own_run_goes_on(use):
    refused_by_a_run_beside(in_another_thread, use)


@every_use
@pytest.mark.parametrize("call", [in_this_thread, in_another_thread])
def test_k03_k04_k_that_outlived_its_run_is_refused_after_its_clean_up(call, use):
    kept, log = [], []
    assert run(keeper(kept)(guarded(log))).value == "kept"
    assert log == ["body"]
    assert isinstance(call(lambda: run(Use(use(kept[0])), handlers=[uses])).value, ContinuationError)
    assert log == ["body"]


def test_k03_k_that_a_nested_run_drops_is_unwound_by_its_own_run():
    log, kept = [], []

    @answers(Pong)
    def own(e):
        return "own"

    @do
    def body():
        try:
            yield Ping()
        finally:
            log.append(("finally", (yield Pong())))

    @do
    def drops():
        kept.clear()
        yield Pure(None)
        log.append("nested run")

    @do
    def program():
        yield keeper(kept)(own(body()))
        run(drops())
        yield Pure(None)
        log.append("own run")

    assert run(program()).is_ok()
    assert log == ["nested run", ("finally", "own"), "own run"]


def test_k02_k_of_a_finished_run_can_be_neither_kept_nor_unwound_again():
    kept, log = [], []
    run(keeper(kept)(guarded(log)))
    with pytest.raises(ContinuationError):
        kept[0].keep()
    assert (kept[0].used, log) == (True, ["body"])
    kept.clear()
    assert run(Pure(1)).value == 1
    assert log == ["body"]


@pytest.mark.parametrize("caught", [True, False])
def test_k09_exception_thrown_into_k_goes_on_after_the_clean_up_unless_it_is_caught(caught):
    error = KeyError("thrown")
    seen = []

    @do
    def body():
        try:
            yield Ping()
        except KeyError as e:
            seen.append(e)
            if not caught:
                raise
            return "caught"
        finally:
            yield Tell("finally")

    r = run(body(), handlers=[writer, handles(Ping)(lambda e, k: ResumeThrow(k, error))])
    assert list(r.log) == ["finally"]
    assert seen == [error]
    if caught:
        assert r.value == "caught"
    else:
        assert r.error is error


@pytest.mark.parametrize("wrong", [None, 3, "k", object(), Pure(1), type])
@pytest.mark.parametrize("node", [Resume, Transfer, lambda k, _: Discontinue(k)])
def test_k14_node_for_what_is_no_continuation_is_refused_before_anything_runs(node, wrong):
    """In a clause it leaves the clause's own `k` as it was."""
    log = []

    @handles(Ping)
    def clause(e, k):
        with pytest.raises(TypeError):
            yield node(wrong, 1)
        assert not k.used
        assert log == []
        return Resume(k, "own")

    assert run(guarded(log), handlers=[clause]).value == "own"
    assert log == ["body"]


def test_k16_k_that_runs_itself_is_an_error_at_the_yield_and_the_body_goes_on():
    log = []

    @do
    def body():
        me = yield Ping()
        for node in (Resume(me, 1), ResumeThrow(me, ValueError()), Discontinue(me)):
            r = yield Try(node)
            log.append(type(r.error))
        return "went on"

    assert run(body(), handlers=[handles(Ping)(lambda e, k: Resume(k, k))]).value == "went on"
    assert log == [ContinuationError] * 3


def test_k19_million_suspended_frames_of_a_dropped_k_are_unwound_innermost_first():
    """Iteratively: the thread has a stack of 256 KB."""
    run_child(
        """
        import threading

        from segue import Effect, Pure, do, handles, run


        class Ping(Effect[int]):
            pass


        order = []
        kept = []


        @do
        def deep(n):
            try:
                yield deep(n - 1) if n else Ping()
            finally:
                order.append(n)


        @handles(Ping)
        def keeps(e, k):
            kept.append(k.keep())
            return "kept"


        @do
        def program():
            value = yield keeps(deep(1_000_000))
            kept.clear()
            yield Pure(None)
            order.append("after")
            return value


        def work():
            order.append(run(program()).value)


        threading.stack_size(256 * 1024)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert order == [*range(1_000_001), "after", "kept"], (len(order), order[:5], order[-5:])
        """,
        memory=4 << 30,
        seconds=100,
    ).ok()


def test_k21_pass_ends_the_clause_at_its_yield_but_for_its_open_blocks():
    log = []
    kept = []

    @handles(Ping)
    def passes(e, k):
        kept.append(k)
        try:
            yield Pass()
            log.append("never")
        finally:
            log.append("open block")
        log.append("never")

    @handles(Ping)
    def outer(e, k):
        log.append("outer")
        return Resume(k, "answer")

    @do
    def body():
        answer = yield Ping()
        error = (yield Try(Resume(kept[0], "again"))).error
        return answer, error

    answer, error = run(body(), handlers=[outer, passes]).value
    assert (answer, log) == ("answer", ["open block", "outer"])
    assert isinstance(error, ContinuationError)
    assert "passed" in str(error)


def test_k21_statements_after_delegate_run_and_the_clause_still_owns_k():
    log = []

    @handles(Ping)
    def delegates(e, k):
        answer = yield Delegate()
        log.append(("after delegate", k.used))
        result = yield Resume(k, answer)
        log.append("after resume")
        return result

    assert run(guarded(log), handlers=[answers(Ping)(lambda e: "outer"), delegates]).value == "outer"
    assert log == [("after delegate", False), "body", "after resume"]
