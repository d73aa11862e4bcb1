"""The semantics once more, in plain Python: a second opinion about the machine.

It shares no code with the package but has its public names, so one program runs on both (`ns.run(...)`). It
knows sections 1 to 6 of the semantics and the table `specs/ends.md`, without async, limits, traces and tasks,
and it does not care for speed.

A *segment* is a stack of frames, what bounds it (a prompt, a wall, an interceptor or nothing), and the segment
outside it. One pointer, `Machine.cur`, says where the program is. A *frame* is a callable that gets the outcome
`(ok, x)` of what it waits for. What comes of it is the next *mode*: `(VALUE, v)`, `(RAISE, e)` or
`(EVAL, program)`. Capturing takes the segments from the performer to the prompt off the chain; continuing puts
them back at `Machine.cur`.
"""
# ruff: noqa: E731, F403, F405  (a rule that is one expression stays one; all names of the nodes are names of the oracle)

import copy
import itertools
import sys
import types
from dataclasses import dataclass, make_dataclass
from typing import Any

import oracle_nodes
from oracle_nodes import *

OWN = {__file__, oracle_nodes.__file__}


# The machine


def without_own_frames(tb):
    """They would keep alive what they hold, a `K` among it."""
    users = []
    while tb:
        if tb.tb_frame.f_code.co_filename not in OWN:
            users.append(tb)
        tb = tb.tb_next
    for this, inner in itertools.pairwise([*users, None]):
        this.tb_next = inner
    return users[0] if users else None


def chained(e, context):
    if e is not context and e.__context__ is None:
        e.__context__ = context
    return e


class Machine:
    def __init__(self, env, store, limits):
        self.env, self.store = dict(env or {}), dict(store or {})
        self.outside = sys.exc_info()[1]
        self.steps, self.limit = 0, limits and limits.steps
        self.cur, self.mode = Segment(), (VALUE, None)
        self.kept, self.lost, self.unobserved = [], [], []
        self.installed = {}  # the node of an installation -> what it works on

    def drive(self):
        while True:
            try:
                if self.lost:
                    self.mode = self.unwind_lost(self.cur, self.mode)
                kind, x = self.mode
                if kind is EVAL:
                    self.mode = self.perform(x) if isinstance(x, Effect) else RULES[type(program(x))](self, x)
                elif self.cur.frames:
                    self.mode = self.cur.frames.pop()(kind, x)
                elif self.cur.parent is None:
                    return self.mode
                else:
                    bound, self.cur = self.cur.bound, self.cur.parent
                    self.mode = self.finish(bound, kind, x) if isinstance(bound, Prompt) else self.mode
            except StopIteration as e:
                self.mode = RAISE, RuntimeError("a function raised StopIteration")
                self.mode[1].__cause__ = self.mode[1].__context__ = e
            except BaseException as e:  # what a function raised goes to whoever waits for it
                e.__traceback__ = without_own_frames(e.__traceback__)
                if e.__traceback__ is None and e.__context__ is self.outside:
                    e.__context__ = None  # the machine's own: what is handled where the run began is no context of it
                self.mode = RAISE, e

    def step(self):
        """One more step, unless it would pass the limit; after that all are granted (decision 13, without an end)."""
        if self.steps == self.limit:
            self.limit = None
            raise LimitExceeded
        self.steps += 1

    def then(self, p, f):
        """`p`, then the mode that `f` gives for its value."""
        self.cur.frames.append(lambda ok, x: f(x) if ok else (RAISE, x))
        return EVAL, p

    def always(self, clean_up):
        """Whatever the next outcome is: the clean-up, and then that outcome, unless the clean-up fails."""

        def ended(ok, x):
            again = lambda fine, e: (ok, x) if fine else (RAISE, chained(e, None if ok else x))
            self.cur.frames.append(again)
            return clean_up()

        self.cur.frames.append(ended)

    def open(self, bound, p, skips=()):
        self.cur = Segment(bound, self.cur, self.cur.skips.union(skips))
        return EVAL, p

    def invoke(self, f, *args):
        """Calls a function that gives a value, or is marked to give a program for it."""
        y = f(*args)
        if not gives_program(f):
            return VALUE, y
        if isinstance(y, DoCall):
            return self.invoke(y.f)  # the machine called it, no program: no step
        return Gen(self, y)(VALUE, None)

    def install(self, node):
        h = copy.copy(node.handler if isinstance(node.handler, Handler) else FunctionHandler(node.handler))
        if isinstance(h, Native):
            h.shown = node.handler
            h.start(self)
        self.installed[node] = h
        self.cur.frames.append(lambda ok, x: self.open(Prompt(h, node.handler), node.p) if ok else (RAISE, x))
        return self.invoke(h.enter)

    def finish(self, prompt, ok, x):
        """The body ended: outside the prompt `result` or `error`, then `exit`."""
        if prompt.hooks:
            self.always(lambda: self.invoke(prompt.handler.exit))
            if ok and not prompt.unwinding:
                return self.invoke(prompt.handler.result, x)
            if not ok and isinstance(x, Exception) and type(prompt.handler).error is not Handler.error:
                return self.invoke(prompt.handler.error, x)  # to raise it again would change its context
        return ok, x

    # perform

    def find(self, effect, start, skips, *, interceptors=True):
        """Region by region outward: interceptors, then handlers, then the wall; interceptors beyond it see all."""
        region = []
        for seg in start.outward():
            region.append(seg)
            if not isinstance(seg.bound, Wall) and seg.parent:
                continue
            for s in region:
                if interceptors and isinstance(s.bound, Interceptor) and s not in skips:
                    return s, s.bound.f
            for s in region:
                if isinstance(s.bound, Prompt) and (found := s.bound.handler.clause(effect)):
                    return s, found
            if isinstance(seg.bound, Wall) and type(effect) not in seg.bound.allow:
                break
            region, interceptors = [], True
        raise UnhandledEffectError(effect)

    def perform(self, effect):
        self.step()
        seg, found = self.find(effect, self.cur, self.cur.skips)
        if isinstance(seg.bound, Interceptor):
            return self.open(None, program(found(effect)), [seg])
        return self.dispatch(effect, self.cur, seg, *found)

    def dispatch(self, effect, top, prompt, f, control):
        """Captures the segments from `top` to the prompt, and runs the clause on what is outside."""
        self.cur, prompt.parent = prompt.parent, None
        clause = Clause(self, effect, Chain(self, top, prompt), control)
        self.cur.frames.append(clause)
        return self.invoke(f, effect, clause.k) if control else self.invoke(f, effect)

    def pass_on(self, clause):
        chain = clause.chain
        chain.bottom.parent = self.cur
        try:
            seg, found = self.find(clause.effect, self.cur, chain.top.skips, interceptors=False)
        except UnhandledEffectError as e:
            return self.attach(chain, RAISE, e)
        if isinstance(seg.bound, Interceptor):
            return self.stand_in(clause.effect, Chain(self, chain.top, chain.bottom), seg, found)
        return self.dispatch(clause.effect, chain.top, seg, *found)

    def stand_in(self, effect, chain, seg, f):
        """What an interceptor beyond a wall makes of a passed effect is evaluated here; its outcome is the answer."""

        def answered(ok, x):
            if ok:
                self.cur.frames.append(answered)
                self.step()
                self.cur.frames.pop()
            chain.at_work, chain.fate = False, "ended"
            return self.attach(chain, ok, x)

        chain.bottom.parent = None
        self.cur.frames.append(answered)
        return self.open(None, program(f(effect)), [seg])

    def clause(self):
        """The nearest clause of a user outward, but not one whose own prompt is crossed: it resumed this very body."""
        crossed = set()
        for seg in self.cur.outward():
            for frame in reversed(seg.frames):
                if isinstance(frame, Clause) and frame.users and frame.chain.bottom not in crossed:
                    return frame
            if isinstance(seg.bound, Wall):
                break
            crossed.add(seg)
        raise ContinuationError("there is no clause here")

    # continue, unwind

    def attach(self, chain, kind, x):
        frames = self.cur.frames
        while frames and isinstance(c := frames[-1], Clause) and c.final and c.control and c.chain.fate:
            frames.pop()  # a tail resume: that clause has nothing left to say
        chain.bottom.parent, self.cur = self.cur, chain.top
        return kind, x

    def unwind(self, chain, fate, go, failed=lambda: None):
        """`ResumeThrow(k, Discontinued())` from here; a value and that very exception are swallowed, then `go()`."""
        stop, chain.fate = Discontinued(), fate

        def unwound(ok, x):
            if ok or x is stop:
                return go()
            failed()
            return RAISE, x

        if isinstance(chain.bottom.bound, Prompt):
            chain.bottom.bound.unwinding = True
        self.cur.frames.append(unwound)
        return self.attach(chain, RAISE, stop)

    def lose(self, chain):
        chain.fate = chain.fate or "dropped"  # used, when a clean-up stopped the transfer to it
        self.lost.append(chain)

    def unwind_lost(self, cur, mode):
        """At the root, between two steps; the first that was captured first."""

        def back(ok, x):
            self.cur = cur
            if not ok and isinstance(x, Exception):
                self.unobserved.append(x)
            if ok or isinstance(x, Exception):
                return mode
            return RAISE, chained(x, mode[1] if mode[0] is RAISE else None)

        self.lost.sort(key=lambda chain: chain.serial)
        self.cur = Segment(frames=[back])
        chain = self.lost.pop(0)
        return self.unwind(chain, chain.fate, lambda: (VALUE, None))

    def close(self):
        """Runs to the end. Then what is kept is unwound in order of capture, but later while its clause is at work."""
        self.mode = self.drive()
        while left := sorted((c for c in self.kept if not c.fate), key=lambda c: c.serial):
            for chain in [c for c in left if not c.at_work] or left:
                if not chain.fate:
                    self.lose(chain)
                    self.mode = self.drive()
        return self.mode

    def ask_for_report(self, handler):
        try:
            return handler.report()
        except Exception as e:
            self.unobserved.append(e)

    def move(self, clause, target, go):
        """The clause is finished: its open blocks are unwound from here, then control moves."""
        if clause.move:
            clause.give_back(clause.move)
        clause.move = types.SimpleNamespace(target=target, go=go, stop=Discontinued())
        return RAISE, clause.move.stop

    # The nodes whose rule is longer than a line

    def enter(self, call):
        self.step()
        return self.invoke(call.f)

    def attempt(self, p):
        def caught(ok, x):
            return (VALUE, Ok(x)) if ok else (VALUE, Err(x)) if isinstance(x, Exception) else (RAISE, x)

        self.cur.frames.append(caught)
        return EVAL, p

    def bracket(self, node):
        def acquired(r):
            self.always(lambda: (EVAL, program(node.release(r))))
            return EVAL, program(node.use(r))

        return self.then(node.acquire, acquired)

    def transfer(self, k, fate, kind, x):
        clause = self.clause()
        self.step()
        chain = k.chain.take(self, fate, x if kind is VALUE else None)
        return self.move(clause, chain, lambda: self.attach(chain, kind, x))

    def pass_outward(self):
        clause = self.clause()
        if not clause.chain.open():
            raise ContinuationError("Pass by a clause whose k was used or kept")
        return self.move(clause, clause.chain.take(self, "passed"), lambda: self.pass_on(clause))

    def get_continuation(self):
        if not (clause := self.clause()).control:
            raise ContinuationError("a value clause has no continuation")
        return VALUE, clause.k

    def get_handlers(self, k):
        if k:
            k.chain.take(self, None)
        within = lambda s: k or not isinstance(s.bound, Wall)
        seen = itertools.takewhile(within, (k.chain.top if k else self.cur).outward())
        return VALUE, [s.bound.shown for s in seen if isinstance(s.bound, Prompt) and s.bound.shown]

    def create(self, p, handlers):
        start = lambda ok, x: (EVAL, handlers(p)) if ok else (RAISE, x)
        seg = Segment(skips=self.cur.skips, frames=[start])
        return VALUE, K(Chain(self, seg, seg, unstarted=handlers, at_work=False)).keep()

    def inherit(self, k, p):
        for s in reversed(list(k.chain.take(self, None).top.outward())):
            b = s.bound
            self.open(Prompt(b.handler.fork(), b.shown, hooks=False) if isinstance(b, Prompt) else b, None)
        return EVAL, p


RULES = {  # one reduction rule a node
    Pure: lambda m, n: (VALUE, n.value),
    Map: lambda m, n: m.then(n.p, lambda x: (VALUE, n.f(x))),
    FlatMap: lambda m, n: m.then(n.p, lambda x: (EVAL, program(n.f(x)))),
    Call: lambda m, n: (EVAL, program(n.f())),
    DoCall: lambda m, n: m.enter(n),
    Perform: lambda m, n: m.perform(n.effect),
    WithHandler: lambda m, n: m.install(n),
    WithIntercept: lambda m, n: m.open(Interceptor(n.f), n.p),
    Seal: lambda m, n: m.open(Wall(frozenset(n.allow)), n.p),
    Sharing: lambda m, n: m.open(Prompt(n.handler, n.handler.shown, hooks=False), n.p),
    Local: lambda m, n: m.open(Prompt(LocalReader().begin(n.overrides)), n.p),
    Listen: lambda m, n: m.open(Prompt(Listener()), n.p),
    Try: lambda m, n: m.attempt(n.p),
    bracket: lambda m, n: m.bracket(n),
    Resume: lambda m, n: m.attach(n.k.chain.take(m, "resumed", n.value), VALUE, n.value),
    ResumeContinuation: lambda m, n: m.attach(n.k.chain.take(m, "resumed", n.value), VALUE, n.value),
    ResumeThrow: lambda m, n: m.attach(n.k.chain.take(m, "thrown into"), RAISE, n.exc),
    Transfer: lambda m, n: m.transfer(n.k, "transferred", VALUE, n.value),
    TransferThrow: lambda m, n: m.transfer(n.k, "thrown into", RAISE, n.exc),
    Discontinue: lambda m, n: m.unwind(n.k.chain.take(m, None), "discontinued", lambda: (VALUE, None)),
    Delegate: lambda m, n: m.perform(m.clause().effect),
    Pass: lambda m, n: m.pass_outward(),
    GetContinuation: lambda m, n: m.get_continuation(),
    GetHandlers: lambda m, n: m.get_handlers(n.k),
    CreateContinuation: lambda m, n: m.create(n.p, as_stack(n.handlers)),
    Inherit: lambda m, n: m.inherit(n.k, n.p),
}


# Built-ins


def effect(name, *fields):
    return type(name, (Effect,), {"__annotations__": dict.fromkeys(fields, Any)})


Get, Put, Modify = effect("Get", "key"), effect("Put", "key", "value"), effect("Modify", "key", "f")
Ask, Tell, lazy = effect("Ask", "key"), effect("Tell", "x"), make_dataclass("lazy", ["program"])


def look_up(mapping, key):
    if key not in mapping:
        raise MissingKeyError(key)
    return mapping[key]


class Native(Handler):
    users, given, shown = False, None, None

    def __call__(self, x=None):
        if isinstance(x, Yieldable):
            return WithHandler(self, x)
        made = type(self)()
        made.given = dict(x or {})
        return made


class State(Native):
    def start(self, m):
        self.store = dict(m.store if self.given is None else self.given)

    def fork(self):
        forked = copy.copy(self)
        forked.store = dict(self.store)
        return forked

    @answers(Get)
    def get(self, e):
        return look_up(self.store, e.key)

    @answers(Put)
    def put(self, e):
        self.store[e.key] = e.value

    @answers(Modify)
    def modify(self, e):
        old = look_up(self.store, e.key)
        self.store[e.key] = e.f(old)
        return old


class Reader(Native):
    def start(self, m):
        self.begin(m.env if self.given is None else self.given)

    def begin(self, env):
        self.env, self.known, self.running = dict(env), {}, set()
        return self

    @answers(Ask)
    def ask(self, e):
        x = look_up(self.env, e.key)
        if not isinstance(x, lazy) or e.key in self.known:
            return self.known.get(e.key, x)
        if e.key in self.running:
            raise CycleError(e.key)
        self.running.add(e.key)
        try:
            self.known[e.key] = x = yield Sharing(self, x.program)
        finally:
            self.running.discard(e.key)
        return x


class LocalReader(Reader):
    def clause(self, effect):
        return super().clause(effect) if isinstance(effect, Ask) and effect.key in self.env else None


class Writer(Native):
    def start(self, _):
        self.log = []

    @answers(Tell)
    def tell(self, e):
        self.log.append(e.x)


class Listener(Handler):
    def __init__(self):
        self.entries = []

    @answers(Tell)
    def tell(self, e):
        self.entries.append(e.x)
        return Pass()

    def result(self, value):
        return value, self.entries


state, reader, writer = State(), Reader(), Writer()


# Running


@dataclass(frozen=True)
class RunResult:
    result: Any
    raw_store: dict
    log: list
    reports: tuple
    unobserved: tuple
    usage: Any

    def is_ok(self):
        return isinstance(self.result, Ok)

    @property
    def value(self):
        if isinstance(self.result, Err):
            raise self.result.error
        return self.result.value

    @property
    def error(self):
        if isinstance(self.result, Ok):
            raise ValueError("the run has a value")
        return self.result.error


def run(p, handlers=(), *, env=None, store=None, limits=None):
    p = do(lambda g: (yield from g))(p) if isinstance(p, types.GeneratorType) else program(p)
    stack = list(as_stack(handlers))
    for native, settings in ((state, store), (reader, env)):
        alike = [h for h in stack if type(h) is type(native)]
        if settings is not None and not alike:
            stack.insert(0, native)
        elif settings is not None and all(h.given is not None for h in alike):
            raise TypeError("env or store is given, but the handlers have settings of their own")
    nodes = []
    for h in reversed(stack):
        nodes.insert(0, p := WithHandler(h, p))
    m = Machine(env, store, limits)
    m.mode = EVAL, p
    ok, x = m.close()
    given = [m.installed[n] for n in nodes if n in m.installed]
    reports = tuple(r for h in given if (r := m.ask_for_report(h)) is not None)
    for e in m.unobserved:
        args = {
            "exc_type": type(e),
            "exc_value": e,
            "exc_traceback": e.__traceback__,
            "err_msg": None,
            "object": None,
        }
        sys.unraisablehook(types.SimpleNamespace(**args))
    store = next((h.store for h in given if isinstance(h, State)), {})
    log = next((h.log for h in given if isinstance(h, Writer)), [])
    usage = types.SimpleNamespace(steps=m.steps)
    result = RunResult(Ok(x) if ok else Err(x), store, log, reports, tuple(m.unobserved), usage)
    if not ok and not isinstance(x, Exception | LimitExceeded):
        x.run_result = result
        raise x
    return result
