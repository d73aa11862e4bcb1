"""The table of ends: control clauses that raise, on the oracle and on the machine."""

from ends import guarded, hooked


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
