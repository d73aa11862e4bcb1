"""What users give that fights back: generators in other hands, exceptions and classes that lie, hooks that raise."""

import gc
import sys
from unittest.mock import Mock

import pytest

from child import run_child
from segue import (
    Ask,
    Delegate,
    Discontinue,
    Discontinued,
    Effect,
    Get,
    Handler,
    Limits,
    Ok,
    Pure,
    Put,
    PyVM,
    Resume,
    ResumeThrow,
    UnhandledEffectError,
    answers,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
)
from segue._vm import vm_live_counts
from vocabulary import Ping, Pong, echo, pong, stop


def two():
    return (yield Ping(1)), (yield Ping(2))


def test_p131_generator_that_was_started_is_no_root():
    generator = two()
    next(generator)
    with pytest.raises(TypeError, match="has started already: decorate its function with @do"):
        run(generator, echo)
    assert next(generator, "suspended") != "suspended"


def test_p131_generator_that_another_run_has_taken_is_no_root():
    @answers(Ping)
    def runs_it_again(e):
        with pytest.raises(TypeError, match="has started already"):
            run(generator, echo)
        return e.n

    generator = two()
    assert run(generator, runs_it_again).value == (1, 2)


def test_p131_two_machines_do_not_share_a_generator():
    generator = two()
    first, second = PyVM(), PyVM()
    first.start_program(generator, [echo])
    with pytest.raises(TypeError, match="another run has taken"):
        second.start_program(generator, [echo])
    while (event := first.step_once()) == ("continue",):
        pass
    assert event == ("done", (1, 2))


def test_p131_generator_that_is_at_work_is_not_started():
    seen = []

    def steps():
        while (event := vm.step_once()) == ("continue",):
            pass
        seen.append(event)
        yield

    generator, vm = steps(), PyVM()
    vm.start_program(generator, [echo])
    next(generator)
    [(event, error)] = seen
    assert (event, type(error)) == ("error", ValueError)
    assert "already executing" in str(error)


def test_p132_generator_that_its_owner_closes_is_no_none():
    left = []

    def closable():
        try:
            return (yield Ping())
        finally:
            left.append("left")

    @answers(Ping)
    def closes(e):
        generator.close()
        return 5

    generator = closable()
    error = run(generator, closes).error
    assert isinstance(error, RuntimeError)
    assert "was closed while the run went on" in str(error)
    assert left == ["left"]


class Tagged(Effect[object]):
    tag: str


class UntouchedError(Exception):
    """Refuses whatever is done to it."""

    __traceback__ = property(lambda self: None, lambda self, value: (_ for _ in ()).throw(KeyError("traceback")))
    __context__ = property(lambda self: (_ for _ in ()).throw(KeyError("context")))

    def __setattr__(self, name, value):
        raise KeyError(name)

    def __str__(self):
        raise KeyError("str")

    __repr__ = __str__


@pytest.mark.parametrize("way", ["body", "clause", "throw"])
def test_p133_exception_that_refuses_attributes_is_raised_itself(way):
    mine = UntouchedError()

    @do
    def body():
        yield Ping()
        raise mine

    @answers(Ping)
    def raises(e):
        raise mine

    @handles(Ping)
    def throws(e, k):
        return ResumeThrow(k, mine)

    result = run(body(), {"body": echo, "clause": raises, "throw": throws}[way])
    assert result.error is mine
    for _ in range(2):
        with pytest.raises(UntouchedError) as caught:
            _ = result.value
        assert caught.value is mine
    assert "UntouchedError" in result.display()


def test_p134_display_shows_the_traceback_of_a_message_that_cannot_be_encoded():
    @do
    def fails():
        yield Ping()
        raise ValueError("half \udcff")

    shown = run(fails(), echo).display()
    assert "in fails" in shown
    shown.encode()


def test_p135_display_of_a_store_that_changes_under_it():
    class Grows:
        def __repr__(self):
            result.raw_store[len(result.raw_store)] = self
            return "Grows()"

    result = run(Put("a", Grows()), state)
    result.raw_store["b"] = 1
    assert "'a': Grows()" in result.display()


def test_p136_class_whose_instances_are_others_is_a_type_error_at_the_throw():
    class FiveError(Exception):
        def __new__(cls):
            return 5

    class BrokenError(Exception):
        def __init__(self):
            raise OSError("no")

    @handles(Ping)
    def throws(e, k):
        seen = []
        for wrong in (FiveError, BrokenError):
            try:
                yield ResumeThrow(k, wrong)
            except (TypeError, OSError) as error:
                seen.append(type(error).__name__)
        return Resume(k, seen)

    assert run(Ping(), throws).value == ["TypeError", "OSError"]


def test_p137_long_chain_of_contexts_gets_no_cycle():
    errors = [ValueError(n) for n in range(1500)]

    @do
    def nest(n):
        try:
            if n + 1 < len(errors):
                yield nest(n + 1)
            raise errors[0]
        finally:
            if n > 0:
                raise errors[n]

    @do
    def again():
        try:
            yield nest(0)
        finally:
            raise errors[0]

    seen, error = set(), run(again()).error
    while error is not None:
        assert id(error) not in seen
        seen.add(id(error))
        error = error.__context__
    assert len(seen) == len(errors)


def test_p138_exception_that_is_being_handled_is_nobody_elses():
    seen = []

    @do
    def handling():
        try:
            raise KeyError("body's")
        except KeyError:
            yield Ping()
            seen.append(repr(sys.exception()))

    @handles(Ping)
    def looks(e, k):
        seen.append(sys.exception())
        yield Resume(k, None)
        seen.append(sys.exception())

    run(handling(), looks)
    assert seen == [None, 'KeyError("body\'s")', None]


def test_h131_subclass_that_moves_the_fields_of_a_built_in_effect_is_a_type_error():
    with pytest.raises(TypeError, match="name Get as the last base"):
        type(Get)("Moved", (Get, Tagged), {})

    class Kept(Tagged, Get):
        pass

    assert run(Kept("n", "mine"), state({"n": 1})).value == 1
    assert Kept("n", "mine").tag == "mine"


def test_h132_class_decides_what_a_handler_is_and_not_what_it_says():
    class Lies:
        __class__ = Handler

    with pytest.raises(TypeError, match="is no handler"):
        run(Ping(), [Lies()])
    # A mock says that it is a `Handler`, and is a callable: a clause.
    assert run(Ping(), Mock(spec=Handler, return_value=4)).value == 4


@pytest.mark.parametrize("field", ["__debug__", "__signature__", "__segue_fields__", "class", "a b"])
def test_h133_name_that_cannot_be_a_field_is_a_type_error_of_the_class(field):
    with pytest.raises(TypeError, match="is no name for a field"):
        type(Effect)("Odd", (Effect,), {"__annotations__": {field: int}, "__module__": __name__})


@pytest.mark.parametrize(
    "field", ["self", "cls", "args", "kwargs", "key", "fields", "__len__", "__bool__", "__await__"]
)
def test_h134_field_may_be_called_like_a_parameter_or_an_operator(field):
    odd = type(Effect)("Odd", (Effect,), {"__annotations__": {field: int}, "__module__": __name__})
    assert run(odd(**{field: 3}), answers(odd)(lambda e: getattr(e, field))).value == 3


def test_h135_effect_with_a_thousand_fields():
    wide = type(Effect)("Wide", (Effect,), {"__annotations__": {f"f{n}": int for n in range(1000)}})
    effect = wide(**{f"f{n}": n for n in range(1000)})
    assert effect == wide(*range(1000))
    assert hash(effect) == hash(wide(*range(1000)))
    assert len(repr(effect)) <= 200
    assert run(effect, answers(wide)(lambda e: e.f999)).value == 999


@pytest.mark.parametrize("error", [KeyError("mine"), MemoryError(), KeyboardInterrupt()])
def test_h136_what_iterating_the_handlers_raises_stays_what_it_is(error):
    class Handlers:
        def __iter__(self):
            raise error

    with pytest.raises(type(error)) as caught:
        run(Ping(), Handlers())
    assert caught.value is error


def test_h137_two_handlers_that_ask_each_other_end_outside_both():
    @answers(Ping)
    def by_pong(e):
        return (yield Pong())

    @answers(Pong)
    def by_ping(e):
        return (yield Ping())

    for handlers in ([by_pong, by_ping], [by_ping, by_pong]):
        assert isinstance(run(Ping(), handlers, limits=Limits(steps=1000)).error, UnhandledEffectError)


def test_b121_lazy_values_under_keys_that_change_the_settings():
    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            if armed:
                settings[len(settings)] = "more"
            return self is other

    armed = []
    keys = [Key() for _ in range(3)]
    configured = reader({key: lazy(Pure(n)) for n, key in enumerate(keys)})
    settings = configured.settings
    armed.append(True)
    assert [run(Ask(key), configured).value for key in keys] == [0, 1, 2]


def traced(install):
    """Runs a program once for each event that a hook may raise at; gives how the runs ended."""
    left, ended = [], set()

    @do
    def body():
        try:
            return (yield Ping(3))
        finally:
            left.append("left")

    for at in range(1, 25):
        count = 0

        def hook(frame, event, argument, at=at):
            nonlocal count
            count += 1
            if count == at:
                raise LookupError(at)
            return hook

        result = None
        # The hook would raise in whatever others let the collector call.
        gc.disable()
        install(hook)
        try:
            result = run(body(), echo)
            install(None)
        except LookupError:
            ended.add("raised")
        finally:
            gc.enable()
        if result is not None:
            ended.add(result.value if result.is_ok() else type(result.error).__name__)
    return ended


@pytest.mark.parametrize("hook", ["settrace", "setprofile"])
def test_s131_tracing_hook_that_raises_anywhere_leaves_nothing(hook):
    before, earlier = vm_live_counts(), (sys.gettrace(), sys.getprofile())
    try:
        ended = traced(getattr(sys, hook))
    finally:
        sys.settrace(earlier[0])
        sys.setprofile(earlier[1])
    gc.collect()
    assert {3, "LookupError"} <= ended <= {3, "LookupError", "raised"}
    assert vm_live_counts() == before


def test_m131_finalisers_that_run_programs_and_use_continuations_at_every_collection():
    threshold = gc.get_threshold()

    class Cyclic:
        dead = 0
        k = None

        def __init__(self):
            self.me = self

        def __del__(self):
            Cyclic.dead += 1
            if Cyclic.dead % 7 == 0:
                assert run(Ping(1), echo).value == 1
            assert self.k is None or self.k.used

    @handles(Ping)
    def litters(e, k):
        litter = Cyclic()
        value = yield Resume(k, e.n)
        litter.k = k
        Cyclic()
        return value

    @do
    def body():
        total = 0
        for n in range(100):
            Cyclic()
            total += yield Ping(n)
        return total

    gc.set_threshold(1)
    try:
        assert run(body(), litters).value == 4950
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert Cyclic.dead == 300


def test_d121_a_deep_tree_of_every_kind_of_node_is_built_shown_collected_and_dropped():
    said = run_child(
        """
        import gc
        from segue import *
        from segue import bracket

        class Ping(Effect[int]):
            n: object = 0

        same = answers(Ping)(lambda e: e.n)
        wraps = {
            "Map": lambda p: Map(p, str),
            "FlatMap": lambda p: FlatMap(p, Pure),
            "WithHandler": lambda p: WithHandler(same, p),
            "WithIntercept": lambda p: WithIntercept(Pure, p),
            "Seal": lambda p: Seal([Ping], p),
            "Try": lambda p: Try(p),
            "Local": lambda p: Local({}, p),
            "Listen": lambda p: Listen(p),
            "Call": lambda p: Call(Pure, p),
            "keyword": lambda p: Call(Pure, p=p),
            "CreateContinuation": lambda p: CreateContinuation(p, [same]),
            "bracket": lambda p: bracket(p, Pure, Pure),
            "Pure": lambda p: Pure(p),
            "lazy": lambda p: Pure(lazy(p)),
            "Perform": lambda p: Perform(Ping(p)),
        }
        for name, wrap in wraps.items():
            program = Pure(1)
            for _ in range(100_000):
                program = wrap(program)
            gc.collect()
            assert len(repr(program)) < 1000, name
            del program
        print(len(wraps))
        """,
        seconds=120,
    )
    assert said.ok() == "15\n"


def test_t131_vm_stepped_inside_a_drop_lets_go_of_what_it_drops():
    """A step stands on the stack of a deep drop: what its program drops dies at once all the same."""
    seen = []

    class Probe:
        def __del__(self):
            seen.append("probe")

    @do
    def drops():
        tree = Pure(Probe())
        for _ in range(40):
            tree = tree.map(str)
        del tree
        seen.append("next")

    class Steps:
        def __del__(self):
            vm = PyVM()
            vm.start_program(drops())
            while vm.step_once() == ("continue",):
                pass

    tree = Pure(Steps())
    for _ in range(40):
        tree = tree.map(str)
    del tree
    assert seen == ["probe", "next"]


def test_t131_run_inside_a_drop_leaves_the_rest_of_it_to_be_dropped():
    seen = []

    class Runs:
        def __call__(self, value):
            return value

        def __del__(self):
            seen.append(run(Pure("ran")).value)

    tree = Pure(0)
    for _ in range(40):
        tree = tree.map(Runs())
    del tree
    assert seen == ["ran"] * 40


def test_k121_clean_up_of_a_dropped_body_that_catches_everything_ends():
    caught = []

    @do
    def stubborn():
        for _ in range(50):
            try:
                yield Ping()
            except BaseException as error:
                caught.append(type(error))
        return "ran on"

    @handles(Ping)
    def lets_go(e, k):
        yield Discontinue(k)
        return "first"

    assert run(stubborn(), lets_go).value == "first"
    assert run(stubborn(), stop).value == "stopped"
    assert set(caught) == {Discontinued}


def test_k122_value_clause_that_delegates_for_ever_ends_outside():
    @answers(Ping)
    def delegates(e):
        return Delegate()

    assert isinstance(run(Ping(), [delegates] * 50).error, UnhandledEffectError)
    assert run(Ping(7), [echo, *[delegates] * 50]).result == Ok(7)
    assert run(Pong(), [pong, *[delegates] * 50]).value == "pong"


def test_object_that_says_it_is_a_generator_function_gives_what_it_gives():
    class Lies:
        __code__ = two.__code__

        def __call__(self, e):
            return e.n + 1

    assert run(Ping(4), answers(Ping)(Lies())).value == 5


def test_class_without_a_name_is_called_an_object_in_messages():
    class Nameless(type):
        def __getattribute__(cls, name):
            raise KeyError(name)

    class Thing(metaclass=Nameless):
        pass

    def program():
        yield Thing()

    assert "(a value of type object)" in str(run(program()).error)


def test_error_whose_contexts_lead_back_gets_no_cycle():
    late, early = ValueError("late"), ValueError("early")
    early.__context__ = late

    class Leaves(Handler):
        def exit(self):
            raise late

    def program():
        raise early
        yield

    error = run(Leaves()(do(program)())).error
    assert error is late
    assert error.__context__ is None
