"""The table of ends: continuations, on the oracle and on the machine."""

import gc

import pytest

from ends import caught_at_the_perform, failing, guarded, hooked, keeper, resumer, suspended


def refused(ns, k):
    """Tries to use what cannot be used."""

    @ns.do
    def program():
        try:
            yield ns.Resume(k, None)
        except ns.ContinuationError:
            return "refused"

    return program()


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
