"""Drive a program by hand, one step at a time, and see its tasks take turns.

    python examples/stepping.py

Two cooks share one stove. `PyVM.step_once` makes one step of the program; `switched` says when another task took over
and why the last one let go, `tasks` how each of them stands. Time is virtual: the hours of cooking pass at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from segue import (
    Acquire,
    CreateLock,
    Gather,
    Lock,
    PyVM,
    Release,
    Sleep,
    Spawn,
    TaskSwitch,
    VirtualClock,
    bracket,
    do,
    scheduler,
)


@do
def cook(dish: str, hours: float, stove: Lock) -> Generator[Any, Any, str]:
    """Cut, then cook when the stove is free."""
    yield Sleep(60)
    yield bracket(Acquire(stove), lambda _: Sleep(hours * 3600), lambda _: Release(stove))
    return f"{dish} is ready"


@do
def kitchen() -> Generator[Any, Any, list[str]]:
    """Two dishes, one stove."""
    stove = yield CreateLock()
    soup = yield Spawn(cook("soup", 2, stove), name="soup")
    bread = yield Spawn(cook("bread", 1, stove), name="bread")
    dishes: list[str] = yield Gather(soup, bread)
    return dishes


def told(switch: TaskSwitch) -> str:
    """One line: who let go and why, and who took over."""
    left, entered = switch
    why = "nobody ran" if left is None else f"{left.name} {left.state}" + (f": {left.what}" if left.what else "")
    return f"{why} -> {'nobody' if entered is None else entered.name}"


def drive() -> Iterator[str]:
    """Step a kitchen to its end."""
    vm = PyVM()
    vm.start_program(kitchen(), [scheduler(clock=VirtualClock())])
    step = 0
    while True:
        step += 1
        event = vm.step_once()
        if (switch := vm.switched()) is not None:
            yield f"step {step:2}: {told(switch)}"
            yield from (f"         {task.name} waits: {task.what}" for task in vm.tasks() if task.state == "waiting")
        if event[0] != "continue":
            break
    yield f"{step} steps: {', '.join(vm.finish().value)}"


if __name__ == "__main__":
    print("\n".join(drive()))
