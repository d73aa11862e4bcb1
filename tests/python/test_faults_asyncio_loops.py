"""Faults of the bridge: other loops, an interrupt of a runner, a fork (A11, A12, T06)."""

import pytest

from async_vocabulary import (
    Never,
    awaits,
    child,
    loops,
    value,
)
from segue import (
    Await,
    Sleep,
    Spawn,
    Wait,
    async_run,
    do,
    scheduler,
)


@loops
def test_a11_each_loop_drives_root_and_tasks(loop):
    @do
    def program():
        task = yield Spawn(awaits(loop, "task", turns=3))
        yield Sleep(0.001)
        return (yield awaits(loop, "root")), (yield Wait(task))

    assert value(loop, program()) == ("root", "task")


def by_hand(program, handlers):
    """A loop of nobody's: resumes the coroutine until it ends."""
    coroutine = async_run(program, handlers=handlers)
    while True:
        try:
            coroutine.send(None)
        except StopIteration as ended:
            return ended.value


@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "scheduler"])
def test_a11_any_loop_drives_a_root_that_awaits(handlers):
    assert by_hand(Await(Never()).flat_map(lambda _: Await(Never())).map(lambda _: "done"), handlers).value == "done"


@pytest.mark.parametrize("program", [Spawn(Await(Never())).flat_map(Wait), Sleep(1)], ids=["task", "Sleep"])
def test_a11_any_other_loop_is_refused_by_a_clear_error_where_tasks_wait(program, unraisable):
    with pytest.raises(RuntimeError, match="asyncio or trio"):
        by_hand(program, [scheduler])


INTERRUPTED = """
    @do
    def task():
        try:
            yield Await(asyncio.sleep(60))
        finally:
            yield Await(asyncio.sleep(0))
            print("task", flush=True)

    @do
    def program():
        yield Spawn(task(), daemon=True)
        yield Await(asyncio.sleep(0.01))
        asyncio.get_running_loop().call_later(0.01, signal.raise_signal, signal.SIGINT)
        try:
            yield {wait}
        except BaseException as error:
            print(type(error).__name__, flush=True)
            raise
        finally:
            yield Await(asyncio.sleep(0))
            print("root", flush=True)

    @do
    def spins():
        while True:
            yield Yield()

    with asyncio.Runner() as runner:
        try:
            runner.run(async_run(program(), handlers=[scheduler]))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@pytest.mark.parametrize("wait", ["Await(asyncio.sleep(60))", "Sleep(60)", "spins()"])
def test_a12_interrupt_of_a_runner_cancels_the_main_task(wait):
    assert child(INTERRUPTED.format(wait=wait)).splitlines() == ["CancelledError", "root", "task", "interrupted"]


def test_t06_child_of_a_fork_has_a_bridge_of_its_own():
    """Before, in and after the child: each run finds the loop that runs there."""
    said = child("""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)

        async def later(value):
            await asyncio.sleep(0.001)
            return value

        @do
        def program(value):
            external = yield CreateExternalPromise()
            threading.Thread(target=external.complete, args=(value,)).start()
            task = yield Spawn(Await(later(value)))
            return (yield Wait(task)), (yield Wait(external)), (yield Await(later(value)))

        def once(value):
            assert asyncio.run(async_run(program(value), handlers=[scheduler])).value == (value,) * 3
            assert run(Await(later(value)), handlers=[await_handler()]).value == value

        once("parent")
        pid = os.fork()
        if pid == 0:
            once("child")
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        once("parent again")
        print("all")
    """)
    assert said == "all\n"
