"""What a program of the suite takes without any machine: `python -m benches.effect_handlers_bench.floors`.

The generators are driven by the floor loop, or by hand, and make the objects that the program makes; clauses are called
as the functions that they are. Nobody looks at what is yielded. Below this no design on generators and objects gets.
"""

from __future__ import annotations

from benches.effect_handlers_bench.generator import with_segue as generator
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


def clause(method, handler, effect):
    """Make the round of a method as the function that it is, called with its handler and an effect."""
    function = method.__wrapped__

    def calls():
        for _ in range(SIZE):
            function(handler, effect)

    return Work(calls, None, SIZE)


def finish(suspended):
    """Send `None` into a generator for the last time."""
    try:
        suspended.send(None)
    except StopIteration:
        return


def walks():
    """Make and run what one operation of `generator` calls: a node's program and an empty one's."""
    function = generator.walk.__wrapped__
    node = generator.tree(1)

    def calls():
        for _ in range(SIZE):
            for subject in (node, None):
                generator.walk(subject)
                begun = function(subject)
                if subject is None:
                    finish(begun)
                else:
                    begun.send(None)

    return Work(calls, None, SIZE)


def pending():
    """Suspend a clause of `resume_nontail` at its `Resume` for each operation, then finish them."""
    k = a_continuation()

    def folded(effect, k):
        rest = yield Resume(k, None)
        return operator(effect.number, rest or 0)

    def rounds():
        effect = resuming.Operator(3)
        begun = []
        for _ in range(SIZE):
            one = folded(effect, k)
            one.send(None)
            begun.append(one)
        while begun:
            finish(begun.pop())

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
            "clause": clause(parsing.Feed.read, feeding(), parsing.Read()),
        },
        "generator": {"calls": walks()},
        "resume_nontail": {"effects": driven(operators), "clauses": pending()},
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
