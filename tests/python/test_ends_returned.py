"""The table of ends: control clauses that return, on the oracle and on the machine."""

import pytest

from ends import failing, guarded, hooked, resumer, suspended


def test_returned_value_ends_the_body(ns):
    log = []

    def plain(self, e, k):
        log.append("clause")
        return "v"

    def generator(self, e, k):
        log.append("clause")
        yield ns.Pure(0)
        return "v"

    for clause in (plain, generator):
        log.clear()
        assert ns.run(guarded(ns, log), [hooked(ns, log, clause)]).value == "v"
        assert log == ["enter", "clause", "cleaned", "exit"]


def test_returned_value_after_resume(ns):
    log = []

    def clause(self, e, k):
        r = yield ns.Resume(k, e.n)
        log.append("clause")
        return ("v", r)

    assert ns.run(guarded(ns, log), [hooked(ns, log, clause)]).value == ("v", ("mapped", 1))
    assert log == ["enter", "cleaned", "result", "exit", "clause"]


def test_returned_value_with_k_kept(ns):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k.keep())
        return "v"

    @ns.do
    def program():
        first = yield hooked(ns, log, clause)(guarded(ns, log))
        log.append("between")
        return first, (yield ns.Resume(kept[0], 2))

    assert ns.run(program()).value == ("v", ("mapped", 2))
    assert log == ["enter", "between", "cleaned", "result", "exit"]


def test_clean_up_error_replaces_the_value(ns):
    log = []
    r = ns.run(failing(ns, log, KeyError(1)), [hooked(ns, log, lambda self, e, k: "v")])
    assert (type(r.error), r.error.args) == (KeyError, (1,))
    assert isinstance(r.error.__context__, ns.Discontinued)
    assert log == ["enter", "cleaned", "error KeyError(1)", "exit"]


def test_error_hook_cannot_answer_for_the_clause(ns):
    log = []
    body = failing(ns, log, KeyError(1))
    assert ns.run(body, [hooked(ns, log, lambda self, e, k: "v", answer="answer")]).value == "v"
    assert log == ["enter", "cleaned", "error KeyError(1)", "exit"]


def test_other_base_exception_of_a_clean_up_leaves(ns):
    log = []
    other = ns.Discontinued()
    with pytest.raises(ns.Discontinued) as caught:
        ns.run(failing(ns, log, other), [hooked(ns, log, lambda self, e, k: "v")])
    assert caught.value is other
    assert log == ["enter", "cleaned", "exit"]


def test_body_that_survives_is_dropped(ns):
    log = []

    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except ns.Discontinued:
            yield ns.Tell("survived")
        yield ns.Tell("runs on")
        return "w"

    r = ns.run(body(), [ns.writer, hooked(ns, log, lambda self, e, k: "v")])
    assert (r.value, list(r.log), log) == ("v", ["survived", "runs on"], ["enter", "exit"])


def test_effects_of_a_clean_up_are_handled(ns):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        finally:
            yield ns.Tell((yield ns.Pong(3)))

    @ns.answers(ns.Pong)
    def pong(e):
        return e.n * 2

    stop = ns.handles(ns.Ping)(lambda e, k: "v")
    for handlers in ([ns.writer, stop, pong], [ns.writer, pong, stop]):
        r = ns.run(body(), handlers)
        assert (r.value, list(r.log)) == ("v", [6])


def test_clean_up_that_is_ended_again(ns):
    log = []

    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        finally:
            try:
                yield ns.Ping(2)
            finally:
                log.append("cleaned")

    assert ns.run(body(), [hooked(ns, log, lambda self, e, k: e.n)]).value == 1
    assert log == ["enter", "cleaned", "exit"]


def test_returned_resume_is_a_tail_resume(ns):
    @ns.do
    def loop(n):
        for i in range(n):
            yield ns.Ping(i)
        return "done"

    def generator(e, k):
        yield ns.Pure(0)
        return ns.Resume(k, e.n)

    assert ns.run(loop(2000), [resumer(ns)]).value == "done"
    assert ns.run(loop(2000), [generator]).value == "done"
    assert ns.run(loop(1), [lambda e, k: ns.ResumeThrow(k, KeyError(1))]).error.args == (1,)


def test_returned_discontinue_gives_none(ns):
    log = []
    assert ns.run(guarded(ns, log), [hooked(ns, log, lambda self, e, k: ns.Discontinue(k))]).value is None
    assert log == ["enter", "cleaned", "exit"]


def test_returned_resume_of_a_used_k_fails_outward(ns):
    log = []

    def clause(self, e, k):
        yield ns.Resume(k, 1)
        return ns.Resume(k, 2)

    r = ns.run(ns.Try(hooked(ns, log, clause)(guarded(ns, log)))).value
    assert type(r.error) is ns.ContinuationError
    assert log == ["enter", "cleaned", "result", "exit"]


def test_returned_resume_of_a_kept_k(ns):
    log = []
    handler = hooked(ns, log, lambda self, e, k: ns.Resume(k.keep(), 5))
    assert ns.run(guarded(ns, log), [handler]).value == ("mapped", 5)
    assert log == ["enter", "cleaned", "result", "exit"]


def test_returned_delegate_ends_with_the_outer_answer(ns):
    log = []
    outer = ns.answers(ns.Ping)(lambda e: "outer")
    inner = hooked(ns, log, lambda self, e, k: ns.Delegate())
    assert ns.run(guarded(ns, log), [outer, inner]).value == "outer"
    assert log == ["enter", "cleaned", "exit"]


def test_returned_foreign_node_is_a_value(ns):
    @ns.do
    def program():
        k = yield suspended(ns, ns.Ping(0))
        node, pure = ns.Resume(k, 3), ns.Pure(4)
        first = yield ns.WithHandler(ns.handles(ns.Ping)(lambda e, k: node), ns.Ping(1))
        second = yield ns.WithHandler(ns.handles(ns.Ping)(lambda e, k: pure), ns.Ping(1))
        return first is node, second is pure, (yield node)

    assert ns.run(program()).value == (True, True, 3)
