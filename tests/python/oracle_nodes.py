"""The data of the oracle: nodes, effects, handlers, and what the machine makes of them (see `oracle`)."""
# ruff: noqa: E731  (a rule that is one expression stays one)

import functools
import inspect
import itertools
import types
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from typing import Any, Generic, TypeVar, dataclass_transform

RAISE, VALUE, EVAL = False, True, "eval"  # the first two are the `ok` of an outcome


class SegueError(Exception):
    pass


def error(name, *bases):
    return type(name, (SegueError, *bases), {})


ContinuationError, UnhandledEffectError = error("ContinuationError"), error("UnhandledEffectError")
MissingKeyError, CycleError = error("MissingKeyError", KeyError), error("CycleError")
TaskEndedError, Discontinued = error("TaskEndedError"), type("Discontinued", (BaseException,), {})
LimitExceeded = type("LimitExceeded", (BaseException,), {})


@dataclass(frozen=True)
class Ok:
    value: Any


@dataclass(frozen=True)
class Err:
    error: Any


@dataclass(frozen=True)
class Limits:
    steps: int | None = None


# Programs, effects, handlers: data


class Yieldable:
    def map(self, f):
        return Map(self, f)

    def flat_map(self, f):
        return FlatMap(self, f)

    def __iter__(self):
        return (yield self)


class DoExpr(Yieldable):
    pass


@dataclass_transform(frozen_default=True)
class Effect(Yieldable, Generic[TypeVar("T")]):
    def __init_subclass__(cls):
        dataclass(frozen=True)(cls)


class AboutK(DoExpr):
    """A node that needs a continuation."""

    def __post_init__(self):
        if not isinstance(self.k, K):
            raise TypeError(f"{self.k!r} is not a continuation")


class OfK(AboutK):
    """A node that uses it."""


class AboutKOrNone(AboutK):
    def __post_init__(self):
        if self.k is not None:
            super().__post_init__()


class Throwing(OfK):
    def __post_init__(self):
        super().__post_init__()
        exc = self.exc() if isinstance(self.exc, type) else self.exc
        if not isinstance(exc, BaseException):
            raise TypeError(f"{exc!r} is not an exception")
        object.__setattr__(self, "exc", exc)


def node(name, *fields, base=DoExpr):
    return make_dataclass(name, fields, bases=(base,), frozen=True, eq=False)


Pure, Map, FlatMap, Try = (
    node("Pure", "value"),
    node("Map", "p", "f"),
    node("FlatMap", "p", "f"),
    node("Try", "p"),
)
Perform, WithHandler = node("Perform", "effect"), node("WithHandler", "handler", "p")
WithIntercept, Seal = node("WithIntercept", "f", "p"), node("Seal", "allow", "p")
Local, Listen = node("Local", "overrides", "p"), node("Listen", "p")
bracket = node("bracket", "acquire", "use", "release")
Resume, Transfer = node("Resume", "k", "value", base=OfK), node("Transfer", "k", "value", base=OfK)
ResumeThrow, TransferThrow = (
    node("ResumeThrow", "k", "exc", base=Throwing),
    node("TransferThrow", "k", "exc", base=Throwing),
)
ResumeContinuation, Discontinue = node("ResumeContinuation", base=Resume), node("Discontinue", "k", base=OfK)
Delegate, Pass, GetContinuation = node("Delegate"), node("Pass"), node("GetContinuation")
GetHandlers = node("GetHandlers", ("k", Any, field(default=None)), base=AboutKOrNone)
CreateContinuation, Inherit = node("CreateContinuation", "p", "handlers"), node("Inherit", "k", "p", base=AboutK)
DoCall, Sharing = node("DoCall", "f"), node("Sharing", "handler", "p")


class Call(DoExpr):
    def __init__(self, f, *args, **kwargs):
        self.f = functools.partial(f, *args, **kwargs)


class do:  # noqa: N801
    def __init__(self, f):
        self.f = f

    def __call__(self, *args, **kwargs):
        return DoCall(functools.partial(self.f, *args, **kwargs))

    def __get__(self, obj, owner=None):
        return self if obj is None else types.MethodType(self, obj)


def program(x):
    if not isinstance(x, Yieldable):
        raise TypeError(f"{x!r} is not a program")
    return x


def gives_program(f):
    """Whether what `f` gives is run: a flag of the function, never of what it gives."""
    while isinstance(f, functools.partial):
        f = f.func
    f = getattr(f, "__func__", f)
    call = getattr(type(f), "__call__", None)  # noqa: B004
    return isinstance(f, do) or inspect.isgeneratorfunction(f) or inspect.isgeneratorfunction(call)


class Handler:
    users = True  # a built-in one has no clause that a program could be in
    enter = exit = report = lambda self: None
    result = lambda self, value: value
    fork = lambda self: self

    def error(self, exc):
        raise exc

    def clause(self, effect):
        """The clause for an effect, and whether it is a control clause: the nearest class of the MRO counts."""
        for cls in (*type(effect).__mro__, None):
            for mark in marks(type(self)):
                if cls in mark.classes or (cls is None and not mark.classes):
                    return mark.__wrapped__.__get__(self), mark.control
        return None

    def __call__(self, p):
        return WithHandler(self, p)

    def __or__(self, other):
        return Stack((*as_stack(self), *as_stack(other)))


def marks(cls):
    """The marked methods of a class, which remembers them."""
    if "marked" not in vars(cls):
        members = {name: x for c in reversed(cls.__mro__) for name, x in vars(c).items()}
        cls.marked = [x for x in members.values() if isinstance(x, FunctionHandler)]
    return cls.marked


class FunctionHandler(Handler):
    def __init__(self, f, classes=(), *, control=True):
        self.__wrapped__, self.classes, self.control = f, classes, control

    def clause(self, effect):
        fits = not self.classes or any(c in self.classes for c in type(effect).__mro__)
        return (self.__wrapped__, self.control) if fits else None


class Stack(tuple):
    __slots__ = ()

    def __or__(self, other):
        return Stack((*self, *as_stack(other)))

    def __call__(self, p):
        return functools.reduce(lambda p, h: WithHandler(h, p), reversed(self), p)


def as_stack(x):
    return Stack((x,) if callable(x) and not isinstance(x, Stack) else x)


def answers(*classes):
    return lambda f: FunctionHandler(f, classes, control=False)


def handles(*classes):
    return lambda f: FunctionHandler(f, classes)


# Segments, continuations, clauses


@dataclass(eq=False)
class Segment:
    bound: Any = None
    parent: Any = None
    skips: frozenset = frozenset()  # the interceptors whose own program runs here
    frames: list = field(default_factory=list)

    def outward(self):
        seg = self
        while seg:
            yield seg
            seg = seg.parent


@dataclass
class Prompt:
    handler: Handler
    shown: Any = None  # the user's own object
    hooks: bool = True  # a fork has none
    unwinding: bool = False


@dataclass
class Wall:
    allow: Any


@dataclass
class Interceptor:
    f: Callable


@dataclass(eq=False)
class Chain:
    """Detached segments, from the performer (`top`) to the prompt (`bottom`); `fate` says how they were used."""

    run: Any
    top: Segment
    bottom: Segment
    unstarted: Any = None  # the handlers of a continuation that was created
    kept: bool = False
    at_work: bool = True  # its clause, which holds its `k` as well
    fate: Any = None
    serial: int = field(default_factory=itertools.count().__next__)

    def open(self):
        return not self.kept and self.fate is None

    def take(self, run, fate, value=None):
        if self.fate or self.run is not run:
            raise ContinuationError(f"this k was {self.fate or 'captured in another run'}")
        if self.unstarted is not None and value is not None:
            raise TypeError("an unstarted continuation takes None first")
        self.fate = fate
        return self


class K:
    """The owner of a chain."""

    def __init__(self, chain):
        self.chain = chain

    def keep(self):
        self.chain.take(self.chain.run, None)
        self.chain.kept = True
        self.chain.run.kept.append(self.chain)
        return self

    used = property(lambda self: self.chain.fate is not None)
    kept = property(lambda self: self.chain.kept)

    def resume(self, value):
        return Resume(self, value)

    def throw(self, exc):
        return ResumeThrow(self, exc)

    def discontinue(self):
        return Discontinue(self)

    def __del__(self):
        if self.chain.kept and not self.chain.fate:
            self.chain.run.lose(self.chain)

    def __reduce_ex__(self, _):
        raise TypeError("a K has one owner: it cannot be copied or pickled")


class Gen:
    """The frame of a generator."""

    def __init__(self, m, gen):
        self.m, self.gen = m, gen

    def __call__(self, ok, x):
        try:
            y = self.gen.send(x) if ok else self.gen.throw(x)
        except StopIteration as stop:
            return VALUE, stop.value
        self.m.cur.frames.append(self)
        return EVAL, y


class Clause:
    """The frame under a clause; its end decides over the chain. A value clause's chain waits here without a `K`."""

    def __init__(self, m, effect, chain, control):
        self.m, self.effect, self.chain, self.control = m, effect, chain, control
        self.final = False  # it returned a node, which is being evaluated
        self.move = None  # it is finished: its open blocks are being unwound by .stop, then .go()
        self.k = K(chain) if control else None
        self.users = chain.bottom.bound.handler.users

    def owns(self, x):
        return isinstance(x, Pass | Delegate) or (isinstance(x, OfK) and x.k.chain is self.chain)

    def __call__(self, ok, x):
        m, chain, move, self.move = self.m, self.chain, self.move, None
        if move and (ok or x is move.stop):
            chain.at_work = False
            if move.target is not chain and chain.open():
                return m.unwind(chain, "ended", move.go, failed=lambda: m.lose(move.target))
            return move.go()
        if move:
            self.give_back(move)
        elif ok and not self.final and self.owns(x):
            self.final = True
            m.cur.frames.append(self)
            if isinstance(x, Resume | ResumeThrow):
                m.step()  # the answer
            return EVAL, x
        if ok:
            m.cur.frames.append(self)
            m.step()  # the answer; a clause that raises has none
            m.cur.frames.pop()
        chain.at_work = False
        if not self.control or (not ok and chain.open()):
            chain.fate = "ended"
            return m.attach(chain, ok, x)
        forked = isinstance(chain.bottom.bound, Prompt) and not chain.bottom.bound.hooks
        end = (RAISE, TaskEndedError(x)) if ok and forked and not chain.fate else (ok, x)
        return m.unwind(chain, "ended", lambda: end) if chain.open() else end

    def give_back(self, move):
        """A move that does not happen leaves the own `k` unused; another one is lost."""
        if move.target is self.chain:
            self.chain.fate = None
        else:
            self.m.lose(move.target)
