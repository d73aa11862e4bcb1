"""The demonstration: a dinner of half an hour is cooked in no time."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from typing import Any

from segue import Acquire, CreateSemaphore, Gather, Now, Release, Sleep, Spawn, VirtualClock, do, run

from . import Scheduler


@do
def cook(dish: str, minutes: float, stove: Any) -> Generator[Any, Any, str]:
    """Wait for a place on the stove, and cook."""
    yield Acquire(stove)
    try:
        yield Sleep(60 * minutes)
    finally:
        yield Release(stove)
    return f"{dish} after {(yield Now()) / 60:g} minutes"


@do
def dinner(dishes: Mapping[str, float]) -> Generator[Any, Any, list[str]]:
    """Cook all dishes on a stove with two places."""
    stove = yield CreateSemaphore(2)
    tasks: list[Any] = []
    for dish, minutes in dishes.items():
        tasks.append((yield Spawn(cook(dish, minutes, stove), name=dish)))
    cooked: list[str] = yield Gather(*tasks)
    return cooked


def main() -> int:
    """Cook."""
    menu = {"rice": 12, "beans": 30, "tea": 5}
    print(*run(dinner(menu), handlers=[Scheduler(clock=VirtualClock())]).value, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
