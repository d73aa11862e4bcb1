"""Writes a drawn program down as Python.

Each function stands before the line that needs it; the last line is `result = run(...)`. The names are those of an
implementation and of `playing`, which runs it.
"""

import itertools
import re
from contextlib import contextmanager
from dataclasses import dataclass, field

from playing import HALF_TAIL, TAIL

HOLES = re.compile(r"\{\{|\}\}|\{\}|#|\?")
SETS_K, USES_K = re.compile("k = "), re.compile(r"\bk\b")


@dataclass
class Scope:
    """A function that is being written."""

    has_k: bool = False  # it is a control clause
    guards: int = 0  # `try` and `with` around the line
    finals: int = 0  # `finally` around the line
    k_may_be_gone: bool = False  # from a control clause
    sets_k: bool = False
    names: dict[str, list[str]] = field(default_factory=dict)  # what it defined, by kind


def written(run):
    """The source of what `programs.runs` drew."""
    return Source().run(*run)


class Source:
    def __init__(self):
        self.lines, self.depth = [], 0
        self.scopes = [Scope()]
        self.numbers = itertools.count(1)
        self.limited = False

    def run(self, stmts, generator, handlers, given, steps):
        self.limited = bool(steps)
        stack = ", ".join([text for h in handlers if (text := self.handler(h))])
        program = self.generator(stmts) if generator else self.program_block(stmts)
        self.line(f"result = run({program}, [answer{stack and ', ' + stack}]{self.fill(given, index=steps)})")
        return "\n".join(self.lines) + "\n"

    # Lines and functions

    def line(self, text):
        self.lines.append("    " * self.depth + text)

    def number(self):
        return str(next(self.numbers))

    def fill(self, text, programs=(), index=0):
        """The text with programs in its `{}`, a number of its own in each `#` and the index in `?`."""
        parts = iter([self.program(p) for p in programs])
        filled = {"{{": lambda: "{", "}}": lambda: "}", "{}": lambda: next(parts), "?": lambda: str(index)}
        return HOLES.sub(lambda hole: filled.get(hole[0], self.number)(), text)

    @contextmanager
    def indented(self, head):
        self.line(head)
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    @contextmanager
    def function(self, head, *, has_k=False):
        with self.indented(head):
            start = len(self.lines)
            self.scopes.append(Scope(has_k))
            yield
            if self.scopes.pop().sets_k and not has_k:
                self.lines.insert(start, "    " * self.depth + "nonlocal k")

    def remember(self, kind, name):
        self.scopes[-1].names.setdefault(kind, []).append(name)
        return name

    def remembered(self, kind, back):
        """What was defined before, here or in a function around."""
        seen = [name for scope in self.scopes for name in scope.names.get(kind, ())]
        return seen[-1 - back % len(seen)] if seen else None

    # Programs

    def generator(self, stmts):
        with self.function("def generator():"):
            self.statements(stmts)
            self.line(self.fill("return (yield Pure(#))"))
        return "generator()"

    def program(self, p):
        return getattr(self, "program_" + p[0])(*p[1:])

    def program_text(self, text):
        return self.fill(text)

    def program_around(self, text, programs):
        return self.fill(text, programs)

    def program_block(self, stmts):
        name = "p" + self.number()
        self.line("@do")
        with self.function(f"def {name}():"):
            self.statements(stmts)
            self.line(f"return {self.number()}")
        return self.remember("program", name + "()")

    def program_handle(self, handler, p):
        return f"WithHandler({self.handler(handler)}, {self.program(p)})"

    def program_intercept(self, stmts, end, p):
        name = "f" + self.number()
        if stmts or "yield" in end:
            self.line("@do")
        with self.function(f"def {name}(effect):"):
            self.line(f'mark("{name}", effect)')
            self.statements(stmts)
            self.line(self.fill(end))
        return f"WithIntercept({name}, {self.program(p)})"

    def program_again(self, back):
        return self.remembered("program", back) or self.fill("Pure(#)")

    # Handlers

    def handler(self, h):
        return getattr(self, "handler_" + h[0])(*h[1:])

    def handler_native(self, text, programs):
        return self.fill(text, programs)

    def handler_function(self, clause):
        return self.remember("handler", self.clause("h" + self.number(), "", *clause))

    def handler_class(self, clauses, hooks):
        name = "H" + self.number()
        with self.indented(f"class {name}(Handler):"):
            for i, (mark, *rest) in enumerate(clauses):
                self.clause(f"{name}_{i}", "self, ", mark or "@handles()", *rest)
            for hook, stmts in {hook.partition("(")[0]: (hook, stmts) for hook, stmts in hooks}.values():
                self.hook(name, hook, stmts)
        return self.remember("handler", name + "()")

    def handler_again(self, back):
        return self.remembered("handler", back) or "writer"

    def clause(self, name, self_, mark, stmts, end):
        """A clause. One without a mark is a control clause for every effect."""
        for decorator in mark.replace(" @", "\n@").splitlines():
            self.line(decorator)
        has_k = not mark.startswith("@answers")
        with self.function(f"def {name}({self_}effect{', k' * has_k}):", has_k=has_k):
            self.line(f'mark("{name}", effect)')
            self.statements(stmts)
            if self.line_with_k(self.fill(end)):
                self.line(f"return {self.number()}")
        return name

    def hook(self, owner, hook, stmts):
        head, _, end = hook.partition(": ")
        with self.function(f"def {head}:"):
            args = "".join([", " + arg for arg in ("value", "exc") if arg in head])
            self.line(f'mark("{owner}.{head.partition("(")[0]}"{args})')
            if head.partition("(")[0] not in ("report", "fork"):  # these are plain
                self.statements(stmts)
            self.line(self.fill(end))

    # Statements

    def statements(self, stmts):
        for stmt in stmts:
            getattr(self, "write_" + stmt[0].replace(" ", "_"))(*stmt[1:])

    def write_text(self, text):
        self.line(self.fill(text))

    def write_yield(self, p):
        self.line(f"see((yield {self.program(p)}))")

    def write_yield_from(self, p):
        self.line(f"see((yield from {self.program(p)}))")

    def write_kept(self, text, index):
        with self.indented("if kept:"):
            self.line(self.fill(text, index=index))

    def write_own(self, text, programs):
        scope, text = self.scopes[-1], self.fill(text, programs)
        tail = ""
        if scope.has_k and text.startswith("return (yield Resume"):
            tail = HALF_TAIL if scope.finals else TAIL if not scope.guards else ""
        if tail and self.limited:
            text, tail = f"see({text.removeprefix('return ')})", ""
        self.line_with_k(text + tail)

    def line_with_k(self, text):
        """A line about the `k` of the clause; whether it stands under a condition, since `k` may be gone."""
        clause = next((scope for scope in reversed(self.scopes) if scope.has_k), Scope())
        if SETS_K.match(text):
            self.scopes[-1].sets_k = clause.k_may_be_gone = True
        elif clause.k_may_be_gone and USES_K.search(text):
            with self.indented("if k:"):
                self.line(text)
            return True
        self.line(text)
        return False

    @contextmanager
    def guarded(self, head):
        with self.indented(head):
            self.scopes[-1].guards += 1
            yield
            self.scopes[-1].guards -= 1

    def write_with(self, stmts):
        with self.guarded(self.fill('with resource("r#"):')):
            self.statements(stmts)

    def write_try(self, body, caught, caught_in, final):
        number = self.number()
        with self.guarded("try:"):
            self.statements(body)
        if caught:
            with self.guarded(f"{caught} as e:"):
                self.line(f'mark("caught {number}", e)')
                self.statements(caught_in)
        if final is not None:
            with self.guarded("finally:"):
                self.scopes[-1].finals += 1
                self.line(f'mark("finally {number}")')
                self.statements(final)
                if final:
                    self.line(f'mark("cleaned {number}")')
                self.scopes[-1].finals -= 1

    def write_create(self, p, handlers):
        program, stack = self.program(p), ", ".join([self.handler(h) for h in handlers])
        self.line(f"kept.append((yield CreateContinuation({program}, [{stack}])))")

    def write_run(self, p, handlers):
        program, stack = self.program(p), ", ".join([self.handler(h) for h in handlers])
        self.line(f"see(run({program}, [{stack}]).result)")
