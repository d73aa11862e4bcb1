"""Strategies for random programs: everything of sections 1 to 6 that the machine and the oracle both know.

A program is drawn as nested tuples; `source` writes it down as Python. What has no parts is drawn as its text, in which
each `#` becomes a number of its own. The simplest comes first everywhere, since that is what shrinking goes for.
Most of the time goes into drawing, some 40 microseconds a choice, so one choice stands for a whole line.
"""

import functools

from hypothesis import strategies as st

DEPTH = 3


def texts(options):
    """One of the texts, a line each; the number in front says how often it counts."""
    weighted = []
    for line in filter(str.strip, options.splitlines()):
        times, _, text = line.strip().partition(" ")
        weighted += [text.strip()] * int(times)
    return st.sampled_from(weighted)


PROGRAM = texts("""
    3 A(#)
    2 B(#)
    2 C(#)
    1 Perform(A(#))
    1 Perform(C(#))
    1 Pure(#)
    2 Tell(#)
    1 Get("x")
    1 Put("x", #)
    1 Modify("x", double)
    1 Modify("x", fails)
    1 Ask("x")
    1 Ask("y")
    1 Get("z")
    1 GetHandlers()
""")
# What surrounds programs, and how many.
AROUND = texts("""
    1 {}.map(mapped)
    1 Map({}, mapped)
    1 {}.map(fails)
    1 {}.map(stops)
    3 Try({})
    2 FlatMap({}, lambda _: {})
    1 {}.flat_map(fails)
    1 {}.flat_map(mapped)
    1 twice({})
    2 Call(lambda: {})
    1 Call(mapped, {})
    1 Seal([], {})
    1 Seal([A], {})
    1 Seal([C, Tell, Get], {})
    1 Seal([A, B, C, Tell, Get, Put, Modify, Ask], {})
    2 Local({{"x": #}}, {})
    1 Local({{"z": lazy({})}}, {})
    2 Listen({})
    3 bracket({}, lambda _: {}, lambda _: {})
    1 state({{"x": #}})({})
    1 reader({{"x": lazy({}), "y": #}})({})
    1 writer({})
""")
RAISE = texts("""
    4 raise ValueError(#)
    2 raise KeyError(#)
    1 raise Stop(#)
    1 raise Discontinued
    1 raise KeyboardInterrupt(#)
    1 raise StopIteration(#)
    1 raise ValueError(#) from KeyError(#)
    1 raise noted(ValueError(#))
""")
RARE = texts("""
    3 return #
    1 return mapped(#)
    1 return Pure(#)
    1 yield #
    1 yield
    1 yield mapped
    1 see((yield Pass()))
    1 see((yield Delegate()))
    1 return (yield Delegate())
    1 see((yield GetContinuation()).kept)
    1 see((yield Resume((yield GetContinuation()), #)))
""")
KEPT = texts("""
    3 see((yield Resume(kept[?], #)))
    2 see((yield Resume(kept[?], None)))
    1 see((yield kept[?].resume(#)))
    1 see((yield ResumeContinuation(kept[?], None)))
    1 see((yield ResumeThrow(kept[?], ValueError(#))))
    1 see((yield kept[?].throw(Stop)))
    2 see((yield Discontinue(kept[?])))
    1 see((yield Transfer(kept[?], #)))
    1 see((yield Transfer(kept[?], None)))
    1 see((yield TransferThrow(kept[?], KeyError(#))))
    2 del kept[?]
    1 see((yield GetHandlers(kept[?])))
    1 see(kept[?].used, kept[?].kept)
    1 kept[?].keep()
    1 return Resume(held(kept[?]), #)
""")
OWN = texts("""
    5 see((yield Resume(k, #)))
    5 k = keep(k)
    1 see((yield k.resume(#)))
    1 see((yield ResumeContinuation(k, #)))
    2 see((yield ResumeThrow(k, ValueError(#))))
    1 see((yield k.throw(Stop)))
    2 return (yield Resume(k, #))
    1 return (yield ResumeThrow(k, KeyError(#)))
    2 see((yield Transfer(k, #)))
    1 see((yield TransferThrow(k, ValueError(#))))
    2 see((yield Discontinue(k)))
    1 see((yield k.discontinue()))
    2 see((yield Pass()))
    2 see((yield Delegate()))
    1 see((yield GetContinuation()) is k)
    1 see((yield GetHandlers(k)))
    1 see(k.used, k.kept)
    1 see((yield ResumeThrow(k, #)))
""")
INHERIT = "see((yield Inherit(k, {})))"
MARKS = texts("""
    3 @handles(A)
    2 @handles(B)
    1 @handles(C)
    1 @handles(A, B)
    1 @handles(A) @do
    1 @handles(Tell)
    1
    2 @answers(A)
    1 @answers(B)
    1 @answers(A, B)
    1 @answers(A) @do
    1 @answers(C, Ask)
""")
ENDS = texts("""
    4 return #
    2 return mapped(effect)
    1 return Pass()
    1 return Delegate()
    1 return Pure(#)
    1 return Resume(held(kept[0]), #) if kept else #
""")
OWN_ENDS = texts("""
    7 return Resume(k, #)
    5 return #
    2 return k.resume(#)
    1 return ResumeThrow(k, ValueError(#))
    1 return k.throw(KeyError)
    1 return Transfer(k, #)
    1 return TransferThrow(k, ValueError(#))
    1 return Discontinue(k)
    1 return Pass()
    1 return Delegate()
    1 return Pure(#)
    1 return Resume(held(kept[0]), #) if kept else #
    1 raise ValueError(#)
""")
HOOKS = texts("""
    2 exit(self): return #
    2 result(self, value): return mapped(value)
    2 error(self, exc): return #
    2 error(self, exc): raise exc
    2 enter(self): return #
    1 exit(self): raise ValueError(#)
    1 exit(self): raise Stop(#)
    1 error(self, exc): raise KeyError(#) from exc
    1 result(self, value): raise KeyError(#)
    1 enter(self): raise ValueError(#)
    1 report(self): return #
    1 fork(self): return self
    1 fork(self): return copy(self)
""")
INTERCEPTS = texts("""
    3 return (yield effect)
    2 return effect
    1 return B(#)
    1 return Pure(#)
    1 raise ValueError(#)
    1 return #
""")
NATIVE = texts("""
    3 writer
    3 state({{"x": #}})
    2 reader({{"x": #}})
    1 reader({{"x": lazy({}), "y": #}})
    1 reader({{"x": lazy(Ask("y")), "y": lazy({})}})
    1 reader
    1 state
""")
CAUGHT = texts("""
    2
    2 except Exception
    2 except BaseException
    1 except ValueError
    1 except KeyError
    1 except Discontinued
""")

HANDLERS = texts("""
    5 function
    3 class
    1 native
    1 again
""")
SMALL = st.integers(0, 2)
PROGRAMS = texts("""
    3 text
    4 handle
    3 block
    3 around
    1 intercept
    1 again
""")
LEAVES = """
    6 yield
    1 yield from
    2 kept
    1 raise
    1 rare
"""
STATEMENTS = (
    LEAVES
    + """
    4 try
    1 with
    1 create
    1 run
"""
)
OWN_STATEMENTS = """
    8 own
    1 inherit
"""
KINDS = {
    (deep, has_k): texts((STATEMENTS if deep else LEAVES) + OWN_STATEMENTS * has_k)
    for deep in (False, True)
    for has_k in (False, True)
}
NATIVES = texts("""
    1
    1 writer
    6 state({{"x": #}}), reader({{"x": #, "y": lazy({})}}), writer
    2 writer, reader({{"x": lazy({}), "y": #}}), state({{"x": #}})
    1 state, reader, writer
""")
SETTINGS = ', store={{"x": #}}, env={{"x": #, "y": lazy(A(#))}}'  # for handlers that have none of their own
LIMITS = ", limits=Limits(steps=?)"


def strategy(f):
    """One strategy for each way to call `f`: what is drawn often is made once."""
    return functools.cache(st.composite(f))


@strategy
def program(draw, depth, has_k):
    """A program; `has_k` says whether it is written inside a control clause, where there is a `k`."""
    kind = draw(PROGRAMS) if depth > 0 else "text"
    inner = program(depth - 1, has_k)
    match kind:
        case "block":
            return (kind, draw(block(1, depth - 1, has_k)))
        case "handle":
            return (kind, draw(handler(depth - 1, has_k)), draw(inner))
        case "around":
            text = draw(AROUND)
            return (kind, text, [draw(inner) for _ in range(text.count("{}"))])
        case "intercept":
            return (kind, draw(block(0, depth - 2, has_k)), draw(INTERCEPTS), draw(inner))
        case "again":
            return (kind, draw(SMALL))
        case _:
            return ("text", draw(PROGRAM))


@functools.cache
def block(least, depth, has_k):
    return st.lists(statement(depth, has_k), min_size=least, max_size=3 if depth > 0 else 2)


@strategy
def statement(draw, depth, has_k):
    kind = draw(KINDS[depth > 0, has_k])
    match kind:
        case "own":
            return (kind, draw(OWN), [])
        case "inherit":
            return ("own", INHERIT, [draw(program(depth - 1, has_k))])
        case "kept":
            return (kind, draw(KEPT), draw(SMALL))
        case "raise":
            return ("text", draw(RAISE))
        case "rare":
            return ("text", draw(RARE))
        case "with":
            return (kind, draw(block(1, depth - 1, has_k)))
        case "try":
            body, caught = draw(block(1, depth - 1, has_k)), draw(CAUGHT)
            caught_in = draw(block(0, depth - 2, has_k)) if caught else []
            final = draw(block(0, depth - 2, has_k)) if not caught or draw(st.booleans()) else None
            return (kind, body, caught, caught_in, final)
        case "create" | "run":
            return (kind, draw(program(depth - 1, has_k)), draw(st.lists(handler(depth - 2, has_k), max_size=1)))
        case _:
            return (kind, draw(program(depth, has_k)))


@strategy
def handler(draw, depth, has_k):
    kind = draw(HANDLERS)
    match kind:
        case "function":
            return (kind, draw(clause(depth, has_k)))
        case "class":
            clauses = draw(st.lists(clause(depth, has_k), min_size=1, max_size=2))
            return (kind, clauses, draw(st.lists(st.tuples(HOOKS, block(0, depth - 1, has_k)), max_size=3)))
        case "native":
            text = draw(NATIVE)
            return (kind, text, [draw(program(0, has_k)) for _ in range(text.count("{}"))])
        case _:
            return (kind, draw(SMALL))


@strategy
def clause(draw, depth, has_k):
    mark = draw(MARKS)
    own = not mark.startswith("@answers")
    return (mark, draw(block(0, depth - 1, own or has_k)), draw(OWN_ENDS if own else ENDS))


@strategy
def root_statement(draw):
    stmt, survives = draw(statement(DEPTH, has_k=False)), draw(st.booleans())
    return ("try", [stmt], "except BaseException", [], None) if survives else stmt


ROOT = st.lists(root_statement(), min_size=1, max_size=4)


@strategy
def runs(draw):
    """What a run is given: statements of its program, handlers from outside in, settings."""
    outer = draw(st.lists(handler(1, has_k=False), max_size=1))
    text = draw(NATIVES)
    natives = ("native", text, [draw(program(1, has_k=False)) for _ in range(text.count("{}"))])
    inner = draw(st.lists(handler(2, has_k=False), max_size=2))
    given = SETTINGS if text == "state, reader, writer" else ""
    steps = draw(st.integers(1, 60)) if draw(st.integers(0, 9)) == 9 else 0
    return (draw(ROOT), draw(st.booleans()), [*outer, natives, *inner], given + LIMITS * bool(steps), steps)
