"""Time, in nanoseconds since the scheduler began, and alarms."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from segue import VirtualClock


class Clock:
    """The wall's clock, or a virtual one, which only moves by jumps.

    Args:
        virtual: Where a virtual one starts; `None` is the wall's.
    """

    def __init__(self, virtual: VirtualClock | None) -> None:
        self.virtual = virtual is not None
        self.shown = virtual.start if virtual else time.time()
        self.began = time.monotonic_ns()
        self.jumped = 0
        self.numbers = count()
        self.alarms: list[tuple[float, int]] = []  # Some of them were taken back.
        self.rings: dict[int, Callable[[], object]] = {}

    def now(self) -> int:
        """What time it is."""
        return self.jumped if self.virtual else time.monotonic_ns() - self.began

    def after(self, seconds: Any) -> float:
        """When so many seconds are over."""
        if not isinstance(seconds, (int, float)) or not seconds >= 0:
            raise ValueError(f"a number of seconds that is not negative is asked for, got {seconds!r}")
        nanoseconds = seconds * 1e9
        return self.now() + (round(nanoseconds) if nanoseconds < math.inf else math.inf)

    def shows(self, when: float) -> float:
        """What is told to programs as that time, in seconds."""
        return self.shown + when / 1e9

    def alarm(self, when: float, what: Callable[[], object]) -> Callable[[], object]:
        """Set an alarm; what takes it back."""
        number = next(self.numbers)
        if when < math.inf:
            self.rings[number] = what
            heapq.heappush(self.alarms, (when, number))
        if len(self.alarms) > 2 * len(self.rings) + 100:
            self.alarms = [alarm for alarm in self.alarms if alarm[1] in self.rings]
            heapq.heapify(self.alarms)
        return partial(self.rings.pop, number, None)

    def next_alarm(self) -> float:
        """When the next alarm rings."""
        while self.alarms and self.alarms[0][1] not in self.rings:
            heapq.heappop(self.alarms)
        return self.alarms[0][0] if self.alarms else math.inf

    def ring(self) -> None:
        """Ring the alarms whose time has come."""
        while self.next_alarm() <= self.now():
            self.rings.pop(heapq.heappop(self.alarms)[1])()

    def jump(self) -> None:
        """Go to the next alarm of a virtual clock."""
        self.jumped = int(self.next_alarm())
