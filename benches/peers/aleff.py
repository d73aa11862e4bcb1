"""aleff: effects in direct style, on greenlets; its default is the multi-shot handler.

What follows a resume runs inside of the clause, so each effect takes a frame of Python's stack until the handled block
ends: some hundred in one block are a RecursionError. The rows handle a block for each `BLOCK` effects.
"""

from __future__ import annotations

from aleff import create_handler, disable_c_warnings, effect

from benches.row import Work

# An aid for debugging that is on at first: calls anywhere in the process take ten times as long and more with it.
disable_c_warnings()

PACKAGE = "aleff"
WITHOUT = {
    "value-clause": "every clause gets its continuation",
    "generator-clause": "clauses are plain functions",
    "nontail-clause": "ten thousand pending clauses are a RecursionError",
    "lookup-50": "installing fifty handlers is most of what a block of a hundred effects takes",
    "lookup-200": "installing two hundred handlers is most of what a block of a hundred effects takes",
    "call": "in direct style a call is Python's own",
    "tasks": "it has no scheduler",
}

BLOCK = 100
ping, get, put = effect("ping"), effect("get"), effect("put")


def pings(size):
    total = 0
    for _ in range(size):
        total += ping()
    return total


def counts(size):
    count = 0
    for _ in range(size // 2):
        count = get("n")
        put("n", count + 1)
    return count


def asks(size):
    total = 0
    for _ in range(size):
        total += get("n")
    return total


def blocks(size):
    """How many effects each handled block has."""
    return [min(BLOCK, size - done) for done in range(0, size, BLOCK)]


def state(size):
    def round_():
        store = {"n": 0}
        handler = create_handler(get, put)
        count = 0

        @handler.on(get)
        def _get(k, key):
            return k(store[key])

        @handler.on(put)
        def _put(k, key, value):
            store[key] = value
            return k(None)

        for block in blocks(size):
            count = handler(lambda block=block: counts(block))
        return count

    return Work(round_, size // 2 - 1, size)


def ask(size):
    def round_():
        handler = create_handler(get)
        handler.on(get)(lambda k, key: k({"n": 1}[key]))
        return sum(handler(lambda block=block: asks(block)) for block in blocks(size))

    return Work(round_, size, size)


def plain(size):
    def round_():
        handler = create_handler(ping)
        handler.on(ping)(lambda k: k(1))
        return sum(handler(lambda block=block: pings(block)) for block in blocks(size))

    return Work(round_, size, size)


ROWS = {
    "state": state,
    "ask": ask,
    "plain-clause": plain,
}
