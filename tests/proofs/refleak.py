"""Counts what a scenario leaves behind, on a CPython that counts all references. Called by `make refleak`.

Every scenario of `tests/python/leak_scenarios.py` runs in rounds. Between rounds the collector runs, and never within
one, so that a round's numbers are the scenario's own. References must come out even over all rounds, to a hundredth an
iteration. Of the other counts the best round tells: tables and free lists take a few rounds to find their size, and
what leaks does so in every round.
"""

import argparse
import ctypes
import gc
import signal
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from leak_scenarios import SCENARIOS, Token
from segue._vm import vm_live_counts

WARM_UP = 30
ROUNDS = 5


class Heap(ctypes.Structure):
    """What glibc's `mallinfo2` gives."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Heap


class Growth(NamedTuple):
    """By how much each count grew in an iteration."""

    references: float  # to Python objects, of the whole process
    blocks: float  # of the interpreter's allocator
    heap: float  # bytes of malloc: what the machine itself allocates, and the interpreter's large blocks
    alive: float  # segments, frames and continuations

    def leaks(self):
        return abs(self.references) > 0.01 or self.blocks > 0.5 or self.heap > 8 or self.alive > 0

    def __sub__(self, other):
        return Growth(*(mine - its for mine, its in zip(self, other, strict=True)))

    def __str__(self):
        return f"{self.references:+10.3f} {self.blocks:+8.2f} {self.heap:+8.1f} {self.alive:+6.2f}"


def counted():
    gc.collect()
    sys._clear_type_cache()  # its entries, as many as there were look-ups, hold references
    heap = mallinfo()
    alive = sum(vm_live_counts().values())
    return sys.gettotalrefcount(), sys.getallocatedblocks(), heap.uordblks + heap.hblkhd, alive


def growth(scenario, iterations):
    token = Token()
    for _ in range(WARM_UP):
        scenario(token)
    rounds = []
    for _ in range(ROUNDS):
        before = counted()
        for _ in range(iterations):
            scenario(token)
        rounds.append([(after - b) / iterations for after, b in zip(counted(), before, strict=True)])
    references, *others = zip(*rounds, strict=True)
    return Growth(sum(references) / ROUNDS, *map(min, others))


def nothing(payload):
    """What the measurement itself costs."""


def leaking():
    """Scenarios that leave one thing each: the measurement must see every one."""
    kept = []

    def a_reference(payload):
        kept.append(payload)

    def memory(payload):
        ctypes.pythonapi.PyMem_RawMalloc(16)

    def a_block(payload):
        ctypes.pythonapi.PyMem_Malloc(16)

    return a_reference, memory, a_block


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="scenarios (all)")
    parser.add_argument("--iterations", type=int, default=200, help="in a round (200)")
    wanted = parser.parse_args()
    unknown = set(wanted.names) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if not hasattr(sys, "gettotalrefcount"):
        sys.exit("this CPython does not count references: a debug build is needed")

    gc.disable()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a job in the background ignores
    own = growth(nothing, wanted.iterations)
    for leak in leaking():
        if not (growth(leak, wanted.iterations) - own).leaks():
            sys.exit(f"the measurement does not see a leak of {leak.__name__}")

    names = wanted.names or list(SCENARIOS)
    print(f"what each of {ROUNDS} x {wanted.iterations} iterations left behind")
    print(f"  {'scenario':34} {'references':>10} {'blocks':>8} {'heap':>8} {'alive':>6}")
    failed = 0
    for name in names:
        left = growth(SCENARIOS[name], wanted.iterations) - own
        failed += left.leaks()
        print(f"  {name:34} {left}{'  leaks' * left.leaks()}")
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


main()
