"""The table of ends: what becomes of a value clause, on the oracle and on the machine."""

from ends import guarded, suspended


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
