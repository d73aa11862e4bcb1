"""One effect, one call: Segue against U."""

from __future__ import annotations

from benches.floors import bare, same
from benches.row import ROUND, Inside, Row, Work, clock
from segue import Ask, Delegate, Effect, Get, Pass, Put, Resume, answers, do, handles, reader, run, state


class Ping(Effect[int]):
    pass


PING, GET, PUT = Ping(), Get("n"), Put("n", 1)


@do
def pings(size):
    total = 0
    for _ in range(size):
        total += yield PING
    return total


def handled(*handlers):
    """Make a run of `pings` under these handlers; each effect is answered with 1."""
    return lambda size: Work(lambda: run(pings(size), handlers=handlers).value, size, size)


# State and reader


@do
def counts(size):
    count = 0
    for _ in range(size // 2):
        count = yield Get("n")
        yield Put("n", count + 1)
    return count


@do
def counts_from(size):
    count = 0
    for _ in range(size // 2):
        count = yield from Get("n")
        yield from Put("n", count + 1)
    return count


@do
def reuses(size):
    count = 0
    for _ in range(size // 2):
        count += yield GET
        yield PUT
    return count


@do
def asks(size):
    total = 0
    for _ in range(size):
        total += yield Ask("n")
    return total


def counted(program):
    def make(size):
        def round_():
            done = run(program(size), handlers=[state({"n": 0})])
            return done.value, done.raw_store["n"]

        return Work(round_, (size // 2 - 1, size // 2), size)

    return make


def reused(size):
    return Work(lambda: run(reuses(size), handlers=[state({"n": 1})]).value, size // 2, size)


def asked(size):
    return Work(lambda: run(asks(size), handlers=[reader({"n": 1})]).value, size, size)


# Clauses of users


@answers(Ping)
def value_clause(effect):
    return 1


@handles(Ping)
def plain_clause(effect, k):
    return Resume(k, 1)


@handles(Ping)
def generator_clause(effect, k):
    return (yield Resume(k, 1))


@handles(Ping)
def nontail_clause(effect, k):
    rest = yield Resume(k, 1)
    return rest + 1


def pending(size):
    return Work(lambda: run(pings(size), handlers=[nontail_clause]).value, 2 * size, size)


@answers(Ping)
def delegates(effect):
    return (yield Delegate())


@answers(Ping)
def passes(effect):
    return Pass()


# Handlers between


def other(number):
    """Make a handler that has no clause for `Ping`."""
    effect = type(f"Other{number}", (Effect,), {})
    return answers(effect)(lambda effect: None)


OTHERS = [other(number) for number in range(2000)]


@do
def pings_timed(size):
    begun = clock()
    total = yield pings(size)
    return Inside(clock() - begun, total)


def below(between):
    """Make rounds of `pings` with so many handlers between the program and its handler, without their installation."""
    handlers = [value_clause, *OTHERS[:between]]
    return lambda size: Work(lambda: run(pings_timed(size), handlers=handlers).value, size, size)


# Calls


@do
def descends(depth):
    return 0 if depth == 0 else 1 + (yield descends(depth - 1))


@do
def leaf(value):
    if value < 0:
        yield PING
    return value


@do
def calls(size):
    total = 0
    for _ in range(size):
        total += yield leaf(1)
    return total


def leaf_of(value):
    if value < 0:
        yield PING
    return value


@do
def calls_from(size):
    total = 0
    for _ in range(size):
        total += yield from leaf_of(1)
    return total


def called(size, program=calls):
    return Work(lambda: run(program(size)).value, size, size)


def both(name, what, must, reach, subject, floor):
    """Make the two rows of a path whose program does more than yield: against the same generator, and bare yields."""
    return [
        Row(name, what, "U", must, reach, (ROUND,), subject, floor),
        Row(f"{name}-bare", f"{what}; bare U", "U", must, reach, (ROUND,), subject, bare, program=name),
    ]


def path(name, what, must, reach, subject, size=ROUND, program=""):
    """Make the row of a path whose program reuses one effect object: `bare` is the same generator then."""
    return Row(name, what, "U", must, reach, (size,), subject, bare, program=program or name)


ROWS = [
    *both(
        "state",
        "Get and Put, the effect made each time",
        3.5,
        3.0,
        counted(counts),
        same(counts.__wrapped__, 1, lambda size: 1),
    ),
    Row(
        "state-from",
        "the same by `yield from`",
        "U",
        None,
        None,
        (ROUND,),
        counted(counts_from),
        same(counts_from.__wrapped__, 1, lambda size: 1),
    ),
    Row(
        "state-from-bare",
        "the same by `yield from`; bare U",
        "U",
        None,
        None,
        (ROUND,),
        counted(counts_from),
        bare,
    ),
    *both(
        "state-reused",
        "Get and Put, one effect object reused",
        2.0,
        1.5,
        reused,
        same(reuses.__wrapped__, 1, lambda size: size // 2),
    ),
    *both("ask", "Ask, the effect made each time", 3.5, 3.0, asked, same(asks.__wrapped__, 1, int)),
    path("value-clause", "value clause", 3.0, 2.2, handled(value_clause)),
    path("plain-clause", "plain clause that returns Resume", 7.5, 5.5, handled(plain_clause)),
    path("generator-clause", "generator clause, resume in tail position", 11.0, 8.5, handled(generator_clause)),
    path("nontail-clause", "generator clause, not in tail position, 10 000 pending", 20.0, 14.0, pending, 10_000),
    *(
        Row(
            f"lookup-{between}",
            f"value clause beyond {between} handlers that do not match",
            "depth 1",
            1.5,
            1.2,
            (ROUND,),
            below(between),
            below(0),
            program=f"lookup-{between}",
        )
        for between in (50, 200)
    ),
    *(
        path(
            f"lookup-{between}-bare",
            f"the same beyond {between}; bare U",
            None,
            None,
            below(between),
            program=f"lookup-{between}",
        )
        for between in (50, 200)
    ),
    path("delegate", "Delegate, one hop", 10.0, 6.0, handled(value_clause, delegates)),
    path("pass", "Pass, one hop", 10.0, 6.0, handled(value_clause, passes)),
    *both("call", "call of a `@do` function, and its return", 9.0, 6.6, called, same(calls.__wrapped__, 1, int)),
    Row(
        "call-from",
        "call of a plain generator by `yield from`, and its return; bare U",
        "U",
        None,
        None,
        (ROUND,),
        lambda size: called(size, calls_from),
        bare,
        program="call",
    ),
]
