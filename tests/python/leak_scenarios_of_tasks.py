"""Scenarios of tasks: each takes a payload through the scheduler, and leaves nothing of it behind."""

import threading

from leak_vocabulary import Ping, Token, ask, echo, raises, scenario, unraisable_ignored
from segue import (
    Acquire,
    Ask,
    Cancel,
    CancelScope,
    CloseChannel,
    CloseScope,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    CurrentTask,
    Deadline,
    FailPromise,
    Gather,
    Limits,
    Now,
    OpenScope,
    Pure,
    Put,
    PyVM,
    Race,
    Receive,
    Release,
    Send,
    SetEvent,
    Sleep,
    Spawn,
    Tell,
    Try,
    VirtualClock,
    Wait,
    Yield,
    do,
    for_each,
    from_thread,
    handles,
    lazy,
    open_portal,
    reader,
    run,
    scheduler,
    shield,
    state,
    task_group,
    timeout,
    using,
    writer,
)


def on_virtual_time(program, *inside, outside=(), **options):
    return run(program, handlers=[*outside, scheduler(clock=VirtualClock()), echo, *inside], **options)


@do
def turns(x, count=2):
    for _ in range(count):
        yield Yield()
    return x


@do
def stuck(x):
    local = (yield CreatePromise()), x
    yield Wait(local[0])


@do
def hangs(x):
    """Waits for what never comes, and cleans up with effects that wait."""
    promise = yield CreatePromise()
    try:
        yield Wait(promise)
    finally:
        yield turns(x)
        yield Sleep(0)


@do
def fails(x):
    yield Yield()
    yield raises(x)


@do
def spawned(*programs):
    tasks = []
    for program in programs:
        task = yield Spawn(program)
        tasks.append(task)
    return tasks


@do
def cancels(*programs):
    """Spawns, cancels where they wait, and sees them unwound."""
    tasks = yield spawned(*programs)
    yield turns(None)
    for task in tasks:
        yield Cancel(task)
    for task in tasks:
        yield Try(Wait(task))


@scenario
def tasks_that_are_gathered(x):
    on_virtual_time(spawned(turns(x), ask(x), Pure(x)).flat_map(lambda tasks: Gather(*tasks)))


@scenario
def tasks_that_fail_together(x):
    on_virtual_time(spawned(fails(x), fails(x), hangs(x)).flat_map(lambda tasks: Gather(*tasks)))


@scenario
def race_of_tasks(x):
    on_virtual_time(spawned(hangs(x), turns(x), fails(x)).flat_map(lambda tasks: Race(*tasks)))


@scenario
def task_that_is_cancelled(x):
    on_virtual_time(cancels(hangs(x), turns(x, 9), Sleep(60), stuck(x)))


@scenario
def task_that_is_cancelled_before_it_begins(x):
    on_virtual_time(spawned(hangs(x)).flat_map(lambda tasks: Cancel(tasks[0])))


@scenario
def task_that_catches_its_cancellation(x):
    @do
    def stays():
        try:
            yield Sleep(60)
        except BaseException:
            yield turns(x)
        return x

    on_virtual_time(cancels(stays()))


@scenario
@unraisable_ignored()
def tasks_left_at_the_end(x):
    on_virtual_time(spawned(hangs(x), turns(x, 9), Sleep(60), fails(x)).flat_map(lambda _: turns(x)))


@scenario
def task_that_knows_itself(x):
    @do
    def itself():
        task = yield CurrentTask()
        yield Tell((task, x))
        return task  # a cycle: its value is its own handle

    on_virtual_time(spawned(itself()).flat_map(lambda tasks: Wait(tasks[0])), writer)


@scenario
@unraisable_ignored()
def failure_that_nobody_waits_for(x):
    on_virtual_time(spawned(fails(x)).flat_map(lambda _: turns(x, 4)))


@scenario
def interrupt_in_a_task(x):
    @do
    def leaves():
        yield Yield()
        raise SystemExit(x)

    try:
        on_virtual_time(spawned(leaves(), hangs(x)).flat_map(lambda tasks: Gather(*tasks)))
    except SystemExit as error:
        error.run_result = None


@scenario
def deadlock(x):
    on_virtual_time(spawned(stuck(x), hangs(x)).flat_map(lambda tasks: Gather(*tasks)))


@scenario
def time_that_passes(x):
    @do
    def program():
        yield Sleep(3600)
        yield Tell((x, (yield Now())))
        tasks = yield spawned(Sleep(2), Sleep(1).map(lambda _: x))
        return (yield Gather(*tasks))

    on_virtual_time(program(), writer)


@scenario
def time_limits(x):
    @do
    def program():
        yield timeout(5, ask(x))
        yield Try(timeout(1, hangs(x)))
        yield Try(timeout(2, timeout(1, hangs(x))))
        yield Try(timeout(1, shield(timeout(5, Deadline().flat_map(Sleep)))))
        return (yield timeout(1, raises(x)))

    on_virtual_time(program())


@scenario
@unraisable_ignored()
def scopes_that_are_cancelled(x):
    @do
    def program():
        scope = yield OpenScope(60)
        inner = yield OpenScope(None, shield=True)
        yield Spawn(Sleep(1).flat_map(lambda _: CancelScope(inner)))
        yield Spawn(Sleep(2).flat_map(lambda _: CancelScope(scope)))
        try:
            yield hangs(x)
        except BaseException as error:
            yield Tell((x, error.scope))
        yield CloseScope(scope)

    on_virtual_time(program(), writer)


@scenario
def promises(x):
    @do
    def program():
        value, failure = (yield CreatePromise()), (yield CreatePromise())
        tasks = yield spawned(Wait(value), Wait(failure), Wait(value).map(lambda y: (x, y)))
        yield Yield()
        yield CompletePromise(value, x)
        yield Try(CompletePromise(value, x))
        yield FailPromise(failure, ValueError(x))
        return (yield Try(Gather(*tasks))), (yield Wait(value))

    on_virtual_time(program())


@scenario
def promise_that_is_its_own_value(x):
    @do
    def program():
        promise = yield CreatePromise()
        yield CompletePromise(promise, (promise, x))

    on_virtual_time(program())


@scenario
@unraisable_ignored()
def promises_from_outside(x):
    @do
    def program():
        externals = []
        for _ in range(4):
            externals.append((yield CreateExternalPromise()))  # noqa: PERF401 - a yield
        value, failure, broken, left = externals
        value.complete(x)
        failure.fail(ValueError(x))
        tasks = yield spawned(*[Wait(external.promise) for external in externals])
        del broken, externals
        yield turns(x)
        yield Cancel(tasks[3])
        left.complete(x)
        return (yield Try(Gather(*tasks)))

    on_virtual_time(program())


@scenario
def completer_that_outlives_its_run(x):
    def refused(completer):
        try:
            completer.complete(x)
        except Exception:
            return x

    refused(on_virtual_time(CreateExternalPromise()).value)


@scenario
def promise_completed_by_a_thread(x):
    @do
    def program():
        external = yield CreateExternalPromise()
        threading.Thread(target=external.complete, args=(x,)).start()
        return (yield Wait(external))

    on_virtual_time(program())


@scenario
def program_of_another_thread(x):
    got = []

    @do
    def program():
        portal = yield open_portal()
        done = yield CreateExternalPromise()

        def asks():
            got.append(from_thread.run(portal, ask(x)))
            done.complete(None)

        thread = threading.Thread(target=asks)
        thread.start()
        yield Wait(done)
        thread.join()

    on_virtual_time(program())


@scenario
def channels(x):
    @do
    def sends(channel):
        for _ in range(4):
            yield Send(channel, x)
        yield CloseChannel(channel)

    @do
    def program(capacity):
        channel = yield CreateChannel(capacity)
        yield Spawn(sends(channel))
        first = yield Receive(channel)
        yield for_each(channel, ask)
        return first, (yield Receive(channel))

    for capacity in (0, 2):
        on_virtual_time(program(capacity))


@scenario
@unraisable_ignored()
def channels_that_are_left(x):
    @do
    def program():
        full, empty = (yield CreateChannel(1)), (yield CreateChannel())
        yield Send(full, (full, x))  # a cycle
        yield cancels(Send(full, x), Receive(empty), Send(empty, x).flat_map(lambda _: Send(empty, x)))
        yield spawned(Send(full, x), Receive(empty))
        yield Yield()

    on_virtual_time(program())


@scenario
@unraisable_ignored()
def locks_and_events(x):
    @do
    def program():
        lock, semaphore, event = (yield CreateLock()), (yield CreateSemaphore(2)), (yield CreateEvent())
        yield Acquire(lock)
        tasks = yield spawned(*[using(lock, turns(x)), using(semaphore, hangs(x)), Wait(event), using(lock, raises(x))])
        yield turns(x)
        yield Cancel(tasks[1])
        yield SetEvent(event)
        yield Release(lock)
        yield Try(Release(lock))
        return (yield Try(Gather(*tasks)))

    on_virtual_time(program())


@scenario
def group_whose_tasks_end(x):
    @do
    def body(group):
        yield group.spawn(turns(x))
        yield group.spawn(ask(x))
        return x

    on_virtual_time(task_group(body))


@scenario
def group_whose_tasks_fail(x):
    @do
    def body(group):
        yield group.spawn(fails(x))
        yield group.spawn(hangs(x))
        yield group.spawn(task_group(lambda inner: inner.spawn(fails(x)).flat_map(lambda _: raises(x))))
        yield hangs(x)

    on_virtual_time(task_group(body))


@scenario
def group_that_is_cancelled(x):
    @do
    def body(group):
        yield group.spawn(hangs(x))
        yield group.cancel()
        yield hangs(x)

    on_virtual_time(task_group(body))
    on_virtual_time(Try(timeout(1, task_group(lambda group: group.spawn(hangs(x)).flat_map(lambda _: hangs(x))))))


@scenario
def handlers_that_are_forked(x):
    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return (yield Spawn(ask(x)))

    @do
    def program():
        yield Put("x", x)
        tasks = yield spawned(Put("x", (x, x)).flat_map(lambda _: Tell(x)), keeps(ask(x)))
        return (yield Try(Gather(*tasks)))

    kept = []
    on_virtual_time(program(), state, writer)


@scenario
def block_of_tasks_that_is_ended_outside(x):
    @handles(Ping)
    def ends(e, k):
        return x

    run(spawned(hangs(x)).flat_map(lambda _: turns(x)).flat_map(lambda _: Ping(x)), handlers=[ends, scheduler])


@scenario
def block_of_tasks_that_is_kept(x):
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    program = spawned(hangs(x)).flat_map(lambda _: turns(x)).flat_map(lambda _: Ping(x))
    run(keeps(scheduler(program)).flat_map(lambda _: Pure(x)))


@scenario
def scheduler_inside_of_a_task(x):
    @do
    def program():
        inner = scheduler(clock=VirtualClock())(spawned(hangs(x), turns(x)).flat_map(lambda tasks: Gather(*tasks)))
        tasks = yield spawned(Try(inner), turns(x, 5))
        return (yield Gather(*tasks))

    on_virtual_time(program())


@scenario
def lazy_value_that_several_tasks_ask_for(x):
    asks = spawned(*[Ask("slow") for _ in range(3)]).flat_map(lambda tasks: Gather(*tasks))
    on_virtual_time(asks, outside=[echo, reader({"slow": lazy(turns(x))})])
    on_virtual_time(asks, reader({"slow": lazy(turns(x))}))
    on_virtual_time(asks, reader({"slow": lazy(fails(x))}))


@scenario
def order_that_is_drawn_and_slices(x):
    tasks = spawned(*[ask(x) for _ in range(4)]).flat_map(lambda tasks: Gather(*tasks))
    run(tasks, handlers=[echo, scheduler(seed=3, slice=1)])


@scenario
def limits_of_tasks(x):
    on_virtual_time(spawned(hangs(x), hangs(x)), limits=Limits(tasks=1))
    on_virtual_time(spawned(hangs(x), stuck(x)).flat_map(turns), limits=Limits(promises=1))
    on_virtual_time(spawned(hangs(x), turns(x, 100)).flat_map(lambda _: hangs(x)), limits=Limits(steps=60))


@scenario
@unraisable_ignored()
def machine_with_tasks_left_in_the_middle(x):
    for steps in (5, 10, 20, 30):
        vm = PyVM()
        program = spawned(hangs(x), turns(x, 5), fails(x)).flat_map(lambda tasks: Gather(*tasks))
        vm.start_program(program, handlers=[scheduler(clock=VirtualClock()), echo])
        for _ in range(steps):
            if vm.step_once() != ("continue",):
                break


@scenario
@unraisable_ignored()
def handles_that_outlive_their_run(x):
    tasks = on_virtual_time(spawned(turns(Token()), hangs(x)), trace=True).value
    repr(tasks)
    run(Wait(tasks[0]), handlers=[scheduler])
