"""What things hold in memory: each measured in a process of its own, `python -m benches.resident pending 10000`.

What is printed is what the kernel says is resident, so Python's objects count too, the generators among them.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from segue import CreateEvent, Effect, Gather, Resume, SetEvent, Spawn, Wait, Yield, do, handles, run, scheduler


class Ping(Effect[int]):
    pass


class Mark(Effect[None]):
    pass


PING, MARK = Ping(), Mark()


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@handles(Ping)
def nontail(effect, k):
    rest = yield Resume(k, 1)
    return rest + 1


@handles(Ping)
def tail(effect, k):
    return Resume(k, 1)


@do
def performs(size):
    """Perform effects, and tell what is resident after the last, while all clauses wait."""
    for _ in range(size):
        yield PING
    MARKS.append(resident())
    return size


@do
def descends(depth):
    if depth == 0:
        MARKS.append(resident())
        return 0
    return 1 + (yield descends(depth - 1))


@do
def waits(event):
    yield Wait(event)
    return 1


@do
def spawns(size):
    event = yield CreateEvent()
    tasks = []
    for _ in range(size):
        tasks.append((yield Spawn(waits(event))))
    yield Yield()
    MARKS.append(resident())
    yield SetEvent(event)
    return sum((yield Gather(*tasks)))


MARKS: list[int] = []


def held(program, size, answer, handlers=()):
    """Run it, and give the bytes that each of `size` takes at the mark."""
    gc.collect()
    before = resident()
    value = run(program, handlers=handlers).value
    if value != answer:
        raise AssertionError(f"came to {value}, not {answer}")
    return (MARKS[-1] - before) / size


def pending(size):
    return held(performs(size), size, 2 * size, [nontail])


def nested(size):
    return held(descends(size), size, size)


def waiting(size):
    return held(spawns(size), size, size, [scheduler])


@do
def tells(size):
    """Perform effects, and tell what is resident in ten moments."""
    for number in range(size):
        if number % (size // 10) == size // 20:
            MARKS.append(resident())
        yield PING
    return size


def flat(size):
    """Megabytes that are more than after a twentieth of the effects, at worst."""
    value = run(tells(size), handlers=[tail]).value
    if value != size or len(MARKS) != 10:
        raise AssertionError(f"came to {value} after {len(MARKS)} marks")
    return (max(MARKS) - MARKS[0]) / 1e6


SUBJECTS = {"pending": pending, "nested": nested, "waiting": waiting, "flat": flat}

if __name__ == "__main__":
    print(SUBJECTS[sys.argv[1]](int(sys.argv[2])))
