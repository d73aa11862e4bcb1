"""Semantics 7: handler order decides sharing: a child runs inside what stands between the scheduler and its spawner."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    Cancel,
    CompletePromise,
    CreatePromise,
    Gather,
    Get,
    GetHandlers,
    Handler,
    Modify,
    Put,
    Seal,
    Sleep,
    Spawn,
    TaskEndedError,
    Tell,
    UnhandledEffectError,
    Wait,
    WithIntercept,
    Yield,
    answers,
    do,
    state,
    writer,
)
from tasks_vocabulary import (
    built_in,
    careful,
    example,
    naps,
    notes,
    result,
    schedulers,
    spawn_all,
    stuck,
    turns_of_all,
    value,
)
from vocabulary import Ping, Tally, ask, echo, stop

pytestmark = schedulers


@do
def adds(times=3):
    """Adds to a number, and gives way each time."""
    for _ in range(times):
        yield Modify("n", lambda n: n + 1)
        yield Yield()
    return (yield Get("n"))


@do
def adders(count):
    tasks = yield spawn_all(*[adds()] * count)
    return (yield Gather(*tasks)), (yield Get("n"))


def test_state_outside_is_shared_by_all_tasks(make):
    assert value(make, adders(4), outside=[state({"n": 0})]) == ([12, 12, 12, 12], 12)


def test_state_inside_is_copied_for_each_task(make):
    assert value(make, adders(4), state({"n": 0})) == ([3, 3, 3, 3], 0)


def test_state_is_copied_as_it_is_at_the_spawn(make):
    @do
    def program():
        yield Put("n", 1)
        task = yield Spawn(Get("n"))
        yield Put("n", 2)
        grandchild = yield Spawn(sequence(Put("n", 3), Spawn(Get("n")), Get("n")))
        (_, task_of_task, own) = yield Wait(grandchild)
        return (yield Wait(task)), (yield Wait(task_of_task)), own, (yield Get("n"))

    assert value(make, program(), state) == (1, 3, 3, 2)


def test_state_of_the_root_is_what_the_run_reports(make):
    program = sequence(Put("n", 1), Spawn(Put("n", 2)).flat_map(Wait))
    assert result(make, program, state).raw_store == {"n": 1}
    assert result(make, program, outside=[state]).raw_store == {"n": 2}


@pytest.mark.parametrize("inside", [True, False])
def test_writer_is_shared_wherever_it_stands(make, inside):
    """The default of `fork` shares the installation."""
    program = sequence(Tell("root"), Spawn(sequence(Tell("a"), Yield(), Tell("b"))).flat_map(Wait), Tell("end"))
    done = result(make, program, writer) if inside else result(make, program, outside=[writer])
    assert list(done.log) == ["root", "a", "b", "end"]


def test_handler_object_is_shared_by_default(make):
    @do
    def program():
        yield ask(0)
        yield Gather(*(yield spawn_all(ask(1), ask(2))))
        return (yield ask(3))

    assert value(make, program(), Tally()) == ([0, 1, 2, 3], 3)


def test_fork_of_a_handler_answers_its_child_alone(make):
    """No `result`, `error` and `exit` of the fork run."""
    log = []

    class Counts(Handler):
        def enter(self):
            self.n = 0
            log.append("enter")

        def fork(self):
            forked = Counts()
            forked.n = self.n * 10
            log.append(f"fork at {self.n}")
            return forked

        @answers(Ping)
        def ping(self, effect):
            self.n += 1
            return self.n

        def result(self, value):
            log.append(f"result at {self.n}")
            return value

        def error(self, exc):
            log.append("error")
            raise exc

        def exit(self):
            log.append("exit")

    @do
    def program():
        yield ask()
        task = yield Spawn(sequence(ask(), ask()))
        failing = yield Spawn(ask().map(lambda n: n / 0))
        first = yield ask()
        return first, (yield Wait(task)), type((yield caught(Wait(failing), ZeroDivisionError))), (yield ask())

    assert value(make, program(), Counts()) == (2, [11, 12], ZeroDivisionError, 3)
    assert sorted(log[1:3]) == ["fork at 1", "fork at 1"]
    assert log[0] == "enter"
    assert log[3:] == ["result at 3", "exit"]


def test_clause_that_ends_its_block_in_a_fork_fails_the_task(make):
    log = []

    @do
    def program():
        task = yield Spawn(careful(Ping(), log))
        error = yield caught(Wait(task), TaskEndedError)
        return type(error), error.value, "the root goes on"

    assert value(make, program(), stop) == (TaskEndedError, "stopped", "the root goes on")
    assert log == ["cleaned"]


def test_clause_outside_that_ends_its_block_ends_all_tasks(make, unraisable):
    """A handler outside has all tasks as its body."""
    log = []

    @do
    def program():
        yield spawn_all(stuck(log, "a"), careful(ask(), log, "b"), notes(log, "never"))
        yield careful(Sleep(9), log, "root")

    done = result(make, program(), outside=[stop])
    assert done.value == "stopped"
    assert sorted(log) == ["a", "b", "root"]


def test_scope_of_a_child_alone(make):
    """`Spawn(h(p))`."""

    @do
    def program():
        one, two = yield spawn_all(Tally()(sequence(ask(1), ask(2))), Tally()(ask(3)))
        return (yield Wait(one)), (yield Wait(two)), (yield ask(4))

    assert value(make, program(), echo) == (([1, 2], [1, 2]), ([3], 3), 4)


def test_handlers_of_the_child_are_those_of_the_spawner_in_their_order(make):
    @do
    def program():
        here = yield GetHandlers()
        return here, (yield Wait((yield Spawn(GetHandlers()))))

    for inside in ([], [echo], [echo, writer, stop]):
        here, there = value(make, program(), *inside, outside=[state])
        # Behind them is the scheduler, with what it needs.
        assert [a is b is c for a, b, c in zip(here, there, reversed(inside), strict=False)] == [True] * len(inside)
        assert len(here) == len(inside) + 2
        assert here[-1] is there[-1] is state


def test_handlers_around_the_spawn_only_are_the_childs_too(make):
    @do
    def program():
        task = yield echo(Spawn(ask(3)))
        return (yield Wait(task)), type((yield caught(ask(), UnhandledEffectError)))

    assert value(make, program()) == (3, UnhandledEffectError)


def test_interceptor_sees_the_effects_of_the_child(make):
    seen = []

    def watch(effect):
        seen.append(effect)
        return effect

    program = WithIntercept(watch, Spawn(sequence(ask(1), ask(2))).flat_map(Wait))
    assert value(make, program, echo) == [1, 2]
    assert Ping(1) in seen
    assert Ping(2) in seen


def test_wall_is_around_the_child_too(make):
    """It lets past what it lets past its spawner."""

    @do
    def program():
        tasks = yield spawn_all(Tell("let past"), caught(ask(), UnhandledEffectError))
        return [(yield Wait(tasks[0])), type((yield Wait(tasks[1])))]

    done = result(make, Seal([Spawn, Wait, Tell], program()), echo, outside=[writer])
    assert done.value == [None, UnhandledEffectError]
    assert list(done.log) == ["let past"]


def test_wall_without_spawn_lets_no_task_past(make):
    error = result(make, Seal([Tell], spawn_all(Tell("x")))).error
    assert isinstance(error, UnhandledEffectError)


# Schedulers in schedulers.


@pytest.mark.parametrize("inner", [built_in, example])
def test_effects_on_a_task_go_to_the_scheduler_that_made_it(make, inner):
    @do
    def within(task, promise, lazy_task):
        own = yield Spawn(naps(0, "own"))
        yield CompletePromise(promise, "promise")
        yield Cancel(lazy_task)
        return (yield Wait(own)), (yield Wait(task)), (yield Wait(promise))

    @do
    def program():
        log = []
        promise = yield CreatePromise()
        task, lazy_task, waits = yield spawn_all(naps(5, "outer"), stuck(log), Wait(promise))
        yield turns_of_all(1)
        got = yield inner()(within(task, promise, lazy_task))
        return got, (yield Wait(waits)), log

    assert value(make, program()) == (("own", "outer", "promise"), "promise", ["stuck"])
