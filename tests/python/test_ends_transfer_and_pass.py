"""The table of ends: control clauses that transfer or pass, on the oracle and on the machine."""

from ends import caught_at_the_perform, failing, guarded, hooked, resumer, suspended, unasked


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
