"""The ten programs of the interface, on the oracle and on the machine."""

from ends import keeper


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
