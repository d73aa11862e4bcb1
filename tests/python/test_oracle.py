"""The table of ends (`specs/ends.md`) and the ten programs of the interface, on the oracle and on the machine."""

import gc
import importlib
import re
import sys
import types
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def namespace(name):
    """The public names of an implementation, and two effects."""
    sys.path.insert(0, str(HERE))
    try:
        module = importlib.import_module(name)
    finally:
        sys.path.remove(str(HERE))

    class Ping(module.Effect[int]):
        n: int = 0

    class Pong(module.Effect[int]):
        n: int = 0

    return types.SimpleNamespace(**vars(module), Ping=Ping, Pong=Pong)


@pytest.fixture(params=["oracle", "segue"])
def ns(request):
    return namespace(request.param)


@pytest.fixture(autouse=True)
def unraisable(monkeypatch):
    """What went to `sys.unraisablehook`, so that an unobserved error fails no test by itself."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    yield seen
    seen.clear()  # what they hold goes with the test


def guarded(ns, log, effect=None, mark="cleaned"):
    """Performs, and then marks its clean-up by telling and in the log."""

    @ns.do
    def body():
        try:
            return (yield effect or ns.Ping(1))
        finally:
            log.append(mark)

    return body()


def hooked(ns, log, clause, answer=None):
    """A handler of Ping that logs its hooks. `answer` is what `error` answers."""

    class Hooked(ns.Handler):
        ping = ns.handles(ns.Ping)(clause)

        def enter(self):
            log.append("enter")

        def result(self, value):
            log.append("result")
            return ("mapped", value)

        def error(self, exc):
            log.append(f"error {exc!r}")
            if answer is None:
                raise exc
            return answer

        def exit(self):
            log.append("exit")

    return Hooked()


def unasked(self, e, k):
    pytest.fail("nobody performs")


def resumer(ns):
    """Resumes each Ping with its number, and returns what the body comes to."""
    return ns.handles(ns.Ping)(lambda e, k: ns.Resume(k, e.n))


def keeper(ns, kept, value="later"):
    def keep(e, k):
        kept.append(k.keep())
        return value

    return ns.handles(ns.Ping)(keep)


def suspended(ns, program):
    """A kept continuation, at the first Ping of a program."""
    kept = []
    return keeper(ns, kept)(program).map(lambda _: kept.pop())


def refused(ns, k):
    """Tries to use what cannot be used."""

    @ns.do
    def program():
        try:
            yield ns.Resume(k, None)
        except ns.ContinuationError:
            return "refused"

    return program()


# Value clauses


def test_value_clause_answers(ns):
    @ns.answers(ns.Ping)
    def plain(e):
        return e.n + 1

    @ns.answers(ns.Ping)
    def generator(e):
        return (yield ns.Pong(e.n)) + 1

    @ns.answers(ns.Pong)
    def pong(e):
        return e.n * 10

    assert ns.run(ns.Ping(1), [plain]).value == 2
    assert ns.run(ns.Ping(1), [pong, generator]).value == 11


def test_value_clause_raises_at_the_perform(ns):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except KeyError as e:
            return ("caught", e.args)

    @ns.answers(ns.Ping)
    def plain(e):
        raise KeyError(e.n)

    @ns.answers(ns.Ping)
    def generator(e):
        yield ns.Pure(0)
        raise KeyError(e.n)

    assert ns.run(body(), [plain]).value == ("caught", (1,))
    assert ns.run(body(), [generator]).value == ("caught", (1,))


def test_value_clause_passes(ns):
    log = []

    @ns.answers(ns.Ping)
    def returns(e):
        return ns.Pass()

    @ns.answers(ns.Ping)
    def yields(e):
        try:
            yield ns.Pass()
        finally:
            log.append("left")

    def outer(e, k):
        log.append("outer")
        r = yield ns.Resume(k, 5)
        return ("outer", r)

    assert ns.run(ns.Ping(1), [outer, returns]).value == ("outer", 5)
    assert ns.run(ns.Ping(1), [outer, yields]).value == ("outer", 5)
    assert log == ["outer", "left", "outer"]
    assert ns.run(ns.Try(ns.Ping(1)), [returns]).value.error.__class__ is ns.UnhandledEffectError


def test_value_clause_delegates(ns):
    inner = ns.answers(ns.Ping)(lambda e: ns.Delegate())
    outer = ns.answers(ns.Ping)(lambda e: e.n + 1)
    assert ns.run(ns.Ping(1), [outer, inner]).value == 2


def test_value_clause_transfers_away(ns):
    log = []

    @ns.do
    def program():
        k = yield suspended(ns, ns.Ping(0))

        class Away(ns.Handler):
            @ns.answers(ns.Ping)
            def ping(self, e):
                try:
                    yield ns.Transfer(k, 7)
                finally:
                    log.append("clause")

            def exit(self):
                log.append("exit")

        r = yield Away()(guarded(ns, log))
        return ("here", r)

    assert ns.run(program()).value == ("here", 7)
    assert log == ["clause", "cleaned", "exit"]


def test_discontinued_value_clause_raises_at_the_perform(ns):
    log = []

    class Answers(ns.Handler):
        @ns.answers(ns.Ping)
        def ping(self, e):
            try:
                yield ns.Pong()
            finally:
                log.append("clause")

        def exit(self):
            log.append("exit")

    @ns.handles(ns.Pong)
    def stop(e, k):
        return "stopped"

    assert ns.run(guarded(ns, log), [stop, Answers()]).value == "stopped"
    assert log == ["clause", "cleaned", "exit"]


# Control clauses that return


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


def failing(ns, log, exc):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        finally:
            log.append("cleaned")
            raise exc

    return body()


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


# Control clauses that raise


def test_raised_error_goes_to_the_performer(ns):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except KeyError as e:
            return ("caught", e.args)

    def plain(e, k):
        raise KeyError(1)

    def generator(e, k):
        yield ns.Pure(0)
        raise KeyError(1)

    assert ns.run(body(), [plain]).value == ("caught", (1,))
    assert ns.run(body(), [generator]).value == ("caught", (1,))


def test_raised_error_after_resume_goes_outward(ns):
    log = []

    def clause(self, e, k):
        yield ns.Resume(k, 1)
        raise KeyError(1)

    assert ns.run(ns.Try(hooked(ns, log, clause)(guarded(ns, log)))).value.error.args == (1,)
    assert log == ["enter", "cleaned", "result", "exit"]


def test_raised_error_with_k_kept_goes_outward(ns):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k.keep())
        raise KeyError(1)

    @ns.do
    def program():
        r = yield ns.Try(hooked(ns, log, clause)(guarded(ns, log)))
        log.append("between")
        return type(r.error), (yield ns.Resume(kept[0], 2))

    assert ns.run(program()).value == (KeyError, ("mapped", 2))
    assert log == ["enter", "between", "cleaned", "result", "exit"]


def stop_pong(ns):
    return ns.handles(ns.Pong)(lambda e, k: "stopped")


def test_discontinued_clause_takes_its_body_along(ns):
    log = []

    def clause(self, e, k):
        try:
            yield ns.Pong()
        finally:
            log.append("clause")

    assert ns.run(guarded(ns, log), [stop_pong(ns), hooked(ns, log, clause)]).value == "stopped"
    assert log == ["enter", "clause", "cleaned", "exit"]


def test_discontinued_clause_that_waits_for_its_body(ns):
    log = []

    @ns.do
    def body():
        yield ns.Ping(1)
        try:
            yield ns.Pong()
        finally:
            log.append("cleaned")

    def clause(self, e, k):
        try:
            yield ns.Resume(k, 1)
        finally:
            log.append("clause")

    assert ns.run(body(), [stop_pong(ns), hooked(ns, log, clause)]).value == "stopped"
    assert log == ["enter", "cleaned", "exit", "clause"]


def test_discontinued_clause_with_k_kept(ns):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k.keep())
        try:
            yield ns.Pong()
        finally:
            log.append("clause")

    @ns.do
    def program():
        first = yield stop_pong(ns)(hooked(ns, log, clause)(guarded(ns, log)))
        log.append("between")
        return first, (yield ns.Resume(kept[0], 2))

    assert ns.run(program()).value == ("stopped", ("mapped", 2))
    assert log == ["enter", "clause", "between", "cleaned", "result", "exit"]


# Control clauses that transfer or pass


def test_transfer_to_own_k(ns):
    log = []

    def clause(self, e, k):
        try:
            yield ns.Transfer(k, 5)
            log.append("never")
        finally:
            yield ns.Tell("clause")

    r = ns.run(guarded(ns, log), [ns.writer, hooked(ns, log, clause)])
    assert (r.value, list(r.log), log) == (("mapped", 5), ["clause"], ["enter", "cleaned", "result", "exit"])


def test_transfer_from_inside_other_prompts(ns):
    """The nearest clause is meant, through the prompts that it opened."""
    log = []

    @ns.do
    def inside(k):
        try:
            yield ns.Transfer(k, 5)
        finally:
            log.append("inside")

    def clause(e, k):
        try:
            yield hooked(ns, log, unasked)(inside(k))
        finally:
            log.append("clause")

    assert ns.run(ns.Ping(1), [clause]).value == 5
    assert log == ["enter", "inside", "exit", "clause"]


def test_transfer_to_own_k_that_was_kept(ns):
    def clause(e, k):
        yield ns.Transfer(k.keep(), 5)

    assert ns.run(ns.Ping(1), [clause]).value == 5


def test_transfer_throw_to_own_k(ns):
    log = []

    def clause(self, e, k):
        try:
            yield ns.TransferThrow(k, KeyError)
        finally:
            log.append("clause")

    assert type(ns.run(guarded(ns, log), [hooked(ns, log, clause)]).error) is KeyError
    assert log == ["enter", "clause", "cleaned", "error KeyError()", "exit"]


def test_transfer_of_a_used_k_is_an_error_at_the_yield(ns):
    def clause(e, k):
        r = yield ns.Resume(k, 1)
        try:
            yield ns.Transfer(k, 2)
        except ns.ContinuationError:
            return ("refused", r)

    assert ns.run(ns.Ping(1), [clause]).value == ("refused", 1)


def away(ns, log, others, clause, body=None):
    """Under a clause of Ping that may transfer to another `k`, in `others`."""

    @ns.do
    def other():
        try:
            return ("other", (yield ns.Ping(0)))
        except ns.Discontinued:
            log.append("lost")
            raise

    @ns.do
    def program():
        others.append((yield suspended(ns, other())))
        return ("here", (yield hooked(ns, log, clause)(body or guarded(ns, log))))

    return program()


def test_transfer_away_ends_the_body(ns):
    log, others = [], []

    def clause(self, e, k):
        try:
            yield ns.Transfer(others[0], 5)
        finally:
            log.append("clause")

    assert ns.run(away(ns, log, others, clause)).value == ("here", ("other", 5))
    assert log == ["enter", "clause", "cleaned", "exit"]


def test_transfer_away_after_resume(ns):
    log, others = [], []

    def clause(self, e, k):
        try:
            yield ns.Resume(k, 1)
            yield ns.Transfer(others[0], 5)
        finally:
            log.append("clause")

    assert ns.run(away(ns, log, others, clause)).value == ("here", ("other", 5))
    assert log == ["enter", "cleaned", "result", "exit", "clause"]


def test_transfer_away_with_k_kept(ns):
    log, others, kept = [], [], []

    def clause(self, e, k):
        kept.append(k.keep())
        yield ns.Transfer(others[0], 5)

    @ns.do
    def program():
        first = yield away(ns, log, others, clause)
        log.append("between")
        return first, (yield ns.Resume(kept[0], 2))

    assert ns.run(program()).value == (("here", ("other", 5)), ("mapped", 2))
    assert log == ["enter", "between", "cleaned", "result", "exit"]


def caught_at_the_perform(ns, log):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except KeyError as e:
            yield ns.Pure(None)
            return ("caught", e.args)

    return body()


def test_clean_up_error_stops_a_transfer_to_own_k(ns):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k)
        try:
            yield ns.Transfer(k, 5)
        finally:
            raise KeyError(1)

    assert ns.run(caught_at_the_perform(ns, log), [hooked(ns, log, clause)]).value == ("mapped", ("caught", (1,)))
    assert (log, kept[0].used) == (["enter", "result", "exit"], True)


def test_clean_up_error_stops_a_transfer_away(ns):
    log, others = [], []

    def clause(self, e, k):
        try:
            yield ns.Transfer(others[0], 5)
        finally:
            raise KeyError(1)

    r = ns.run(away(ns, log, others, clause, caught_at_the_perform(ns, log)))
    assert r.value == ("here", ("mapped", ("caught", (1,))))
    assert sorted(log) == ["enter", "exit", "lost", "result"]
    assert others[0].used


def test_clean_up_error_stops_a_transfer_away_after_resume(ns):
    log, others = [], []

    def clause(self, e, k):
        yield ns.Resume(k, 1)
        try:
            yield ns.Transfer(others[0], 5)
        finally:
            raise KeyError(1)

    assert ns.run(away(ns, log, others, clause)).error.args == (1,)
    assert log == ["enter", "cleaned", "result", "exit", "lost"]

    def keeps(self, e, k):
        others.append(k.keep())
        try:
            yield ns.Transfer(others[0], 5)
        finally:
            raise KeyError(1)

    log.clear()
    others.clear()
    assert ns.run(away(ns, log, others, keeps)).error.args == (1,)
    assert sorted(log) == ["cleaned", "enter", "exit", "lost"]


def test_clean_up_error_of_the_body_stops_a_transfer_away(ns):
    log, others = [], []

    def clause(self, e, k):
        yield ns.Transfer(others[0], 5)

    r = ns.run(away(ns, log, others, clause, failing(ns, log, KeyError(1))))
    assert r.error.args == (1,)
    assert log == ["enter", "cleaned", "error KeyError(1)", "exit", "lost"]


def test_pass_hands_effect_and_k_outward(ns):
    log = []

    def inner(self, e, k):
        try:
            yield ns.Pass()
        finally:
            log.append("clause")

    def outer(e, k):
        log.append(e)
        r = yield ns.Resume(k, 5)
        return ("outer", r)

    ends = ["cleaned", "result", "exit"]
    assert ns.run(guarded(ns, log), [outer, hooked(ns, log, inner)]).value == ("outer", ("mapped", 5))
    assert log == ["enter", "clause", ns.Ping(1), *ends]
    log.clear()
    returns = hooked(ns, log, lambda self, e, k: ns.Pass())
    assert ns.run(guarded(ns, log), [outer, returns]).value == ("outer", ("mapped", 5))
    assert log == ["enter", ns.Ping(1), *ends]


def test_pass_after_use_is_an_error_at_the_yield(ns):
    def clause(e, k):
        r = yield ns.Resume(k, 1)
        try:
            yield ns.Pass()
        except ns.ContinuationError:
            return ("refused", r)

    assert ns.run(ns.Ping(1), [clause]).value == ("refused", 1)


def test_pass_after_keep_is_an_error_at_the_yield(ns):
    def clause(e, k):
        k.keep()
        try:
            yield ns.Pass()
        except ns.ContinuationError:
            return ns.Resume(k, "refused")

    assert ns.run(ns.Ping(1), [clause]).value == "refused"


def test_pass_with_nobody_outside(ns):
    log = []

    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except ns.UnhandledEffectError:
            return "nobody"

    def clause(self, e, k):
        try:
            yield ns.Pass()
        finally:
            log.append("clause")

    assert ns.run(body(), [hooked(ns, log, clause)]).value == ("mapped", "nobody")
    assert log == ["enter", "clause", "result", "exit"]


def test_clean_up_error_stops_a_pass(ns):
    log = []

    def clause(self, e, k):
        try:
            yield ns.Pass()
        finally:
            raise KeyError(1)

    outer = ns.answers(ns.Ping)(lambda e: log.append("never"))
    r = ns.run(caught_at_the_perform(ns, log), [outer, hooked(ns, log, clause)])
    assert (r.value, log) == (("mapped", ("caught", (1,))), ["enter", "result", "exit"])


def test_transfer_outside_a_clause(ns):
    @ns.do
    def program():
        k = yield suspended(ns, ns.Ping(0))
        try:
            yield ns.Transfer(k, 1)
        except ns.ContinuationError:
            return k.used, (yield ns.Resume(k, 2))

    assert ns.run(program()).value == (False, 2)


def test_pass_outside_a_clause(ns):
    @ns.do
    def body():
        try:
            yield ns.Pass()
        except ns.ContinuationError:
            return (yield ns.Ping(3))

    assert ns.run(body(), [resumer(ns)]).value == 3

    # A clause that resumed this very body is not a clause around it.
    @ns.do
    def resumed():
        yield ns.Ping(1)
        refused = []
        for node in (ns.Pass(), ns.Delegate(), ns.GetContinuation()):
            try:
                refused.append((yield node))
            except ns.ContinuationError:
                refused.append("refused")
        return refused

    def waits(e, k):
        return (yield ns.Resume(k, e.n))

    outer = ns.answers(ns.Ping)(lambda e: "never")
    assert ns.run(resumed(), [outer, waits]).value == ["refused"] * 3


# Bodies


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


# Continuations


def test_resume_elsewhere_has_the_handlers_of_that_place(ns):
    @ns.do
    def body():
        first = yield ns.Ping(1)
        return first, (yield ns.Pong(2))

    def pong(tag):
        return ns.answers(ns.Pong)(lambda e: (tag, e.n))

    @ns.do
    def program():
        k = yield pong("there")(suspended(ns, body()))
        return (yield pong("here")(ns.Resume(k, 5)))

    assert ns.run(program()).value == (5, ("here", 2))


def test_resume_throw_raises_at_the_perform(ns):
    @ns.do
    def program():
        k = yield suspended(ns, caught_at_the_perform(ns, []))
        return (yield ns.ResumeThrow(k, KeyError("thrown")))

    assert ns.run(program()).value == ("caught", ("thrown",))
    assert ns.run(caught_at_the_perform(ns, []), [lambda e, k: k.throw(KeyError(2))]).value == ("caught", (2,))


def test_each_second_use_is_an_error_at_the_yield(ns):
    def clause(e, k):
        yield ns.Resume(k, 1)
        refused = 0
        for again in (
            ns.Resume(k, 2),
            ns.ResumeContinuation(k, 2),
            ns.ResumeThrow(k, KeyError(2)),
            ns.Transfer(k, 2),
            ns.TransferThrow(k, KeyError(2)),
            ns.Discontinue(k),
        ):
            try:
                yield again
            except ns.ContinuationError:
                refused += 1
        with pytest.raises(ns.ContinuationError):
            k.keep()
        return refused, k.used

    assert ns.run(ns.Ping(1), [clause]).value == (6, True)


def test_throwing_no_exception_leaves_k_usable(ns):
    def clause(e, k):
        try:
            yield ns.ResumeThrow(k, 42)
        except TypeError:
            return ns.Resume(k, k.used)

    assert ns.run(ns.Ping(1), [clause]).value is False


def test_discontinue_unwinds_here(ns):
    log = []

    def clause(self, e, k):
        r = yield ns.Discontinue(k)
        log.append("clause")
        return ("v", r)

    @ns.do
    def survives():
        try:
            yield ns.Ping(1)
        except ns.Discontinued:
            return "dropped"

    assert ns.run(guarded(ns, log), [hooked(ns, log, clause)]).value == ("v", None)
    assert log == ["enter", "cleaned", "exit", "clause"]
    assert ns.run(survives(), [hooked(ns, [], clause)]).value == ("v", None)


def test_discontinue_of_a_kept_k(ns):
    log = []

    @ns.do
    def program():
        k = yield suspended(ns, guarded(ns, log))
        log.append("before")
        return (yield k.discontinue()), k.used

    assert ns.run(program()).value == (None, True)
    assert log == ["before", "cleaned"]


def test_discontinue_whose_clean_up_raises(ns):
    log = []

    def clause(self, e, k):
        try:
            yield ns.Discontinue(k)
        except KeyError:
            return "caught"

    handler = hooked(ns, log, clause)
    assert ns.run(failing(ns, log, KeyError(1)), [handler]).value == "caught"
    assert log == ["enter", "cleaned", "error KeyError(1)", "exit"]


def test_k_of_another_run(ns):
    log, kept = [], []

    @ns.do
    def program():
        yield keeper(ns, kept)(guarded(ns, log))
        inner = ns.run(refused(ns, kept[0])).value
        return inner, list(log), (yield ns.Resume(kept[0], 2))

    assert ns.run(program()).value == ("refused", [], 2)
    assert log == ["cleaned"]


def used_later(ns, clause):
    stored = []

    @ns.do
    def program():
        yield ns.WithHandler(ns.handles(ns.Ping)(lambda e, k: clause(stored, k)), ns.Ping(1))
        return (yield refused(ns, stored[0]))

    return program()


def test_ended_k_cannot_be_used(ns):
    def clause(stored, k):
        stored.append(k)
        return "v"

    assert ns.run(used_later(ns, clause)).value == "refused"


def test_passed_k_cannot_be_used(ns):
    def clause(stored, k):
        stored.append(k)
        return ns.Pass()

    assert ns.run(used_later(ns, clause), [resumer(ns)]).value == "refused"


def test_dropping_an_unused_k_decides_nothing(ns):
    log = []

    def clause(self, e, k):
        del k
        gc.collect()
        yield ns.Pure(0)
        log.append("clause")
        return "v"

    assert ns.run(guarded(ns, log), [hooked(ns, log, clause)]).value == "v"
    assert log == ["enter", "clause", "cleaned", "exit"]

    def fails(self, e, k):
        del k
        gc.collect()
        yield ns.Pure(0)
        raise KeyError(1)

    assert ns.run(caught_at_the_perform(ns, log), [hooked(ns, [], fails)]).value == ("mapped", ("caught", (1,)))


def test_lost_k_is_unwound_between_two_steps(ns):
    log = []

    def clause(self, e, k):
        k.keep()
        return "v"

    @ns.do
    def nothing():
        return None

    @ns.do
    def program():
        yield hooked(ns, log, clause)(guarded(ns, log))
        yield nothing()
        log.append("program")

    ns.run(program())
    assert log == ["enter", "cleaned", "exit", "program"]


def test_k_is_not_lost_while_its_clause_is_at_work(ns):
    log = []

    def clause(self, e, k):
        k.keep()
        del k
        gc.collect()
        yield ns.Tell("clause")
        log.append("clause")
        k = yield ns.GetContinuation()
        return "v" if e.n else ns.Resume(k, 5)

    r = ns.run(guarded(ns, log), [ns.writer, hooked(ns, log, clause)])
    assert (r.value, log) == ("v", ["enter", "clause", "cleaned", "exit"])
    log.clear()
    r = ns.run(guarded(ns, log, ns.Ping(0)), [ns.writer, hooked(ns, log, clause)])
    assert (r.value, log) == (("mapped", 5), ["enter", "clause", "cleaned", "result", "exit"])


def test_lost_k_has_its_own_handlers_only(ns, unraisable):
    log = []

    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        finally:
            log.append((yield ns.Get("n")))
            yield ns.Tell("never")

    @ns.do
    def program():
        k = yield suspended(ns, ns.state({"n": 7})(body()))
        del k
        yield ns.Tell("told")
        return "result"

    r = ns.run(program(), [ns.writer])
    assert (r.value, list(r.log), log) == ("result", ["told"], [7])
    assert len(r.unobserved) == 1
    assert [type(e) for e in unraisable] == [ns.UnhandledEffectError]


def test_lost_k_that_raises_a_base_exception(ns):
    log = []

    @ns.do
    def nothing():
        return None

    @ns.do
    def program():
        k = yield suspended(ns, failing(ns, log, SystemExit(3)))
        del k
        try:
            yield nothing()
            yield nothing()
        except SystemExit as e:
            return e.code

    r = ns.run(program())
    assert (r.value, log, list(r.unobserved)) == (3, ["cleaned"], [])


def test_dropping_a_used_k(ns, unraisable):
    log = []

    @ns.do
    def program():
        k = yield suspended(ns, guarded(ns, log))
        r = yield ns.Resume(k, 1)
        del k
        yield ns.Pure(0)
        return r

    assert ns.run(program()).value == 1
    assert (log, unraisable) == (["cleaned"], [])


def test_run_over_unwinds_in_order_of_capture(ns):
    log, kept = [], []

    @ns.do
    def program():
        for mark in ("first", "second", "third"):
            yield keeper(ns, kept)(guarded(ns, log, mark=mark))
        kept.reverse()
        yield ns.Discontinue(kept[1])
        log.append("program")
        return "result"

    assert ns.run(program()).value == "result"
    assert log == ["second", "program", "first", "third"]
    assert [(k.used, ns.run(refused(ns, k)).value) for k in kept] == [(True, "refused")] * 3


def test_run_over_with_a_kept_k_whose_clause_waits(ns):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k.keep())
        try:
            yield ns.Pong()
        finally:
            log.append("clause")

    keeps = ns.handles(ns.Pong)(lambda e, k: kept.append(k.keep()))
    ns.run(guarded(ns, log), [keeps, hooked(ns, log, clause)])
    assert log == ["enter", "clause", "cleaned", "exit"]


def test_run_over_keeps_its_result(ns, unraisable):
    log, kept = [], []

    def clause(self, e, k):
        kept.append(k.keep())
        return "result"

    r = ns.run(failing(ns, log, KeyError(1)), [hooked(ns, log, clause)])
    assert (r.value, len(r.unobserved), [e.args for e in unraisable]) == ("result", 1, [(1,)])
    assert log == ["enter", "cleaned", "error KeyError(1)", "exit"]


def test_run_over_raises_what_is_no_exception(ns):
    log, kept = [], []

    @ns.do
    def program():
        yield keeper(ns, kept)(failing(ns, log, SystemExit(3)))
        yield keeper(ns, kept)(guarded(ns, log, mark="next"))
        return "result"

    with pytest.raises(SystemExit) as caught:
        ns.run(program())
    assert (caught.value.code, log) == (3, ["cleaned", "next"])
    assert list(caught.value.run_result.unobserved) == []


def test_run_over_with_a_clause_that_waits(ns):
    log, kept = [], []

    def clause(self, e, k):
        try:
            yield ns.Pong()
        finally:
            log.append("clause")

    @ns.handles(ns.Pong)
    def keeps(e, k):
        kept.append(k.keep())
        return "result"

    assert ns.run(guarded(ns, log), [keeps, hooked(ns, log, clause)]).value == "result"
    assert log == ["enter", "clause", "cleaned", "exit"]


def test_k_after_its_run(ns):
    kept = []

    def clause(e, k):
        kept.append(k)
        return ns.Resume(k, 1)

    assert ns.run(ns.Ping(1), [clause]).value == 1
    assert ns.run(refused(ns, kept[0])).value == "refused"


def created(ns, log):
    @ns.do
    def body():
        log.append("started")
        return (yield ns.Ping(3))

    return ns.CreateContinuation(body(), [hooked(ns, log, lambda self, e, k: ns.Resume(k, e.n))])


def test_unstarted_k_is_resumed(ns):
    log = []

    @ns.do
    def program():
        k = yield created(ns, log)
        before = (k.used, k.kept, list(log))
        return before, (yield ns.ResumeContinuation(k, None))

    assert ns.run(program()).value == ((False, True, []), ("mapped", 3))
    assert log == ["enter", "started", "result", "exit"]


def test_unstarted_k_takes_none_first(ns):
    log = []

    @ns.do
    def program():
        k = yield created(ns, log)
        try:
            yield ns.Resume(k, 1)
        except TypeError:
            return k.used, (yield ns.Resume(k, None))

    assert ns.run(program()).value == (False, ("mapped", 3))


def test_unstarted_k_is_thrown_into(ns):
    log = []

    @ns.do
    def program():
        k = yield created(ns, log)
        try:
            yield ns.ResumeThrow(k, KeyError(1))
        except KeyError as e:
            return e.args

    assert (ns.run(program()).value, log) == ((1,), [])


def test_unstarted_k_is_let_go(ns):
    log, kept = [], []

    @ns.do
    def program():
        k = yield created(ns, log)
        discontinued = yield ns.Discontinue(k)
        dropped = yield created(ns, log)
        del dropped
        kept.append((yield created(ns, log)))
        return discontinued, k.used

    r = ns.run(program())
    assert (r.value, log, list(r.unobserved)) == ((None, True), [], [])
    assert ns.run(refused(ns, kept[0])).value == "refused"


# The ten programs of the interface


def test_api_clause_that_does_not_resume_last(ns):
    def nontail(e, k):
        r = yield ns.Resume(k, e.n + 1)
        return ("handled", r)

    assert ns.run(ns.Ping(1), handlers=[nontail]).value == ("handled", 2)


def test_api_delegate(ns):
    def outer(e, k):
        return ns.Resume(k, 42)

    def doubler(e, k):
        v = yield ns.Delegate()
        return ns.Resume(k, v * 2)

    @ns.do
    def plus_one():
        return (yield ns.Ping()) + 1

    assert ns.run(plus_one(), handlers=[outer, doubler]).value == 85


def test_api_clean_up_before_the_value(ns):
    @ns.handles(ns.Ping)
    def stop(e, k):
        return "stopped"

    @ns.do
    def careful():
        try:
            yield ns.Ping()
        finally:
            yield ns.Tell("cleaned")

    @ns.do
    def both():
        yield ns.Tell((yield ns.WithHandler(stop, careful())))

    assert list(ns.run(both(), handlers=[ns.writer]).log) == ["cleaned", "stopped"]


def test_api_value_clause_that_fails(ns):
    @ns.do
    def catches():
        try:
            yield ns.Ping()
        except ValueError as e:
            return str(e)

    @ns.answers(ns.Ping)
    def fails(e):
        raise ValueError("no")

    assert ns.run(catches(), handlers=[fails]).value == "no"


def test_api_clause_that_catches_the_error_of_its_body(ns):
    def saves(e, k):
        try:
            return (yield ns.Resume(k, 1))
        except KeyError:
            return "saved"

    @ns.do
    def breaks():
        yield ns.Ping()
        raise KeyError("x")

    assert ns.run(breaks(), handlers=[saves]).value == "saved"


def test_api_handler_class_runs_twice(ns):
    class Counter(ns.Handler):
        def enter(self):
            self.n = 0

        @ns.answers(ns.Ping)
        def ping(self, e):
            self.n += e.n
            return self.n

        def result(self, value):
            return (value, self.n)

    @ns.do
    def thrice():
        first = yield ns.Ping(1)
        second = yield ns.Ping(2)
        return [first, second, (yield ns.Ping(3))]

    counter = Counter()
    for _ in range(2):
        assert ns.run(thrice(), handlers=[counter]).value == ([1, 3, 6], 6)


def test_api_built_ins(ns):
    @ns.do
    def bump():
        n = yield ns.Get("n")
        yield ns.Put("n", n + 1)
        yield ns.Tell(n)
        return (yield ns.Ask("who"))

    r = ns.run(bump(), [ns.state, ns.writer, ns.reader], env={"who": "me"}, store={"n": 1})
    assert (r.value, r.raw_store, list(r.log)) == ("me", {"n": 2}, [1])


def test_api_kept_continuation(ns):
    kept = []

    @ns.do
    def twice():
        a = yield ns.WithHandler(keeper(ns, kept), ns.Ping(1))
        b = yield ns.Resume(kept[0], 9)
        return a, b

    assert ns.run(twice()).value == ("later", 9)


def test_api_second_use(ns):
    def again(e, k):
        a = yield ns.Resume(k, 1)
        try:
            yield ns.Resume(k, 2)
        except ns.ContinuationError:
            return ("once", a)

    assert ns.run(ns.Ping(0), handlers=[again]).value == ("once", 1)


def test_api_map(ns):
    assert ns.run(ns.Pure(1).map(lambda x: x + 1)).value == 2


# The table itself


def test_each_row_of_the_table_names_tests_that_exist():
    text = (HERE.parents[1] / "specs" / "ends.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| **E-")]
    assert [row[4:8] for row in rows] == [f"E-{n:02}" for n in range(1, len(rows) + 1)]
    named = [re.findall(r"`tests/python/test_oracle\.py::(\w+)`", row) for row in rows]
    assert all(named)
    assert [name for names in named for name in names if not callable(globals().get(name))] == []
    ends = [
        name for name in globals() if name.startswith("test_") and not name.startswith(("test_api", "test_each_row"))
    ]
    assert sorted(set(ends) - {name for names in named for name in names}) == []
