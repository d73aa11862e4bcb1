"""greenlet: no effects, but coroutines of C stacks; a program asks its parent, which answers."""

from __future__ import annotations

from greenlet import getcurrent, greenlet

from benches.row import Work

PACKAGE = "greenlet"
WITHOUT = {
    "plain-clause": "an effect here is a switch to the parent and back",
    "generator-clause": "an effect here is a switch to the parent and back",
    "nontail-clause": "an effect here is a switch to the parent and back",
    "lookup-50": "there are no handlers to look through",
    "lookup-200": "there are no handlers to look through",
    "call": "in direct style a call is Python's own",
    "tasks": "it has no scheduler",
}


class Ping:
    pass


class Get:
    def __init__(self, key):
        self.key = key


class Put:
    def __init__(self, key, value):
        self.key, self.value = key, value


PING = Ping()


def perform(effect):
    return getcurrent().parent.switch(effect)


def pings(size):
    total = 0
    for _ in range(size):
        total += perform(PING)
    return total


def counts(size):
    count = 0
    for _ in range(size // 2):
        count = perform(Get("n"))
        perform(Put("n", count + 1))
    return count


def drive(program, size, clauses):
    child = greenlet(program)
    asked = child.switch(size)
    while not child.dead:
        asked = child.switch(clauses[type(asked)](asked))
    return asked


def handled(program, clauses, ends=()):
    """What whole programs want: answer, but end the program at a kind of `ends`, and ask outside what has no clause."""
    child = greenlet(program)
    asked = child.switch()
    while not child.dead and (kind := type(asked)) not in ends:
        asked = child.switch(clauses.get(kind, perform)(asked))
    return asked


def state(size):
    def round_():
        store = {"n": 0}
        clauses = {
            Get: lambda effect: store[effect.key],
            Put: lambda effect: store.__setitem__(effect.key, effect.value),
        }
        return drive(counts, size, clauses)

    return Work(round_, size // 2 - 1, size)


def switch(size):
    def round_():
        done = [0, 0]

        def turns(own, other):
            for _ in range(size // 2):
                done[own] += 1
                both[other].switch(other, own)

        both = greenlet(turns), greenlet(turns)
        both[0].switch(0, 1)
        return sum(done)

    return Work(round_, size // 2 * 2, size)


ROWS = {
    "state": state,
    "value-clause": lambda size: Work(lambda: drive(pings, size, {Ping: lambda effect: 1}), size, size),
    "switch": switch,
}
