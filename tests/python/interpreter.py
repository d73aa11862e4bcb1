"""Makes a program of an implementation from the data of `programs`, and runs it.

The names of the implementation come in with `Interpreter(ns)`. What happens is seen in `marks`, in order: each clause,
hook, `except` and `finally` leaves one.
"""

import functools
import sys

from programs import ERRORS

FUEL = 300


class Stop(BaseException):
    """Nothing that a program or a handler may swallow by accident."""


class SpentError(Exception):
    """The program ran for too long."""


@functools.cache
def effects(ns):
    class A(ns.Effect[int]):
        n: int = 0

    class B(ns.Effect[int]):
        n: int = 0

    class C(A):
        pass

    return {"A": A, "B": B, "C": C}


class Cell(list):
    """Where a clause has its own `k`, until it is used up or kept."""

    at_work = True


class Interpreter:
    def __init__(self, ns):
        self.ns = ns
        self.marks, self.kept, self.shown = [], [], []
        self.fuel = FUEL

        self.effects = effects(ns)
        errors = {
            "ValueError": ValueError,
            "KeyError": KeyError,
            "Exception": Exception,
            "BaseException": BaseException,
        }
        self.errors = errors | {"Stop": Stop, "Discontinued": ns.Discontinued, "StopIteration": StopIteration}

    def run(self, root):
        """Everything that can be seen of a run, comparable between implementations."""
        handlers, program = root
        seen, hook = [], sys.unraisablehook
        sys.unraisablehook = lambda args: seen.append(self.plain(args.exc_value))
        try:
            stack = [self.handler(h) for h in handlers]
            r = self.ns.run(self.with_states(self.program(program, None)), stack)
            how = "returned"
        except BaseException as e:
            r, how = getattr(e, "run_result", None), "raised"
            if r is None:
                return {"result": ("broke", repr(e))}
        finally:
            sys.unraisablehook = hook
        result = r.result.value if r.is_ok() else r.result.error
        return {
            "result": (how, r.is_ok(), self.plain(result)),
            "marks": self.marks,
            "store": self.plain(tuple(sorted(r.raw_store.items()))),
            "log": self.plain(tuple(r.log)),
            "unobserved": seen,
            "count of unobserved": len(r.unobserved),
        }

    def with_states(self, p):
        """At the end, what became of the continuations that were kept."""

        @self.ns.do
        def body():
            try:
                return (yield p)
            finally:
                self.marks.append([self.state_of(k) for k, _ in self.kept])

        return body()

    def plain(self, x):
        """A value in terms that the implementations share."""
        ns = self.ns
        if x is None or isinstance(x, int | str):
            return x
        if isinstance(x, tuple | list):
            return tuple([self.plain(y) for y in x])
        if isinstance(x, ns.Ok):
            return ("Ok", self.plain(x.value))
        if isinstance(x, ns.Err):
            return ("Err", self.plain(x.error))
        if isinstance(x, BaseException):
            own = type(x) in (ValueError, KeyError, Stop)
            return (type(x).__name__, *(self.plain(x.args) if own else ()))
        for label, handler in self.shown:
            if x is handler:
                return label
        return type(x).__name__

    def state_of(self, k):
        return (k.used, None if k.used else k.kept)

    def burn(self):
        self.fuel -= 1
        if self.fuel < 0:
            raise SpentError

    def error(self, name, n):
        return self.errors[name](*(() if name == "Discontinued" else (n,)))

    # programs

    def program(self, p, own):
        """The program of a description. `own` is the cell of the clause that it is written in."""
        return getattr(self, "make_" + p[0])(own, *p[1:])

    def make_pure(self, _, n):
        return self.ns.Pure(n)

    def make_perform(self, _, name, n):
        return self.effects[name](n)

    def make_node(self, _, name, n):
        return self.ns.Perform(self.effects[name](n))

    def make_get(self, _, key, n):
        return self.ns.Get(key)

    def make_put(self, _, key, n):
        return self.ns.Put(key, n)

    def make_modify(self, _, key, n):
        return self.ns.Modify(key, lambda old: old + n if n else 1 // 0)

    def make_ask(self, _, key, n):
        return self.ns.Ask(key)

    def make_tell(self, _, key, n):
        return self.ns.Tell(n)

    def make_handlers(self, _, key, n):
        return self.ns.GetHandlers()

    def make_block(self, own, stmts):
        @self.ns.do
        def block():
            out = []
            yield from self.block(stmts, own, out)
            return tuple(out)

        return block()

    def make_handle(self, own, handler, p):
        return self.ns.WithHandler(self.handler(handler), self.program(p, own))

    def make_map(self, own, p, error):
        def f(x):
            if error:
                raise self.error(error, 0)
            return ("mapped", x)

        return self.program(p, own).map(f)

    def make_flat_map(self, own, p, then):
        return self.ns.FlatMap(self.program(p, own), lambda x: x if then == "wrong" else self.program(then, own))

    def make_call(self, own, p):
        return self.ns.Call(self.program, p, own=own)

    def make_try(self, own, p):
        return self.ns.Try(self.program(p, own))

    def make_seal(self, own, names, p):
        allow = [self.effects.get(name) or getattr(self.ns, name) for name in names]
        return self.ns.Seal(allow, self.program(p, own))

    def make_local(self, own, overrides, p):
        return self.ns.Local(dict(overrides), self.program(p, own))

    def make_listen(self, own, p):
        return self.ns.Listen(self.program(p, own))

    def make_bracket(self, own, acquire, use, release, label):
        def released(r):
            self.marks.append((label, "release"))
            return self.program(release, own)

        return self.ns.bracket(self.program(acquire, own), lambda r: self.program(use, own), released)

    def make_intercept(self, own, interceptor, p):
        kind, label, block, other, n = interceptor

        @self.ns.do
        def seen(effect):
            before = yield self.program(block, None)
            return before, (yield effect)

        def f(effect):
            self.burn()
            self.marks.append((label, kind, type(effect).__name__))
            if kind == "raise" and n == 0:
                raise ValueError(label)
            if kind == "wrong" and n == 0:
                return n
            if kind == "other":
                return self.effects[other](n)
            return seen(effect) if kind == "program" else effect

        return self.ns.WithIntercept(f, self.program(p, own))

    # handlers

    def handler(self, spec):
        if spec[0] == "native":
            _, name, n = spec
            made = getattr(self.ns, name)
            if name != "writer":
                asked = ("ask", "y", 0) if n == 7 else ("perform", "A", n)  # the first one is a cycle
                lazy = self.ns.lazy(self.program(asked, None))
                made = made({"x": n, "y": lazy if name == "reader" and n % 2 else 2})
            label = name
        else:
            kind, label, clauses, hooks = spec
            made = self.function(clauses[0]) if kind == "function" else self.instance(clauses, hooks)
        self.shown.append((label, made))
        return made

    def function(self, clause):
        return self.marked(clause, self.value_clause(clause) if clause[0] == "value" else self.control_clause(clause))

    def marked(self, clause, f):
        kind, effects, *_ = clause
        mark = self.ns.answers if kind == "value" else self.ns.handles
        return f if kind == "control" and not effects else mark(*(self.effects[name] for name in effects))(f)

    def instance(self, clauses, hooks):
        members = {name: self.hook(name, *spec) for name, spec in hooks if spec}
        for i, clause in enumerate(clauses):
            f = self.value_clause(clause) if clause[0] == "value" else self.control_clause(clause)
            if clause[2] == "generator":
                members[f"clause_{i}"] = self.generator_method(clause, f)
            else:
                members[f"clause_{i}"] = self.method(clause, f)
        return type("Instance", (self.ns.Handler,), members)()

    def method(self, clause, f):
        mark = self.ns.answers if clause[0] == "value" else self.ns.handles
        return mark(*(self.effects[name] for name in clause[1]))(lambda _self, *args: f(*args))

    def generator_method(self, clause, f):
        def method(_self, *args):
            running = f(*args)
            del args
            return (yield from running)

        mark = self.ns.answers if clause[0] == "value" else self.ns.handles
        return mark(*(self.effects[name] for name in clause[1]))(method)

    def hook(self, name, kind, label, stmts, error):
        def plain(_self, *args):
            self.marks.append((label, name, self.plain(args)))
            if kind == "raise":
                raise self.error(error, label)
            return (name, *args)

        def generator(_self, *args):
            self.marks.append((label, name, self.plain(args)))
            out = []
            yield from self.block(stmts, None, out)
            return (name, *args, *out)

        return generator if kind == "generator" else plain

    def value_clause(self, clause):
        _, _, form, label, stmts, end = clause

        def plain(effect):
            self.marks.append((label, "clause", effect_name(effect)))
            self.plain_stmts(stmts, [])
            return self.end(end, effect, [], [])

        def generator(effect):
            self.marks.append((label, "clause", effect_name(effect)))
            out = []
            yield from self.block(stmts, [], out)
            return self.end(end, effect, [], out)

        return plain if form == "plain" else generator

    def plain_stmts(self, stmts, own):
        for kind, *args in stmts:
            if kind == "own":
                self.keep(own)
            elif kind == "raise":
                raise self.error(*args)

    def control_clause(self, clause):
        _, _, form, label, stmts, end = clause

        def plain(effect, k):
            own = Cell([k])
            del k
            self.marks.append((label, "clause", effect_name(effect)))
            try:
                self.plain_stmts(stmts, own)
                return self.end(end, effect, own, [])
            finally:
                own.at_work = False

        def generator(effect, k):
            own = Cell([k])
            del k
            self.marks.append((label, "clause", effect_name(effect)))
            out = []
            try:
                yield from self.block(stmts, own, out)
                return self.end(end, effect, own, out)
            finally:
                own.at_work = False

        return plain if form == "plain" else generator

    def end(self, end, effect, own, out):
        kind, n = end
        if kind in ("pass", "delegate"):
            return self.own_node(kind, own, n)
        if kind == "foreign":
            return self.ns.Resume(self.kept_k(n), n) if self.kept else n
        if kind == "program":
            return self.ns.Pure(n)
        return self.own_node(kind, own, n) if kind != "value" and own else ("ended", n, *out)

    # continuations

    def keep(self, own):
        """The own `k` goes from its cell to those that are kept, and is nowhere else."""
        if own:
            own[0].keep()
            self.kept.append((own.pop(), own))

    def kept_k(self, i):
        return self.kept[i % len(self.kept)][0]

    def drop(self, i):
        """Not while its clause is at work: how soon after the clause it is lost is nobody's law."""
        if not self.kept[i % len(self.kept)][1].at_work:
            del self.kept[i % len(self.kept)]

    def node_of(self, op, k, n):
        ns = self.ns
        if op == "resume":
            value = n if n % 2 else None  # an unstarted one takes None
            return (k.resume(value), ns.Resume(k, value), ns.ResumeContinuation(k, value))[n % 3]
        if op == "throw":
            return ns.ResumeThrow(k, self.error(ERRORS[n % 3], n))
        if op == "transfer_throw":
            return ns.TransferThrow(k, self.error(ERRORS[n % 3], n))
        return {"transfer": lambda: ns.Transfer(k, n), "discontinue": lambda: ns.Discontinue(k)}[op]()

    def own_node(self, op, own, n):
        if op in ("pass", "delegate"):
            return self.ns.Pass() if op == "pass" else self.ns.Delegate()
        return self.node_of(op, own[0], n)

    # statements

    def block(self, stmts, own, out):
        for stmt in stmts:
            self.burn()
            if (yield from getattr(self, "do_" + stmt[0])(own, out, *stmt[1:])):
                return True
        return False

    def do_do(self, own, out, p):
        out.append((yield self.program(p, own)))

    def do_from(self, own, out, p):
        out.append((yield from self.program(p, own)))

    def do_mark(self, own, out, label):
        self.marks.append(label)
        yield from ()

    def do_return(self, own, out, label):
        yield from ()
        return True

    def do_wrong(self, own, out, label):
        yield label

    def do_raise(self, own, out, name, n):
        yield from ()
        raise self.error(name, n)

    def do_try(self, own, out, body, caught, handler, final, label):
        try:
            return (yield from self.block(body, own, out))
        except self.errors.get(caught, ()) as e:
            self.marks.append((label, "except", self.plain(e)))
            return (yield from self.block(handler, own, out))
        finally:
            self.marks.append((label, "finally"))
            yield from self.block(final, own, out)
            self.marks.append((label, "cleaned"))

    def do_kept(self, own, out, op, i, n):
        if not self.kept:
            yield from ()
        elif op == "drop":
            self.drop(i)
            yield self.ns.do(lambda: None)()
        elif op == "state":
            self.marks.append(self.state_of(self.kept_k(i)))
        elif op == "handlers":
            out.append((yield self.ns.GetHandlers(self.kept_k(i))))
        else:
            out.append((yield self.node_of(op, self.kept_k(i), n)))

    def do_create(self, own, out, p, handlers, label):
        created = self.ns.CreateContinuation(self.program(p, None), [self.handler(h) for h in handlers])
        own = Cell()
        own.at_work = False
        self.kept.append(((yield created), own))

    def do_own(self, own, out, op, x):
        if op in ("pass", "delegate"):
            out.append((yield self.own_node(op, own, x)))
        elif op == "get":
            k = [(yield self.ns.GetContinuation())]
            if own:
                own[:] = k
        elif op == "keep":
            self.keep(own)
        elif not own:
            return
        elif op == "state":
            self.marks.append(self.state_of(own[0]))
        elif op == "handlers":
            out.append((yield self.ns.GetHandlers(own[0])))
        elif op == "inherit":
            out.append((yield self.ns.Inherit(own[0], self.program(x, None))))
        else:
            out.append((yield self.own_node(op, own, x)))


def effect_name(effect):
    return type(effect).__name__
