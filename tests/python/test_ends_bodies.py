"""The table of ends: bodies and forks, on the oracle and on the machine."""

import pytest

from ends import guarded, hooked, keeper, resumer, unasked


def test_body_returns(ns):
    log = []
    assert ns.run(ns.Pure(1), [hooked(ns, log, unasked)]).value == ("mapped", 1)
    assert log == ["enter", "result", "exit"]


def waiting(ns, log):
    def clause(self, e, k):
        try:
            r = yield ns.Resume(k, e.n)
        except BaseException as e:
            log.append(f"clause {e!r}")
            return "saved"
        log.append("clause")
        return ("clause", r)

    return clause


def test_body_returns_to_the_clause(ns):
    log = []
    assert ns.run(guarded(ns, log), [hooked(ns, log, waiting(ns, log))]).value == ("clause", ("mapped", 1))
    assert log == ["enter", "cleaned", "result", "exit", "clause"]


def test_body_returns_to_the_place(ns):
    log = []
    returns = hooked(ns, log, lambda self, e, k: ns.Resume(k, 1))
    transfers = hooked(ns, log, lambda self, e, k: ns.Transfer(k, 1))
    for handler in (returns, transfers):
        log.clear()
        assert ns.run(guarded(ns, log), [handler]).value == ("mapped", 1)
        assert log == ["enter", "cleaned", "result", "exit"]


def raising(ns, exc):
    @ns.do
    def body():
        yield ns.Pure(0)
        raise exc

    return body()


def test_body_raises_and_error_answers(ns):
    log = []
    handler = hooked(ns, log, unasked, answer="answer")
    assert ns.run(raising(ns, KeyError(1)), [handler]).value == "answer"
    assert log == ["enter", "error KeyError(1)", "exit"]


def test_body_raises_and_nobody_answers(ns):
    log, e = [], KeyError(1)
    assert ns.run(raising(ns, e), [hooked(ns, log, unasked)]).error is e
    assert log == ["enter", "error KeyError(1)", "exit"]
    assert ns.run(raising(ns, e), [resumer(ns)]).error is e


def test_body_raises_to_the_clause(ns):
    log = []

    @ns.do
    def body():
        yield ns.Ping(1)
        raise KeyError(1)

    assert ns.run(body(), [hooked(ns, log, waiting(ns, log))]).value == "saved"
    assert log == ["enter", "error KeyError(1)", "exit", "clause KeyError(1)"]

    log.clear()
    handler = hooked(ns, log, waiting(ns, log), answer="answer")
    assert ns.run(body(), [handler]).value == ("clause", "answer")
    assert log == ["enter", "error KeyError(1)", "exit", "clause"]


def test_body_raises_a_base_exception(ns):
    log, e = [], SystemExit(3)
    with pytest.raises(SystemExit) as caught:
        ns.run(raising(ns, e), [hooked(ns, log, unasked, answer="never")])
    assert (caught.value, log) == (e, ["enter", "exit"])


def test_result_hook_that_raises(ns):
    log = []

    class Fails(ns.Handler):
        def result(self, value):
            raise KeyError(value)

        def error(self, exc):
            log.append("never")

        def exit(self):
            log.append("exit")

    assert ns.run(ns.Pure(1), [Fails()]).error.args == (1,)
    assert log == ["exit"]


def test_exit_hook_that_raises(ns):
    class Fails(ns.Handler):
        def exit(self):
            raise KeyError("exit")

    first = ValueError("body")
    e = ns.run(raising(ns, first), [Fails()]).error
    assert (e.args, e.__context__) == (("exit",), first)
    assert ns.run(ns.Pure(1), [Fails()]).error.args == ("exit",)


def test_enter_hook_that_raises(ns):
    log = []

    class Fails(ns.Handler):
        def enter(self):
            raise KeyError("enter")

        def error(self, exc):
            log.append("error")

        def exit(self):
            log.append("exit")

    assert ns.run(ns.Try(Fails()(guarded(ns, log)))).value.error.args == ("enter",)
    assert log == []


def test_nested_prompt_in_an_unwound_chain_is_ordinary(ns):
    log = []

    @ns.do
    def survives():
        try:
            yield ns.Ping(1)
        except ns.Discontinued:
            return "survived"

    @ns.do
    def body():
        log.append((yield hooked(ns, log, lambda self, e, k: ns.Pass())(survives())))

    stop = ns.handles(ns.Ping)(lambda e, k: "v")
    assert ns.run(body(), [stop]).value == "v"
    assert log == ["enter", "result", "exit", ("mapped", "survived")]


class ForkedError(Exception):
    """What a program in a fork raises."""


def forking(ns, log, clause, child):
    """A handler whose Ping goes to `clause`, around a body whose Pong runs `child` in a fork of it."""

    @ns.handles(ns.Pong)
    def spawn(e, k):
        r = yield ns.Inherit(k, ns.Try(child))
        log.append("forked")
        return ns.Resume(k, r)

    return spawn(hooked(ns, log, clause)(ns.Pong()))


def test_forks_have_no_hooks(ns):
    log = []

    def clause(self, e, k):
        return ns.Resume(k, e.n)

    assert ns.run(forking(ns, log, clause, guarded(ns, log))).value == ("mapped", ns.Ok(1))
    assert log == ["enter", "cleaned", "forked", "result", "exit"]
    log.clear()
    tag, child = ns.run(forking(ns, log, clause, raising(ns, ForkedError()))).value
    assert (tag, type(child.error)) == ("mapped", ForkedError)
    assert log == ["enter", "forked", "result", "exit"]


def test_clause_that_ends_a_fork(ns):
    log = []

    @ns.handles(ns.Pong)
    def spawn(e, k):
        r = yield ns.Try(ns.Inherit(k, guarded(ns, log)))
        return ns.Resume(k, r)

    ended = spawn(hooked(ns, log, lambda self, e, k: "v")(ns.Pong()))
    tag, child = ns.run(ended).value
    assert (tag, type(child.error)) == ("mapped", ns.TaskEndedError)
    assert log == ["enter", "cleaned", "result", "exit"]


def test_clause_that_leaves_a_fork_with_k_kept(ns):
    log, kept = [], []

    @ns.handles(ns.Pong)
    def spawn(e, k):
        r = yield ns.Try(ns.Inherit(k, guarded(ns, log)))
        log.append("forked")
        r2 = yield ns.Resume(kept[0], 5)
        return ns.Resume(k, (type(r.error), r2))

    def keeps(self, e, k):
        kept.append(k.keep())
        return "v"

    ended = spawn(hooked(ns, log, keeps)(ns.Pong()))
    assert ns.run(ended).value == ("mapped", (ns.TaskEndedError, 5))
    assert log == ["enter", "forked", "cleaned", "result", "exit"]


def test_run_raises_what_is_no_exception(ns):
    log, kept = [], []

    @ns.do
    def program():
        yield keeper(ns, kept)(guarded(ns, log))
        yield ns.Tell("told")
        raise SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        ns.run(program(), [ns.writer])
    assert (caught.value.code, log) == (3, ["cleaned"])
    assert list(caught.value.run_result.log) == ["told"]
