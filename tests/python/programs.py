"""Random programs as data.

A program is drawn from a sequence of choices, each an integer below a bound: from a seeded random generator for speed,
from Hypothesis for its shrinking, or from a list, to try a shorter one. Choice 0 is the simplest everywhere.

The data are nested tuples; `interpreter` makes programs of an implementation from them.
"""

import random

EFFECTS = ("A", "B", "C")  # C is a subclass of A
KEYS = ("x", "y", "z")  # nobody defines z
ERRORS = ("ValueError", "KeyError", "Stop", "Discontinued")


class Choices:
    """Choices from a list, zeros after it; what was chosen is recorded."""

    def __init__(self, given=()):
        self.given, self.made = list(given), []

    def below(self, n):
        index = len(self.made)
        value = min(self.given[index], n - 1) if index < len(self.given) else 0
        self.made.append(value)
        return value


class RandomChoices(Choices):
    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed).random  # noqa: S311

    def below(self, n):
        value = int(self.random() * n)
        self.made.append(value)
        return value


class Draw:
    """The grammar."""

    def __init__(self, below):
        self.below = below
        self.labels = 0
        self.size = 120  # what is drawn after so many parts is small

    def of(self, *options):
        return options[self.below(len(options))]

    def rarely(self, n):
        return self.below(n) == n - 1

    def leaf(self, depth):
        self.size -= 1
        return depth <= 0 or self.size < 0

    def label(self):
        self.labels += 1
        return self.labels

    def many(self, least, most, draw, *args):
        return tuple(draw(*args) for _ in range(least + self.below(most - least + 1)))

    def root(self):
        """The handlers of the run, outermost first, and the program."""
        handlers = self.many(0, 2, self.handler, 2)
        natives = [("native", name, self.below(9)) for name in ("state", "writer", "reader")]
        del natives[3 - self.rarely(8) :]
        at = self.below(len(handlers) + 1)
        base = ("function", self.label(), (("value", ("A", "B"), "plain", self.label(), (), ("value", 0)),), ())
        bases = () if self.rarely(16) else (base,)
        return (*bases, *handlers[:at], *natives, *handlers[at:]), ("block", self.many(2, 5, self.root_stmt))

    def root_stmt(self):
        stmt = self.stmt(5, False)
        return stmt if self.rarely(3) else ("try", (stmt,), "BaseException", (), (), self.label())

    def program(self, depth, clause):
        if self.leaf(depth):
            return self.of(self.perform, self.perform, self.built_in, self.pure)()
        kind = self.of(
            self.perform, self.block, self.perform, self.handle, self.block, self.built_in, self.handle, self.control,
            self.handle, self.perform, self.control, self.block,
        )  # fmt: skip
        return kind() if kind in (self.perform, self.built_in) else kind(depth - 1, clause)

    def pure(self):
        return ("pure", self.below(9))

    def perform(self):
        return (self.of("perform", "node"), self.of(*EFFECTS), self.below(9))

    def built_in(self):
        kind = self.of("tell", "get", "put", "modify", "ask", "handlers")
        return (kind, "z" if self.rarely(12) else self.of("x", "y"), self.below(9))

    def handle(self, depth, clause):
        return ("handle", self.handler(depth), self.program(depth, clause))

    def control(self, depth, clause):
        kind = self.of("map", "try", "flat_map", "call", "intercept", "seal", "local", "listen", "bracket", "native")
        body = self.program(depth, clause)
        if kind == "map":
            return (kind, body, self.of("ValueError", "StopIteration") if self.rarely(12) else None)
        if kind == "flat_map":
            return (kind, body, "wrong" if self.rarely(12) else self.program(depth, clause))
        if kind == "intercept":
            return (kind, self.interceptor(depth), body)
        if kind == "seal":
            return (kind, self.many(2, 7, self.of, "A", "B", "C", "Tell", "Get", "Put", "Ask"), body)
        if kind == "local":
            return (kind, ((self.of(*KEYS), self.below(9)),), body)
        if kind == "bracket":
            return (kind, self.program(0, clause), body, self.program(depth, clause), self.label())
        if kind == "native":
            return ("handle", ("native", self.of("state", "writer", "reader"), self.below(9)), body)
        return (kind, body)

    def interceptor(self, depth):
        kind = self.of("same", "program", "program", "program", "other", "raise", "wrong")
        return (kind, self.label(), self.block(depth, False), self.of(*EFFECTS), self.below(4))

    def handler(self, depth):
        label = self.label()
        if self.below(4) == 3:
            hooks = tuple((name, self.hook(depth)) for name in ("enter", "result", "error", "exit"))
            return ("class", label, self.many(1, 2, self.clause, depth), hooks)
        return ("function", label, (self.clause(depth),), ())

    def hook(self, depth):
        kind = "raise" if self.rarely(12) else self.of(None, "plain", "generator")
        return kind and (
            kind,
            self.label(),
            self.stmts(depth - 1, False) if kind == "generator" else (),
            self.of(*ERRORS),
        )

    def clause(self, depth):
        kind = self.of("control", "control", "value")
        effects = self.many(1, 2, self.of, *EFFECTS) if self.below(8) < 7 else ()
        form = self.of("plain", "generator", "generator")
        own = kind == "control"
        stmts = self.stmts(depth - 1, own) if form == "generator" else self.many(0, 1, self.plain_stmt, own)
        return (kind, effects, form, self.label(), stmts, self.end(own))

    def plain_stmt(self, own):
        kind = self.of("own", "mark", "own", "raise") if own else self.of("mark", "raise")
        return {"own": ("own", "keep", 0), "mark": ("mark", self.label()), "raise": ("raise", self.of(*ERRORS), 0)}[
            kind
        ]

    def end(self, own):
        """What a clause returns."""
        ends = ("value", "value", "pass", "delegate", "foreign", "program")
        if own:
            ends = (
                "resume", "value", "resume", "value", "throw", "transfer", "transfer_throw", "discontinue", *ends,
            )  # fmt: skip
        return (self.of(*ends), self.below(9))

    def block(self, depth, clause):
        return ("block", self.stmts(depth, clause))

    def stmts(self, depth, clause):
        return self.many(1, 3, self.stmt, depth, clause)

    def stmt(self, depth, clause):
        kinds = ("do",) * 6 + ("try",) * 5 + ("from", "mark", "kept", "kept", "kept", "create", "rare")
        kind = self.of(*kinds, *(("own",) * 9 if clause else ()))
        if kind in ("try", "create") and self.leaf(depth):
            kind = "do"
        kind = self.of("mark", "raise", "raise", "return", "wrong", "tail") if kind == "rare" else kind
        if kind in ("do", "from"):
            return (kind, self.program(depth - 1, clause))
        if kind == "try":
            body = self.stmts(depth - 1, clause)
            caught = self.of(None, "KeyError", "Exception", "Discontinued", "BaseException")
            handler = self.stmts(depth - 2, clause) if caught else ()
            final = self.stmts(depth - 2, clause) if caught is None or self.below(2) else ()
            return (kind, body, caught, handler, final, self.label())
        if kind == "raise":
            return (kind, self.of(*ERRORS), self.below(9))
        if kind == "kept":
            ops = (
                "resume",
                "resume",
                "drop",
                "discontinue",
                "throw",
                "transfer",
                "transfer_throw",
                "handlers",
                "state",
            )
            return (kind, self.of(*ops), self.below(3), self.below(9))
        if kind == "create":
            return (kind, self.program(depth - 1, False), self.many(0, 1, self.handler, depth - 1), self.label())
        if kind == "own":
            ops = (
                "resume", "keep", "resume", "keep", "resume", "keep", "throw", "transfer", "transfer_throw",
                "discontinue", "pass", "delegate", "get", "handlers", "inherit", "state",
            )  # fmt: skip
            op = self.of(*ops)
            return (kind, op, self.program(depth - 1, False) if op == "inherit" else self.below(9))
        if kind == "tail":  # what belongs to the nearest clause, wherever it stands
            return ("own", self.of("delegate", "pass", "get"), 0)
        return (kind, self.label())


def draw(below):
    return Draw(below).root()
