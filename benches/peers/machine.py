"""A machine for deep handlers in plain Python, as short as one can be: the speed to beat.

Programs are generators, handlers map the class of an effect to a clause. The stack holds generators and prompts. It
routes no exception, ends no program cleanly, and checks nothing. A generator clause that yields a `Transfer` is left
for good, where `Resume` comes back to it.
"""

from __future__ import annotations

from types import GeneratorType

from benches.row import Work

PACKAGE = None
WITHOUT = {"tasks": "it is a machine for handlers, and has no scheduler"}


class Prompt:
    __slots__ = ("answers", "controls")

    def __init__(self, answers, controls):
        self.answers, self.controls = answers, controls


class Resume:
    __slots__ = ("k", "value")

    def __init__(self, k, value):
        self.k, self.value = k, value


class Transfer(Resume):
    __slots__ = ()


def run(program, *prompts):
    stack, value = [*prompts, program], None
    while stack:
        top = stack[-1]
        if type(top) is Prompt:
            stack.pop()
            continue
        try:
            yielded = top.send(value)
        except StopIteration as end:
            stack.pop()
            value = end.value
            continue
        kind = type(yielded)
        if kind is GeneratorType:
            stack.append(yielded)
            value = None
        elif kind is Resume:
            stack += yielded.k
            value = yielded.value
        elif kind is Transfer:
            stack.pop()
            stack += yielded.k
            value = yielded.value
        else:
            place = len(stack) - 1
            while type(prompt := stack[place]) is not Prompt or (
                kind not in prompt.answers and kind not in prompt.controls
            ):
                place -= 1
            if kind in prompt.answers:
                value = prompt.answers[kind](yielded)
                continue
            k = stack[place:]
            del stack[place:]
            ended = prompt.controls[kind](yielded, k)
            value = None
            if type(ended) is GeneratorType:
                stack.append(ended)
            elif type(ended) is Resume:
                stack += ended.k
                value = ended.value
            else:
                value = ended
    return value


class Ping:
    __slots__ = ()


class Other:
    __slots__ = ()


class Get:
    __slots__ = ("key",)

    def __init__(self, key):
        self.key = key


class Put:
    __slots__ = ("key", "value")

    def __init__(self, key, value):
        self.key, self.value = key, value


PING = Ping()


def pings(size):
    total = 0
    for _ in range(size):
        total += yield PING
    return total


def counts(size):
    count = 0
    for _ in range(size // 2):
        count = yield Get("n")
        yield Put("n", count + 1)
    return count


def leaf(value):
    if value < 0:
        yield PING
    return value


def calls(size):
    total = 0
    for _ in range(size):
        total += yield leaf(1)
    return total


def plain(effect, k):
    return Resume(k, 1)


def tail(effect, k):
    return (yield Resume(k, 1))


def nontail(effect, k):
    rest = yield Resume(k, 1)
    return rest + 1


def controlled(clause, answer=int):
    return lambda size: Work(lambda: run(pings(size), Prompt({}, {Ping: clause})), answer(size), size)


def state(size):
    def round_():
        store = {"n": 0}
        answers = {
            Get: lambda effect: store[effect.key],
            Put: lambda effect: store.__setitem__(effect.key, effect.value),
        }
        return run(counts(size), Prompt(answers, {}))

    return Work(round_, size // 2 - 1, size)


def below(between):
    prompts = [Prompt({Ping: lambda effect: 1}, {}), *[Prompt({Other: plain}, {}) for _ in range(between)]]
    return lambda size: Work(lambda: run(pings(size), *prompts), size, size)


ROWS = {
    "state": state,
    "value-clause": below(0),
    "plain-clause": controlled(plain),
    "generator-clause": controlled(tail),
    "nontail-clause": controlled(nontail, lambda size: 2 * size),
    "lookup-0": below(0),
    "lookup-50": below(50),
    "lookup-200": below(200),
    "call": lambda size: Work(lambda: run(calls(size)), size, size),
}
