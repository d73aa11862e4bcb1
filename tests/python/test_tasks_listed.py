"""Semantics 7: how tasks stand can be seen: at each step of a `PyVM`, and from outside of a run."""

import asyncio
import linecache
import os
import threading
import time
from contextlib import contextmanager

import pytest

import segue
from segue import (
    Await,
    Cancel,
    CreateExternalPromise,
    CreatePromise,
    Gather,
    PyVM,
    Race,
    Sleep,
    Spawn,
    Try,
    VirtualClock,
    Wait,
    Yield,
    all_tasks,
    async_run,
    do,
    run,
    scheduler,
)

PATIENCE = 30
"""For how many seconds a test waits for another thread."""


def stepped(program, *handlers):
    """The switches of a program that is driven by hand, and the event that ended it."""
    vm = PyVM()
    vm.start_program(program, list(handlers))
    switches = []
    while (event := vm.step_once()) == ("continue",):
        switches.append(vm.switched())
    switches.append(vm.switched())
    return [switch for switch in switches if switch is not None], event


def told(switches):
    """Who was left and how it stood, and who was entered."""
    names = []
    for left, entered in switches:
        why = None if left is None else (left.name, left.state, left.what)
        names.append((why, None if entered is None else entered.name))
    return names


def on_a_virtual_clock(**settings):
    return scheduler(clock=VirtualClock(), **settings)


@do
def gives_way():
    yield Yield()


@do
def fails():
    yield Yield()
    raise ValueError("no")


def test_each_switch_names_who_is_left_and_why():
    @do
    def program():
        task = yield Spawn(gives_way(), name="child")
        yield Wait(task)

    switches, event = stepped(program(), on_a_virtual_clock())
    assert event == ("done", None)
    assert told(switches) == [
        (None, "root"),
        (("root", "waiting", 'Wait(target=<Task "child" pending>)'), "child"),
        # Nobody else can run: giving way switches to nobody.
        (("child", "done", ""), "root"),
        (("root", "done", ""), None),
    ]


def test_switch_says_that_a_task_gave_way_failed_or_was_cancelled():
    @do
    def program():
        bad = yield Spawn(fails(), name="bad")
        idle = yield Spawn(Sleep(60), name="idle")
        yield Yield()
        yield Try(Wait(bad))
        yield Cancel(idle)
        yield Try(Wait(idle))

    switches, event = stepped(program(), on_a_virtual_clock())
    assert event[0] == "done"
    left = [why for why, _ in told(switches)]
    assert ("root", "ready", "gave way") in left
    assert ("bad", "failed", "ValueError('no')") in left
    assert ("idle", "waiting", "Sleep(seconds=60)") in left
    assert ("idle", "cancelled", "") in left


def test_switch_says_that_a_slice_was_used_up():
    @do
    def counts():
        for _ in range(3):
            yield segue.Now()

    @do
    def program():
        first, second = (yield Spawn(counts(), name="first")), (yield Spawn(counts(), name="second"))
        yield Gather(first, second)

    switches, _ = stepped(program(), on_a_virtual_clock(slice=1))
    assert (("first", "ready", "its slice is used up"), "second") in told(switches)


def test_steps_without_a_switch_say_so_and_show_who_runs():
    @do
    def program():
        yield segue.Now()
        yield segue.Now()

    vm = PyVM()
    vm.start_program(program(), [on_a_virtual_clock()])
    seen = []
    while vm.step_once() == ("continue",):
        seen.append((vm.switched() is not None, vm.running() and vm.running().name))
    assert seen[0] == (True, "root")
    assert set(seen[1:]) == {(False, "root")}
    assert vm.running() is None
    assert vm.tasks() == []


def test_tasks_of_a_vm_are_all_that_have_not_finished_with_the_lines_where_they_are():
    @do
    def sleeper():
        yield Sleep(60)  # sleeps

    @do
    def program():
        first = yield Spawn(sleeper(), name="sleeper 0")  # spawns
        second = yield Spawn(sleeper(), name="sleeper 1")  # spawns
        yield Yield()
        yield segue.Now()  # now
        yield Gather(first, second)

    vm = PyVM()
    vm.start_program(program(), [on_a_virtual_clock()])
    while [task.state for task in vm.tasks()] != ["running", "waiting", "waiting"]:
        assert vm.step_once() == ("continue",)
    for _ in range(2):
        vm.step_once()
    root, *others = vm.tasks()
    assert (root.name, root.spawned_at, root.stalled) == ("root", None, None)
    assert source(root.at) == "now"
    assert [task.name for task in others] == ["sleeper 0", "sleeper 1"]
    assert {task.what for task in others} == {"Sleep(seconds=60)"}
    assert {source(task.at) for task in others} == {"sleeps"}
    assert {source(task.spawned_at) for task in others} == {"spawns"}
    assert [task.task.name for task in others] == [task.name for task in others]
    assert len({task.scheduler for task in (root, *others)}) == 1


def source(line):
    """The comment at the end of a line of this file."""
    return linecache.getline(line.file, line.line).strip().rpartition("# ")[2]


def test_task_whose_failure_nobody_noted_is_listed_as_failed(unraisable):
    @do
    def program():
        yield Spawn(fails(), name="bad")
        yield Sleep(1)
        yield Sleep(1)

    vm = PyVM()
    vm.start_program(program(), [on_a_virtual_clock()])
    listed = set()
    while vm.step_once() == ("continue",):
        listed |= {(task.name, task.state, task.what) for task in vm.tasks()}
    assert ("bad", "failed", "ValueError('no')") in listed
    assert len(vm.finish().unobserved) == 1


def test_a_scheduler_inside_of_a_task_is_listed_too():
    inner = segue.WithHandler(scheduler, Spawn(Sleep(0.01), name="inner").flat_map(Wait))
    vm = PyVM()
    vm.start_program(Spawn(inner, name="outer").flat_map(Wait), [scheduler])
    standing = {}
    while vm.step_once() == ("continue",):
        standing |= {(task.name, task.scheduler): task for task in vm.tasks()}
        if any(task.what == "a scheduler of its own" for task in vm.tasks()):
            names = [task.name for task in vm.tasks()]
            assert sorted(names) == ["inner", "outer", "root", "root"]
    assert len({number for _, number in standing}) == 2


def test_a_vm_that_was_not_started_has_no_tasks():
    vm = PyVM()
    assert (vm.tasks(), vm.running(), vm.switched()) == ([], None, None)


def test_a_program_without_a_scheduler_has_no_tasks():
    switches, event = stepped(segue.Pure(1).map(str))
    assert (switches, event) == ([], ("done", "1"))


def test_a_vm_asked_by_its_own_program_says_that_it_runs():
    vm = PyVM()
    vm.start_program(Spawn(segue.Pure(1).map(lambda _: vm.tasks())).flat_map(Wait), [scheduler])
    while (event := vm.step_once()) == ("continue",):
        pass
    assert isinstance(event[1], segue.VMStateError)


@do
def waits_for_somebody(made):
    promise = yield CreateExternalPromise()
    task = yield Spawn(segue.Perform(Wait(promise)), name="stalled")
    made.append(promise)
    return (yield Gather(task))


@contextmanager
def elsewhere(program, *handlers):
    """Runs a program in another thread."""
    results = []
    thread = threading.Thread(target=lambda: results.append(run(program, handlers=list(handlers))))
    thread.start()
    try:
        yield results
    finally:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(look):
    """What somebody else comes to see in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.001)
    raise AssertionError("it did not come")


def listed(name):
    return [task for task in all_tasks(timeout=PATIENCE) if task.name == name]


def test_a_stall_is_listed_from_another_thread():
    made = []
    with elsewhere(waits_for_somebody(made), scheduler) as results:
        (task,) = until(lambda: [task for task in listed("stalled") if task.stalled is not None])
        assert (task.state, task.what) == ("waiting", "Wait(target=<Promise pending>)")
        assert task.spawned_at.name == "waits_for_somebody"
        (again,) = listed("stalled")
        assert again.stalled >= task.stalled
        (root,) = (task for task in listed("root") if task.scheduler == again.scheduler)
        assert root.stalled is None, "it waits for a task, not for the outside"
        made[0].complete(1)
    assert results[0].value == [1]
    assert listed("stalled") == []


def test_a_stall_in_a_race_is_listed():
    made = []

    @do
    def program():
        promise = yield CreateExternalPromise()
        made.append(promise)
        return (yield Race(promise, (yield Spawn(Sleep(PATIENCE), name="other"))))

    with elsewhere(program(), scheduler):
        until(lambda: any(task.stalled is not None and "Race" in task.what for task in listed("root")))
        made[0].complete(1)


def test_a_run_that_is_busy_answers_between_two_steps():
    stop = []

    @do
    def program():
        while not stop:
            yield Yield()

    with elsewhere(segue.Perform(Spawn(program(), name="busy")).flat_map(Wait), scheduler):
        try:
            assert until(lambda: listed("busy"))[0].state in {"running", "ready"}
        finally:
            stop.append(True)


def test_a_run_that_makes_no_steps_is_told_as_one_line():
    inside, leave = threading.Event(), threading.Event()

    def hangs(_):
        inside.set()
        leave.wait(PATIENCE)

    # After so many turns a run can be asked.
    program = segue.Pure(0)
    for _ in range(200):
        program = program.map(lambda n: n + 1)
    with elsewhere(program.map(hangs)):
        inside.wait(PATIENCE)
        (one,) = (task for task in all_tasks(timeout=0.05) if task.name == "a run")
        assert one.state == "running"
        assert "no answer in 0.05 s" in one.what
        leave.set()


def test_a_run_that_asks_about_itself_is_told_so():
    @do
    def program():
        for _ in range(200):
            yield Yield()
        return all_tasks(timeout=PATIENCE)

    (one,) = run(program(), handlers=[scheduler]).value
    assert "it runs the code that asks" in str(one)


def test_tasks_of_a_loop_are_listed_by_another_coroutine_of_it():
    async def main():
        never = asyncio.get_running_loop().create_future()

        @do
        def program():
            task = yield Spawn(segue.Perform(Await(never)), name="awaits")
            yield Wait(task)

        running = asyncio.ensure_future(async_run(program(), handlers=[scheduler]))
        for _ in range(10):
            await asyncio.sleep(0)
        (task,) = listed("awaits")
        assert task.stalled is not None
        assert task.what.startswith("Await(")
        never.set_result(1)
        await running
        assert listed("awaits") == []

    asyncio.run(main())


def test_tasks_of_several_runs_are_listed_run_by_run():
    made = [], []
    with elsewhere(waits_for_somebody(made[0]), scheduler), elsewhere(waits_for_somebody(made[1]), scheduler):
        both = until(lambda: found if len(found := listed("stalled")) == 2 else None)
        assert len({task.scheduler for task in both}) == 2
        for promises in made:
            promises[0].complete(None)


def test_a_list_holds_no_run_alive():
    made = []
    with elsewhere(waits_for_somebody(made), scheduler) as results:
        kept = until(lambda: listed("stalled"))
        made.pop().complete(5)
    assert results[0].value == [5]
    assert kept[0].task.done


def started(vm):
    """Steps the VM to where its tasks can be seen."""
    vm.start_program(Spawn(Sleep(60), daemon=True).flat_map(lambda _: Sleep(1)), [on_a_virtual_clock()])
    while not vm.tasks():
        vm.step_once()
    return vm


def test_a_vm_is_listed_once_however_often_it_was_started():
    vm = PyVM()
    for _ in range(3):
        assert all_tasks() == []
        assert len(started(vm).tasks()) == len(all_tasks())
        while vm.step_once() == ("continue",):
            pass
        vm.finish()


def test_a_vm_that_is_gone_is_not_listed():
    first, second = started(PyVM()), started(PyVM())
    assert len(all_tasks()) == len(first.tasks()) + len(second.tasks())
    del first
    assert {task.task for task in all_tasks()} == {task.task for task in second.tasks()}
    del second
    assert all_tasks() == []


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 1e300])
def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(ValueError, match="timeout"):
        all_tasks(timeout=timeout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_child_of_a_fork_does_not_ask_the_threads_of_its_parent():
    made = []
    with elsewhere(waits_for_somebody(made), scheduler):
        until(lambda: listed("stalled"))
        child = os.fork()
        if child == 0:
            os._exit(0 if all_tasks(timeout=0.2) == [] else 1)
        made[0].complete(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_waiting_for_another_task_or_promise_of_the_run_is_no_stall():
    vm = PyVM()
    program = CreatePromise().flat_map(lambda promise: segue.timeout(1, Try(Wait(promise))))
    vm.start_program(program, [on_a_virtual_clock()])
    stalled = set()
    while vm.step_once() == ("continue",):
        stalled |= {task.stalled for task in vm.tasks()}
    assert stalled == {None}


def test_info_is_one_line_and_a_named_tuple():
    info = segue.TaskInfo("name", "waiting", "Sleep(seconds=1)", stalled=2)
    assert str(info) == "name: waiting, Sleep(seconds=1), for 2.0 s"
    name, state, what, *rest = info
    assert (name, state, what, rest) == ("name", "waiting", "Sleep(seconds=1)", [None, None, 2, None, None])
    with pytest.raises(TypeError, match="TaskInfo takes name, state, what"):
        segue.TaskInfo("name")
