"""Semantics 1: nodes, yields and roots, and what each wrong one says (P-rows of the faults)."""

import asyncio
import copy
import functools
import inspect
import pickle
import threading
import traceback

import pytest

from segue import (
    Ask,
    Call,
    CreateContinuation,
    Discontinue,
    Effect,
    FlatMap,
    GetHandlers,
    Inherit,
    Listen,
    Local,
    Map,
    Perform,
    Pure,
    PythonAsyncSyntaxEscape,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Seal,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    bracket,
    do,
    reader,
    run,
)


class Ping(Effect[int]):
    n: int = 0


class Louder(Ping):
    by: int = 1


class Pair(Effect[None]):
    left: object
    right: object = None


class Bare(Effect[str]):
    pass


@answers(Ping)
def echo(e):
    return e.n


@do
def add(a, b):
    return (yield Ping(a)) + (yield Ping(b))


@do
def constant(value):
    return value


def raw(n=1):
    yield Ping(n)


async def coroutine():
    return 1


async def async_generator():
    yield 1


def error_at_yield(wrong):
    """Yield `wrong` inside a program that catches the TypeError at that yield and gives it."""

    @do
    def program():
        try:
            yield wrong
        except TypeError as e:
            return e, (yield Ping(7))

    error, after = run(program(), handlers=[echo]).value
    assert after == 7  # the program goes on
    return error


# Nodes.


def test_pure_is_its_value():
    assert run(Pure(3)).value == 3


def test_map_applies_a_function_to_the_result():
    assert run(Map(Pure(3), str)).value == "3"
    assert run(Pure(3).map(str).map(len)).value == 1


def test_flat_map_goes_on_with_the_program_that_f_gives():
    assert run(FlatMap(Pure(3), lambda n: Pure(n + 1))).value == 4
    assert run(Pure(3).flat_map(Ping), handlers=[echo]).value == 3


def test_call_evaluates_what_f_gives():
    assert run(Call(add, 1, b=2), handlers=[echo]).value == 3
    assert run(Call(Ping, 4), handlers=[echo]).value == 4


def test_perform_gives_the_answer():
    assert run(Perform(Ping(5)), handlers=[echo]).value == 5


def test_effects_have_map_and_flat_map():
    assert run(Ping(5).map(str), handlers=[echo]).value == "5"
    assert run(Ping(5).flat_map(lambda n: Ping(n + 1)), handlers=[echo]).value == 6


def test_map_of_a_function_that_gives_a_program_is_that_program():
    """Semantics 1: what a function returns is a value."""
    inner = Pure(1)
    assert run(Map(Pure(0), lambda _: inner)).value is inner


def test_result_of_a_do_function_is_a_value_even_when_it_is_a_program():
    inner = Pure(1)

    @do
    def yields():
        yield Pure(None)
        return inner

    assert run(constant(inner)).value is inner
    assert run(yields()).value is inner


@pytest.mark.parametrize("given", [3, None, "text", raw, [Pure(1)]])
@pytest.mark.parametrize("build", [lambda f: FlatMap(Pure(0), lambda _: f()), Call])
def test_flat_map_and_call_ask_for_a_program(build, given):
    """Semantics 1: anything else that their function gives is a TypeError at the yield."""
    error = error_at_yield(build(lambda: given))
    assert isinstance(error, TypeError)


def test_a_program_is_asked_for_and_an_effect_will_do():
    for node in (Map(Ping(2), int), Try(Ping(2)).map(lambda r: r.value), WithHandler(echo, Ping(2))):
        assert run(node, handlers=[echo]).value == 2
    assert run(Ping(2), handlers=[echo]).value == 2


def test_do_functions_call_nothing_until_they_run():
    log = []

    @do
    def says(text):
        log.append(text)
        return text

    program = says("hello")
    assert log == []
    assert run(program).value == "hello"
    assert log == ["hello"]


def test_arguments_of_a_do_function_are_untouched():
    given = [object()]
    assert run(constant(given)).value is given


def test_wrong_arguments_are_an_error_at_the_yield():
    @do
    def program():
        try:
            yield add(1, 2, 3)
        except TypeError as e:
            return str(e)

    assert "add" in run(program()).value


def test_do_keeps_the_name_and_the_text_of_its_function():
    @do
    def named(a, b=2):
        """Says what it does."""
        yield Pure(a)

    assert (named.__name__, named.__doc__) == ("named", "Says what it does.")
    assert list(inspect.signature(named).parameters) == ["a", "b"]


def test_do_works_on_methods():
    class Account:
        def __init__(self, start):
            self.start = start

        @do
        def plus(self, n):
            return self.start + (yield Ping(n))

        @staticmethod
        @do
        def static(n):
            return (yield Ping(n))

        @classmethod
        @do
        def of(cls, n):
            return cls.__name__, (yield Ping(n))

    assert run(Account(10).plus(5), handlers=[echo]).value == 15
    assert run(Account.static(5), handlers=[echo]).value == 5
    assert run(Account.of(5), handlers=[echo]).value == ("Account", 5)


def test_do_works_on_partials():
    @do
    def body(a, b):
        return a + (yield Ping(b))

    assert run(functools.partial(body, 1)(2), handlers=[echo]).value == 3
    assert run(do(functools.partial(lambda a, b: a + b, 1))(2)).value == 3


@pytest.mark.parametrize("function", [coroutine, async_generator])
def test_async_functions_are_rejected_where_they_are_decorated(function):
    with pytest.raises(TypeError, match=function.__name__):
        do(function)


def test_yield_from_means_the_same_as_yield():
    @do
    def program():
        a = yield from Ping(1)
        b = yield from add(2, 3)
        c = yield from Pure(4)
        return a, b, c

    assert run(program(), handlers=[echo]).value == (1, 5, 4)


def test_yield_from_a_plain_generator_helper():
    def helper(n):
        return (yield Ping(n)) * 10

    @do
    def program():
        return (yield from helper(4))

    assert run(program(), handlers=[echo]).value == 40


def test_an_error_arrives_through_yield_from():
    @answers(Ping)
    def fails(e):
        raise ValueError("no")

    @do
    def program():
        try:
            yield from Ping(1)
        except ValueError as e:
            return str(e)

    assert run(program(), handlers=[fails]).value == "no"


def test_nodes_are_immutable():
    for node in (Pure(1), Map(Pure(1), str), add(1, 2), WithHandler(echo, Pure(1))):
        with pytest.raises((AttributeError, TypeError)):
            node.extra = 1
    with pytest.raises((AttributeError, TypeError)):
        Pure(1).value = 2


def test_set_of_nodes_is_closed():
    with pytest.raises(TypeError):
        type("MyNode", (Pure,), {})


@pytest.mark.parametrize(
    "build",
    [
        lambda: Map(3, str),
        lambda: Map(Pure(1), 3),
        lambda: FlatMap(3, Pure),
        lambda: FlatMap(Pure(1), None),
        lambda: Pure(1).map(3),
        lambda: Pure(1).flat_map(3),
        lambda: Ping(1).map(3),
        lambda: Call(3),
        lambda: Perform(3),
        lambda: Perform(Pure(1)),
        lambda: Perform(Ping),
        lambda: WithHandler(echo, 3),
        lambda: WithHandler(echo, add),
        lambda: WithIntercept(3, Pure(1)),
        lambda: WithIntercept(Perform, 3),
        lambda: Seal(3, Pure(1)),
        lambda: Seal([3], Pure(1)),
        lambda: Seal([Ping], 3),
        lambda: Try(3),
        lambda: Try(None),
        lambda: Local(3, Pure(1)),
        lambda: Local({}, 3),
        lambda: Listen(3),
        lambda: bracket(3, Pure, Pure),
        lambda: bracket(Pure(1), 3, Pure),
        lambda: bracket(Pure(1), Pure, 3),
        lambda: GetHandlers(3),
        lambda: Inherit(3, Pure(1)),
        lambda: Discontinue(3),
        lambda: Resume(3, 1),
        lambda: ResumeThrow(3, ValueError()),
        lambda: Transfer(3, 1),
        lambda: TransferThrow(3, ValueError()),
        lambda: ResumeContinuation(3, 1),
        lambda: CreateContinuation(3, []),
        lambda: CreateContinuation(Pure(1), 3),
        lambda: CreateContinuation(Pure(1), [3]),
        lambda: PythonAsyncSyntaxEscape(3),
    ],
)
def test_node_checks_its_arguments_at_once(build):
    """Semantics 1: node constructors check their arguments."""
    with pytest.raises(TypeError):
        build()


def test_generator_is_not_a_program_where_a_program_is_asked_for():
    generator = raw()
    with pytest.raises(TypeError, match="raw"):
        Try(generator)
    generator.close()


# Effects.


def test_effects_are_data():
    """Semantics 2: equality, hash, repr."""
    assert Ping(1) == Ping(n=1)
    assert Ping(1) != Ping(2)
    assert Ping(1) != Louder(1)
    assert Ping(1) != 1
    assert hash(Ping(1)) == hash(Ping(1))
    assert len({Ping(1), Ping(1), Ping(2)}) == 2
    assert (repr(Ping(1)), repr(Bare()), repr(Pair("a"))) == (
        "Ping(n=1)",
        "Bare()",
        "Pair(left='a', right=None)",
    )


def test_effects_match_patterns():
    match Louder(3, by=4):
        case Louder(n, by):
            assert (n, by) == (3, 4)
    match Pair("l", "r"):
        case Pair(right=right):
            assert right == "r"


def test_effect_subclasses_add_fields():
    assert Louder.__match_args__ == ("n", "by")
    assert (Louder().n, Louder().by) == (0, 1)
    assert isinstance(Louder(), Ping)


@pytest.mark.parametrize(
    "build",
    [
        Pair,
        lambda: Ping(1, 2),
        lambda: Ping(m=1),
        lambda: Ping(1, n=2),
        lambda: Bare(1),
    ],
)
def test_effect_checks_its_arguments(build):
    with pytest.raises(TypeError):
        build()


def test_effects_are_frozen():
    effect = Pair(1)
    for change in (
        lambda: setattr(effect, "left", 2),
        lambda: setattr(effect, "other", 2),
        lambda: delattr(effect, "left"),
    ):
        with pytest.raises(AttributeError):
            change()
    assert effect == Pair(1)


def test_effects_pickle_and_copy():
    effect = Louder(3, by=4)
    for version in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(effect, version)) == effect  # noqa: S301
    assert copy.deepcopy(Pair([1], {"a": 2})) == Pair([1], {"a": 2})


def test_effect_with_an_unhashable_field_is_unhashable_like_a_tuple():
    assert Pair([1]) == Pair([1])
    with pytest.raises(TypeError):
        hash(Pair([1]))


def test_effects_may_have_methods():
    class Area(Effect[float]):
        w: int
        h: int

        @property
        def size(self):
            return self.w * self.h

        def grown(self, by):
            return Area(self.w + by, self.h + by)

    assert Area(2, 3).size == 6
    assert Area(2, 3).grown(1) == Area(3, 4)
    assert Area.__match_args__ == ("w", "h")


# Wrong yields.


@pytest.mark.parametrize("wrong", [1, None, "text", [1, 2], 2.5, {"a": 1}, (1,)])
def test_p01_plain_value_points_at_pure_and_return(wrong):
    message = str(error_at_yield(wrong))
    assert type(wrong).__name__ in message or repr(wrong) in message
    assert "Pure" in message
    assert "return" in message


@pytest.mark.parametrize("wrong", [Ping, int, asyncio.Future])
def test_p01_class_is_named(wrong):
    assert wrong.__name__ in str(error_at_yield(wrong))


def test_p01_exception_is_named_and_not_raised():
    message = str(error_at_yield(ValueError("not raised")))
    assert "ValueError" in message


def test_p01_the_error_stands_at_the_line_of_the_yield():
    @do
    def program():
        yield Pure(1)
        yield 3

    error = run(program()).error
    assert traceback.extract_tb(error.__traceback__)[-1].line == "yield 3"


def test_p01_uncaught_it_is_the_result():
    def program():
        yield object()

    r = run(program())
    assert isinstance(r.error, TypeError)


def test_p02_coroutine_points_at_await_and_is_closed():
    wrong = coroutine()
    assert "Await" in str(error_at_yield(wrong))
    assert inspect.getcoroutinestate(wrong) == inspect.CORO_CLOSED


def test_p02_async_generator_points_at_await():
    assert "Await" in str(error_at_yield(async_generator()))


def test_p03_do_function_that_was_not_called_is_named():
    message = str(error_at_yield(add))
    assert "add" in message
    assert "call" in message


def test_p03_bare_generator_names_its_function_and_do():
    wrong = raw()
    message = str(error_at_yield(wrong))
    wrong.close()
    assert "raw" in message
    assert "@do" in message


def test_p03_each_mistake_has_a_message_of_its_own():
    generator = raw()
    messages = [str(error_at_yield(wrong)) for wrong in (1, add, generator, coroutine(), Ping)]
    generator.close()
    assert len(set(messages)) == len(messages)


# Wrong roots.


@pytest.mark.parametrize(
    ("root", "names"),
    [
        (3, "3|int"),
        (None, "None"),
        ("text", "text|str"),
        (raw, "raw"),
        (add, "add"),
        (Ping, "Ping"),
        (coroutine, "coroutine"),
        (echo, "echo|handler"),
    ],
)
def test_p17_wrong_root_is_an_error_of_run_itself(root, names):
    with pytest.raises(TypeError, match=names):
        run(root)


def test_p17_function_that_was_not_called_says_so():
    for function in (raw, add):
        with pytest.raises(TypeError, match="call"):
            run(function)


def test_p17_coroutine_is_closed():
    root = coroutine()
    with pytest.raises(TypeError, match="coroutine"):
        run(root)
    assert inspect.getcoroutinestate(root) == inspect.CORO_CLOSED


def test_p17_async_generator():
    with pytest.raises(TypeError, match="async"):
        run(async_generator())


def test_bare_generator_may_be_a_root():
    def answer():
        return (yield Ping(6))

    assert run(answer(), handlers=[echo]).value == 6


# Programs are values.


def test_p05_program_runs_many_times():
    program = add(1, 2)
    assert [run(program, handlers=[echo]).value for _ in range(5)] == [3] * 5


def test_p05_program_runs_in_eight_threads_at_once():
    @do
    def counts(n):
        total = 0
        for i in range(n):
            total += yield Ping(i)
        return total

    program = counts(500)
    start = threading.Barrier(8)
    results = []

    def work():
        start.wait()
        results.append(run(program, handlers=[echo]).value)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [sum(range(500))] * 8


def test_program_may_stand_twice_in_another():
    part = add(1, 2)

    @do
    def both():
        return (yield part), (yield part)

    assert run(both(), handlers=[echo]).value == (3, 3)


def test_p06_generator_that_is_already_running():
    me = []

    def program():
        try:
            run(me[0]).value
        except ValueError as e:
            return str(e)
        yield Pure(None)

    me.append(program())
    assert "already executing" in run(me[0]).value


def test_p07_stop_iteration_in_a_program_becomes_runtime_error():
    stop = StopIteration("x")

    @do
    def generator():
        yield Pure(1)
        raise stop

    @do
    def plain():
        raise stop

    for program in (generator(), plain()):
        error = run(program).error
        assert type(error) is RuntimeError
        assert error.__cause__ is stop


@pytest.mark.parametrize(
    "build",
    [
        lambda f: Map(Pure(1), f),
        lambda f: FlatMap(Pure(1), f),
        lambda f: Call(f, 1),
        lambda f: WithIntercept(f, Ping()),
        lambda f: bracket(Pure(1), f, Pure),
    ],
)
def test_p07_stop_iteration_in_a_function_called_by_the_machine(build):
    """Semantics 3: StopIteration that leaves a function called by the machine becomes RuntimeError."""
    stop = StopIteration("x")

    def raises(_):
        raise stop

    error = run(build(raises), handlers=[echo]).error
    assert type(error) is RuntimeError
    assert error.__cause__ is stop


def test_p08_return_in_finally_swallows_the_exception():
    @do
    def swallows():
        try:
            raise ValueError("lost")
        finally:
            yield Ping()
            return "kept"  # noqa: B012

    assert run(swallows(), handlers=[echo]).value == "kept"


def test_p10_cause_context_and_notes_are_unchanged():
    @do
    def inner():
        yield Ping()
        error = ValueError("inner")
        error.add_note("a note")
        raise error

    @do
    def middle():
        try:
            yield inner()
        except ValueError as e:
            raise KeyError("middle") from e

    @do
    def outer():
        try:
            yield middle()
        except KeyError:
            raise OSError("outer")  # noqa: B904

    error = run(outer(), handlers=[echo]).error
    assert type(error) is OSError
    assert type(error.__context__) is KeyError
    assert error.__cause__ is None
    assert type(error.__context__.__cause__) is ValueError
    assert error.__context__.__cause__.__notes__ == ["a note"]


def test_p11_exception_groups_split_across_programs():
    @do
    def inner():
        yield Ping()
        raise ExceptionGroup("both", [ValueError(1), KeyError(2), OSError(3)])

    @do
    def outer():
        seen = []
        try:
            yield inner()
        except* ValueError as group:
            seen.extend(group.exceptions)
        except* KeyError as group:
            seen.append((yield Ping(5)))
            seen.extend(group.exceptions)
        return seen

    error = run(outer(), handlers=[echo]).error
    assert isinstance(error, ExceptionGroup)
    assert [type(e) for e in error.exceptions] == [OSError]


def test_programs_are_evaluated_where_they_stand():
    """Semantics 1: nothing runs until a program is evaluated, under the handlers of that place."""

    @do
    def program(part):
        return (yield WithHandler(reader({"who": "inner"}), part)), (yield part)

    assert run(program(Ask("who")), handlers=[reader({"who": "outer"})]).value == ("inner", "outer")
