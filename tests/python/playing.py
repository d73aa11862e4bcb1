"""Runs the source of a program on an implementation, and says what can be seen of it.

What a program sees is marked, in order, in terms that the implementations share.
"""

import contextlib
import copy
import functools
import gc
import re
import sys
import types
import warnings
import weakref

FUEL = 400
FILE = "<program>"
# At the end of a line that means the same as a returned node (semantics 2): the machine reads that from the bytecode.
TAIL = "  # a tail resume"
# In a `finally`: one when nothing was raised, for the compiler writes that case out of the `try`, and none otherwise.
HALF_TAIL = "  # perhaps a tail resume"
# Errors whose arguments are the program's own.
OWN_ERRORS = (ValueError, KeyError, KeyboardInterrupt)
# What became of a k, as the messages say it (semantics 3).
FATES = ("resumed", "transferred", "thrown into", "discontinued", "passed", "ended")


class Stop(BaseException):
    """Nothing that a program or a handler may swallow by accident."""


class SpentError(Exception):
    """The program ran for too long."""


class Gone:
    """What a clause has instead of its `k` when that is kept: it lives as long as the clause is at work."""

    def __bool__(self):
        return False


class Kept:
    """Continuations that were kept, the first of them after the last.

    A lost one is unwound "between two steps" (semantics 3). One that is dropped while its clause is at work is lost as
    the clause ends (E-62). Whether that is before or after a hook that then runs is open, since a hook is no step: so
    `del` keeps what its clause still works with.
    """

    def __init__(self):
        self.all = []

    def __len__(self):
        return len(self.all)

    def __getitem__(self, i):
        return self.all[i % len(self.all)][0]

    def __delitem__(self, i):
        if self.all[i % len(self.all)][1]() is None:
            del self.all[i % len(self.all)]

    def append(self, k, clause=lambda: None):
        self.all.append((k, clause))


@functools.cache
def shared_names(ns):
    """What each program on an implementation may name."""

    class A(ns.Effect[int]):
        n: int = 0

    class B(ns.Effect[int]):
        n: int = 0

    class C(A):
        pass

    @ns.answers(A, B)
    def answer(effect):
        return effect.n

    def mapped(x):
        return ("mapped", x)

    def fails(x):
        raise ValueError("fails")

    def stops(x):
        raise StopIteration(x)

    def double(n):
        return n * 2

    def noted(error):
        error.add_note("noted")
        return error

    def twice(p):
        return ns.FlatMap(p, lambda first: ns.Map(p, lambda second: (first, second)))

    own = {f.__name__: f for f in (A, B, C, Stop, mapped, fails, stops, double, noted, twice, copy.copy)}
    return {**vars(ns), **own, "answer": answer}


class Play:
    """One run of a source."""

    def __init__(self, ns):
        self.ns, self.fuel = ns, FUEL
        self.marks, self.kept, self.holds = [], Kept(), []
        self.outside = []  # what was handled where a run began; Python may take it for the context of what it raises

    def observe(self, code):
        """What can be seen of a run, comparable between implementations."""
        own = {f.__name__: f for f in (self.mark, self.see, self.keep, self.held, self.run, self.resource)}
        names = {**shared_names(self.ns), **own, "kept": self.kept, "result": None}
        seen, hook = [], sys.unraisablehook
        sys.unraisablehook = lambda args: seen.append(self.plain(args.exc_value))
        # When a cycle is found is nobody's law.
        gc.disable()
        try:
            r, how = self.result(code, names)
            observed = {
                "result": (how, self.plain(r.result)) if r else how,
                "marks": self.marks,
                "unobserved": seen,
                "suspended": sorted(g.__qualname__ for g in gc.get_objects(0) if is_suspended(g)),
            }
            if r:
                observed |= {
                    "store": self.plain(tuple(sorted(r.raw_store.items()))),
                    "log": self.plain(tuple(r.log)),
                    "reports": self.plain(r.reports),
                    "count of unobserved": len(r.unobserved),
                    "steps": r.usage.steps,
                    "kept": [self.used(self.kept[i]) for i in range(len(self.kept))],
                }
            return observed
        finally:
            sys.unraisablehook = hook
            gc.enable()

    def result(self, code, names):
        try:
            exec(code, names)
        except BaseException as e:
            return (e.run_result, "raised") if hasattr(e, "run_result") else (None, ("broke", type(e).__name__))
        return names["result"], "returned"

    def used(self, k):
        return (k.used, None if k.used else k.kept)

    # What the source calls

    def burn(self):
        self.fuel -= 1
        if self.fuel < 0:
            raise SpentError

    def mark(self, label, *values):
        self.burn()
        self.marks.append((label, *map(self.plain, values)))

    def see(self, *values):
        self.burn()
        self.marks.append(tuple(map(self.plain, values)))

    def keep(self, k):
        """Keeps a `k` where nothing else holds it."""
        if not k:
            return k
        gone = Gone()
        self.kept.append(k.keep(), weakref.ref(gone))
        return gone

    def held(self, k):
        """A `k` that goes into a value: when the value dies is nobody's law, so it does not die of that."""
        self.holds.append(k)
        return k

    def run(self, *args, **kwargs):
        if error := sys.exc_info()[1]:
            self.outside.append(error)
        return self.ns.run(*args, **kwargs)

    @contextlib.contextmanager
    def resource(self, name):
        self.mark(name + " opened")
        try:
            yield
        except BaseException as e:
            self.mark(name + " left by", e)
            raise
        finally:
            self.mark(name + " closed")

    # In terms that the implementations share

    def plain(self, x):
        if x is None or isinstance(x, int | str):
            return x
        if isinstance(x, tuple | list):
            return tuple([self.plain(y) for y in x])
        if isinstance(x, self.ns.Ok):
            return ("Ok", self.plain(x.value))
        if isinstance(x, self.ns.Err):
            return ("Err", self.plain(x.error))
        if isinstance(x, BaseException):
            return self.plain_error(x)
        if isinstance(x, type(self.ns.state) | type(self.ns.writer) | type(self.ns.reader)):
            return "built-in"
        named = getattr(x, "__wrapped__", x)
        return named.__name__ if isinstance(named, types.FunctionType) else type(x).__name__

    def plain_error(self, e):
        own = type(e) in OWN_ERRORS or type(e) is Stop
        fates = [fate for fate in FATES if fate in str(e)] if type(e) is self.ns.ContinuationError else []
        return (type(e).__name__, *map(self.plain, e.args if own else fates), *self.chain(e))

    def chain(self, e):
        """Notes, and the types of the cause and of the contexts."""
        notes = getattr(e, "__notes__", [])
        cause = [("from", type(e.__cause__).__name__)] if e.__cause__ else []
        contexts = []
        while (e := e.__context__) and e not in self.outside:
            contexts.append(type(e).__name__)
        return (*notes, *cause, *([("in", *contexts)] if contexts else []))


def is_suspended(x):
    return type(x) is types.GeneratorType and x.gi_code.co_filename == FILE and x.gi_suspended


def compiled(source, ns):
    """The code of a source. Where the machine has to read a tail resume from the bytecode, others get the node."""
    if TAIL in source and not hasattr(ns, "PyVM"):
        source = re.sub(rf"return \(yield (.*)\){TAIL}$", r"return \1", source, flags=re.MULTILINE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # later versions dislike `return` in `finally`
        return compile(source, FILE, "exec")


def observed(source, ns):
    return Play(ns).observe(compiled(source, ns))


def difference(source, one, other):
    """What two implementations do not agree on, `{}` when there is nothing."""
    code = compiled(source, one)
    ones, others = Play(one).observe(code), Play(other).observe(compiled(source, other) if TAIL in source else code)
    if ones == others:
        return {}
    unlike = {name for name in ones.keys() | others.keys() if ones.get(name) != others.get(name)}
    if TAIL in source or HALF_TAIL in source:
        unlike.discard("steps")  # whether a tail resume of a used `k` counts as an answer is open
    return {name: {one.__name__: ones.get(name), other.__name__: others.get(name)} for name in sorted(unlike)}


def shown(difference):
    """A difference for people: where lists part."""
    lines = []
    for what, both in difference.items():
        lines.append(what)
        views = list(both.values())
        at = 0
        if all(isinstance(view, list) for view in views):
            at = next((i for i, (a, b) in enumerate(zip(*views, strict=False)) if a != b), min(map(len, views)))
            lines[-1] += f", from number {at + 1} on"
            views = [view[at:] for view in views]
        lines += [f"  {name:8} {view}" for name, view in zip(both, views, strict=True)]
    return "\n".join(lines)
