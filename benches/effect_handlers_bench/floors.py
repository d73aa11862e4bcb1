"""What a program of the suite takes without any machine: `python -m benches.effect_handlers_bench.floors`.

The generators are driven by the floor loop and make the objects that the program makes; clauses are called as the
functions that they are, all of it from C. Nobody looks at what is yielded, finds a handler or routes an answer.
"""

from __future__ import annotations

from collections import deque
from itertools import islice, repeat

from benches.effect_handlers_bench.generator import with_segue as generator
from benches.effect_handlers_bench.handler_sieve import with_segue as sieve
from benches.effect_handlers_bench.iterator import with_segue as iterator
from benches.effect_handlers_bench.parsing_dollars import with_segue as parsing
from benches.effect_handlers_bench.resume_nontail import operator
from benches.effect_handlers_bench.resume_nontail import with_segue as resuming
from benches.floors import drive
from benches.measure import take_turns
from benches.row import Work
from benches.table import lines, number
from segue import Effect, Get, Put, Resume, handles, run

SIZE = 2_000


class Ask(Effect[None]):
    pass


def a_continuation():
    """Give some `k`, for nodes that want one."""
    kept = []

    @handles(Ask)
    def keeps(effect, k):
        kept.append(k.keep())

    run(Ask(), handlers=[keeps])
    return kept[0]


def driven(program, size=SIZE):
    """Make the round of a generator that yields so often, answered with `None`."""
    return Work(lambda: drive(program(), None), None, size)


def counts():
    for value in range(SIZE // 2):
        yield Get("n")
        yield Put("n", value)


def emits():
    for value in range(SIZE):
        yield iterator.Emit(value)


def reads():
    for _ in range(SIZE):
        yield parsing.Read()


def operators():
    for value in range(SIZE):
        yield resuming.Operator(value)


def exhaust(iterator):
    """Go through an iterator, in C."""
    deque(iterator, maxlen=0)


def clause(handles, *arguments):
    """Make the round of a clause as the function that it is: a method is called with its handler first."""
    function, *others, effect = handles.__wrapped__, *map(repeat, arguments)
    return Work(lambda: exhaust(map(function, *others, islice(effect, SIZE))), None, SIZE)


def objects():
    """Make an object for each operation, all of which live until the end: as small a tuple as holds one thing."""
    return Work(lambda: exhaust(list(zip(repeat(None, SIZE), strict=True))), None, SIZE)


def ended(function, *arguments):
    """Make generators of a function with the same arguments, and drive each to its end."""
    return map(drive, map(function, *map(repeat, arguments)), repeat(None, SIZE))


def generator_clause(method, handler, effect):
    """Make the round of a method that makes a generator, which comes to a value at once."""
    return Work(lambda: exhaust(ended(method.__wrapped__, handler, effect)), None, SIZE)


def walks():
    """Make and run the programs of a node and of an empty one: two calls and an effect."""
    function, node = generator.walk.__wrapped__, generator.tree(1)

    def rounds():
        exhaust(ended(function, node))
        exhaust(ended(function, None))

    return Work(rounds, None, SIZE)


def pending():
    """Suspend a clause of `resume_nontail` at its `Resume` for each operation, then finish them, the last first."""
    k, effect = a_continuation(), resuming.Operator(3)

    def folded(effect, k):
        rest = yield Resume(k, None)
        return operator(effect.number, rest or 0)

    def rounds():
        begun = list(map(folded, repeat(effect, SIZE), repeat(k)))
        exhaust(map(next, begun))
        exhaust(map(drive, map(list.pop, repeat(begun, SIZE)), repeat(None)))

    return Work(rounds, None, SIZE)


def entered(handler):
    """Enter a handler by hand."""
    handler.enter()
    return handler


def feeding():
    """Make a `Feed` that has dollars left."""
    feed = entered(parsing.Feed(10**9))
    feed.line, feed.left = 1, 10**9
    return feed


def parts() -> dict[str, dict[str, Work]]:
    """Name what each program's operation consists of at least."""
    return {
        "countdown": {"effects": driven(counts)},
        "iterator": {
            "effects": driven(emits),
            "clause": clause(iterator.Sum.emit, entered(iterator.Sum()), iterator.Emit(1)),
        },
        "parsing_dollars": {
            "effects": driven(reads),
            "clause": generator_clause(parsing.Feed.read, feeding(), parsing.Read()),
        },
        "generator": {"calls": walks()},
        "resume_nontail": {"effects": driven(operators), "clauses": pending(), "an object for each `k`": objects()},
        "handler_sieve": {"clause that passes": clause(sieve.divisible_by(7), sieve.Prime(11))},
    }


def main() -> None:
    """Measure and print."""
    body = []
    for program, works in parts().items():
        rounds = take_turns(works, 3.0)
        fastest = {name: min(times) * 1e9 for name, times in rounds.items()}
        told = ", ".join(f"{name} {number(nanoseconds)}" for name, nanoseconds in fastest.items())
        body.append((program, number(sum(fastest.values())), told))
    print(lines(("program", "ns an operation, at least", "of which"), body))


if __name__ == "__main__":
    main()
