"""The lifetime matrix: what stands around a continuation, what its body does, and how it is let go.

Each piece is said twice: here as a program, for the oracle and the machine; in `lifetime_law` as what the law says.
A *layer* is a handler with hooks, an interceptor, a `Try` or a `Seal`. Layers stand inside `k` (between the performer
and the prompt that captures it), outside of it, and around the place where a kept one is discontinued later.
"""

from __future__ import annotations

import collections
import functools
import inspect
import itertools
import signal
import threading
import types
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ends import namespace

NOBODY = "nobody"


class Layer(NamedTuple):
    kind: str
    name: str


class Raised(NamedTuple):
    """An outcome that is no value."""

    name: str


KINDS = ("handler", "interceptor", "try", "seal")
# Nothing, one, any two, and all of them in both orders.
STACKS = tuple(itertools.chain([()], *(itertools.product(KINDS, repeat=n) for n in (1, 2)), [KINDS, KINDS[::-1]]))


def layers(where, kinds):
    """Named layers, the innermost first."""
    return tuple(Layer(kind, f"{where} {kind} {i}") for i, kind in enumerate(kinds))


@functools.cache
def names(implementation):
    """The names of an implementation, the effects of the matrix, and its handlers."""
    ns = namespace(implementation)

    class Clean(ns.Effect[str]):
        pass

    class Leave(ns.Effect[None]):
        pass

    class Hooked(ns.Handler):
        """Logs its life cycle; its `exit` performs."""

        def __init__(self, case, layer):
            self.case, self.layer = case, layer

        def log(self, *entry):
            self.case.log.append((self.layer.name, *entry))

        def enter(self):
            self.log("enter")

        def result(self, value):
            self.log("result", self.case.show(value))
            return value

        def error(self, exc):
            self.log("error", type(exc).__name__)
            raise exc

        def exit(self):
            yield from self.case.cleaned(self.layer.name, "exit")

    class Serving(Hooked):
        @ns.answers(Clean)
        def serve(self, e):
            return self.layer.name

    class Owner(Hooked):
        """The handler whose clause is given `k`."""

        @ns.handles(ns.Ping)
        def ping(self, e, k):
            return (yield from self.case.watch(self.case.clause(k)))

    @ns.answers(Leave)
    def leaves(e):
        raise KeyboardInterrupt

    return types.SimpleNamespace(
        **vars(ns),
        Clean=Clean,
        Leave=Leave,
        Serving=Serving,
        Owner=Owner,
        leaves=leaves,
        is_machine=ns.__name__ == "segue",
    )


@dataclass
class Case:
    """One way of letting go, with one body, inside and outside of certain layers."""

    ns: Any
    way: str
    body: str
    inside: tuple[Layer, ...]
    outside: tuple[Layer, ...]
    log: list = field(default_factory=list)
    kept: list = field(default_factory=list)
    generators: list = field(default_factory=list)
    boom: ValueError = field(default_factory=lambda: ValueError("clean-up"))

    # What is watched

    def watch(self, generator):
        """Holds the generator: a reference decides nothing (semantics 3), and shows in which state it was left."""
        self.generators.append(generator)
        return generator

    def suspended(self):
        return [g.__name__ for g in self.generators if inspect.getgeneratorstate(g) != inspect.GEN_CLOSED]

    def open_blocks(self):
        """What was entered and not left, or left more than once."""
        marks = {"outer": "outer", "clause": "clause done", "main": "program done"}
        count = collections.Counter(marks[g.__name__] for g in self.generators if g.__name__ in marks)
        count.update(name for name, *what in self.log if what == ["enter"])
        count.subtract(entry[0] for entry in self.log if entry[0] in marks.values() or entry[1:2] == ("exit",))
        return {name: n for name, n in count.items() if n}

    def show(self, value):
        match value:
            case self.ns.Ok(inner):
                return ("Ok", self.show(inner))
            case self.ns.Err(error):
                return ("Err", type(error).__name__)
        return value

    # The pieces

    def clean(self):
        """An effect of a clean-up, whoever serves it."""
        try:
            return (yield self.ns.Clean())
        except self.ns.UnhandledEffectError:
            return NOBODY

    def cleaned(self, *mark, signalled=False):
        """Marks a clean-up, whether or not its effect was served. Ctrl-C arrives at the yield, at the latest."""
        answer = None
        try:
            if signalled:
                signal.raise_signal(signal.SIGINT)
            answer = yield from self.watch(self.clean())
        finally:
            self.log.append((*mark, answer))

    def performer(self):
        ns = self.ns
        try:
            yield ns.Ping()
        except ns.Discontinued:
            if self.body != "catches":
                raise
            yield from self.cleaned("caught")
            return "survived"
        finally:
            if self.body != "catches":
                yield from self.cleaned("cleaned", signalled=self.body == "signalled")
            if self.body == "interrupted":
                yield ns.Leave()
            if self.body == "raises":
                raise self.boom

    def outer(self):
        """Around the performer: its `finally` is the second one."""
        try:
            return (yield self.ns.do(self.started)(self.performer))
        finally:
            yield from self.cleaned("outer")

    def started(self, f):
        return (yield from self.watch(f()))

    def around(self, layers, program):
        """The program inside the layers."""
        for layer in layers:
            program = self.wrapped(layer, program)
        return program

    def wrapped(self, layer, program):
        ns = self.ns
        match layer.kind:
            case "handler":
                return ns.Serving(self, layer)(program)
            case "interceptor":
                return ns.WithIntercept(functools.partial(self.sees, layer.name), program)
            case "try":
                return ns.Try(program)
            case "seal":
                return ns.Seal([ns.Ping, ns.Leave], program)

    def sees(self, name, effect):
        self.log.append((name, "sees", type(effect).__name__))
        return effect

    # The ways

    def clause(self, k):
        """What the clause does with its `k`."""
        try:
            if self.way == "discontinued":
                yield self.ns.Discontinue(k)
            elif self.way != "abandoned":
                self.kept.append(k.keep())
            if self.way == "clause interrupted":
                raise KeyboardInterrupt
            return "clause"
        finally:
            self.log.append(("clause done",))

    def later(self):
        """What the program does with a kept `k`, after its block."""
        ns = self.ns
        if not self.kept:
            return
        match self.way:
            case "dropped":
                self.kept.clear()
                yield ns.Pure(None)
            case "discontinued later":
                place = layers("place", [layer.kind for layer in self.outside])
                value = yield self.around(place, ns.Discontinue(self.kept.pop()))
                self.log.append(("discontinued", self.show(value)))
            case "foreign: nested run":
                self.refuse()
            case "foreign: thread":
                thread = threading.Thread(target=self.refuse)
                thread.start()
                thread.join()
            case "program fails":
                raise LookupError
            case "program interrupted":
                signal.raise_signal(signal.SIGINT)
                yield ns.Pure(None)

    def refuse(self):
        """Each use in a run of its own is an error there, and leaves `k` alone."""
        ns = self.ns
        before = self.kept[0].used
        for node in (ns.Resume(self.kept[0], 1), ns.Discontinue(self.kept[0])):
            refused = type(ns.run(node).error).__name__
            self.log.append(("refused", refused, self.kept[0].used is before))

    def main(self):
        owned = self.ns.Owner(self, OWNER)(self.around(self.inside, self.block()))
        try:
            value = yield self.around(self.outside, owned)
            self.log.append(("block", self.show(value)))
            yield from self.later()
            self.log.append(("end",))
        finally:
            yield from self.cleaned("program done")

    def block(self):
        body = self.ns.do(self.started)(self.outer)
        return self.ns.leaves(body) if self.body == "interrupted" else body

    # The run

    def program(self):
        return self.ns.do(self.started)(self.main)

    def run(self, **settings):
        """The outcome of the run, and what it left unobserved."""
        try:
            result = self.ns.run(self.program(), **settings)
            outcome = Raised(type(result.error).__name__) if isinstance(result.result, self.ns.Err) else result.value
        except KeyboardInterrupt as e:
            result, outcome = e.run_result, Raised("KeyboardInterrupt")
        if self.way == "foreign: finished run" and self.kept:
            self.refuse()
        return outcome, [getattr(u, "error", u) for u in result.unobserved]


OWNER = Layer("owner", "owner")
