"""Semantics 2: `return (yield Resume(k, v))` is a tail resume, outside `try` and `with`.

What is read from the bytecode is compared with the source: a line that says so with a comment has a yield in tail
position, every other yield has not. The same functions then run, and where each of them is suspended must be the offset
that was found: that holds the reader right on every CPython that this file runs on.
"""

import inspect

import pytest

from segue import Resume, handles, run
from segue._tail import all_tail, tail_offsets
from vocabulary import Ping, ask


class Ward:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def plain(e, k):
    return (yield 1)  # tail


def with_statements_before(e, k):
    first = yield 1
    second = [first, e, k]
    return (yield second)  # tail


def in_branches(e, k):
    if e:
        return (yield 1)  # tail
    return (yield 2)  # tail


def in_a_conditional_expression(e, k):
    return (yield 1) if e else (yield 2)  # tail


def in_loops(e, k):
    for x in [1]:
        for _ in [x]:
            while e:
                return (yield x)  # tail
    return (yield 2)  # tail


def in_a_match(e, k):
    match e:
        case [x, _]:
            return (yield x)  # tail
        case True:
            return (yield 1)  # tail
        case _:
            return (yield 2)  # tail


def after_a_try(e, k):
    try:
        len(k)
    except TypeError:
        k = [e]
    return (yield k)  # tail


def after_a_with(e, k):
    with Ward():
        pass
    return (yield 1)  # tail


def with_a_closure(e, k):
    def inner():
        return e

    return (yield inner)  # tail


def with_a_far_constant(e, k):
    many = [e.x0 if e is k else 0, k is None or k.x1, 2, 3]
    many = many and [x for x in many if x]
    return (yield many)  # tail


def with_an_argument_of_its_own(e, k):
    return (yield (yield 1))  # tail


def kept_in_a_variable(e, k):
    x = yield 1
    return x


def used_afterwards(e, k):
    return (yield 1), e


def negated(e, k):
    return not (yield 1)


def not_returned(e, k):
    yield 1


def returned_without(e, k):
    yield 1
    return e


def in_a_try(e, k):
    try:
        return (yield 1)
    except ValueError:
        return None


def in_a_finally(e, k):
    try:
        return (yield 1)
    finally:
        len([e, k])


def in_an_except(e, k):
    try:
        raise ValueError
    except ValueError:
        return (yield 1)


def in_a_with(e, k):
    with Ward():
        return (yield 1)


def in_a_loop_inside_a_try(e, k):
    try:
        for x in [1]:
            return (yield x)
    finally:
        len([e, k])


def in_a_try_inside_a_loop(e, k):
    for x in [1]:
        try:
            return (yield x)
        finally:
            len([e, k])


def with_yield_from(e, k):
    return (yield from (x for x in [1]))


def in_an_else(e, k):
    try:
        len([e, k])
    except ValueError:
        return None
    else:
        return (yield 1)  # tail


FUNCTIONS = [
    value for value in list(globals().values()) if inspect.isgeneratorfunction(value) and value.__module__ == __name__
]


def marked_lines(function):
    lines, first = inspect.getsourcelines(function)
    return {first + index for index, line in enumerate(lines) if "# tail" in line}


def lines_of(code, offsets):
    """The source lines of the instructions at these offsets."""
    lines = {}
    for start, end, line in code.co_lines():
        lines.update(dict.fromkeys(range(start, end, 2), line))
    return {lines[offset] for offset in offsets}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_the_yields_found_are_those_that_the_source_marks(function):
    code = function.__code__
    assert lines_of(code, tail_offsets(code)) == marked_lines(function)


def suspensions(function, e):
    """Line and offset of each place where the generator is suspended."""
    generator = function(e, None)
    try:
        generator.send(None)
        while True:
            yield generator.gi_frame.f_lineno, generator.gi_frame.f_lasti
            generator.send(1)
    except StopIteration:
        pass


@pytest.mark.parametrize("e", [True, False, [1, 2]], ids=["true", "false", "list"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_suspended_generator_is_at_a_found_offset_exactly_on_marked_lines(function, e):
    offsets = tail_offsets(function.__code__)
    marked = marked_lines(function)
    places = list(suspensions(function, e))
    if function is with_an_argument_of_its_own:
        # The inner yield stands on the same line and is not the last.
        assert [offset in offsets for _, offset in places] == [False, True]
        return
    assert places
    for line, offset in places:
        assert (offset in offsets) == (line in marked)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plain, True),
        (in_branches, True),
        (in_loops, True),
        (in_a_match, True),
        (with_statements_before, False),
        (with_an_argument_of_its_own, False),
        (in_a_try, False),
        (with_yield_from, False),
        (marked_lines, False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_all_tail_means_every_yield_and_at_least_one(function, expected):
    assert all_tail(function.__code__) is expected


def test_a_wide_function_is_read_through_extended_arguments():
    # More than 255 constants and a long jump: arguments of several bytes.
    body = "\n".join(f"        x{i} = {i + 1000}" for i in range(400))
    namespace = {}
    exec(f"def wide(e, k):\n    for _ in e:\n{body}\n        return (yield x399)", namespace)
    assert all_tail(namespace["wide"].__code__)


def test_a_function_that_gets_other_code_is_no_longer_read_as_before():
    """As a reloader does: the answer of a clause that does something after its `Resume` is not lost."""

    @handles(Ping)
    def handler(e, k):
        return (yield Resume(k, 1))

    def other(e, k):
        answer = yield Resume(k, 5)
        return "wrapped", answer

    assert run(handler(ask())).value == 1
    handler.__wrapped__.__code__ = other.__code__
    assert run(handler(ask())).value == ("wrapped", 5)


def test_asking_again_gives_the_same_answer():
    def fresh(e, k):
        return (yield e)

    assert tail_offsets(fresh.__code__) is tail_offsets(fresh.__code__)


def test_what_is_remembered_is_bounded(monkeypatch):
    from segue import _tail

    monkeypatch.setattr(_tail, "_kept", {})
    monkeypatch.setattr(_tail, "_KEPT", 8)
    for i in range(50):
        namespace = {}
        exec(f"def f(e, k):\n    return (yield {i + 1000})", namespace)
        assert all_tail(namespace["f"].__code__)
        assert len(_tail._kept) <= 8


def test_bytecode_that_is_not_understood_has_no_tail_positions(monkeypatch):
    from segue import _tail

    monkeypatch.setattr(_tail, "_kept", {})
    monkeypatch.setattr(_tail, "_reader", [])
    monkeypatch.setattr("opcode.opname", [f"UNKNOWN_{code}" for code in range(256)])
    assert tail_offsets(plain.__code__) is None
    assert all_tail(plain.__code__) is False

    @handles(Ping)
    def answers_all_the_same(e, k):
        return (yield Resume(k, e.n))

    assert run(ask(3), handlers=[answers_all_the_same]).value == 3
