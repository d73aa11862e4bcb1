"""Random programs on the machine and the oracle: `make soak SEED=1 N=100000`, or `SECONDS=3600`.

Hypothesis draws the programs and shrinks one on which they differ; each batch has a seed of its own. The program that
runs is in a file, so that a crash or a hang shows it too: `--file` runs such a file again.
"""

import argparse
import gc
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky

import oracle
import playing
import programs
import segue
import source
from segue._vm import vm_live_counts

BATCH = 1000
REPORT = 60  # seconds
LAST = Path("target/soak/last.py")


class DisagreeError(AssertionError):
    """A program on which implementations differ."""

    def __init__(self, seed, count, text, difference):
        super().__init__(seed, count, text, difference)
        self.seed, self.count, self.text, self.difference = seed, count, text, difference

    def __str__(self):
        return f"make soak SEED={self.seed} N={self.count}\n\n{self.text}\n{playing.shown(self.difference)}"


def batch(number, count, one, other, before_each=lambda text: None):
    """Tries as many programs as Hypothesis draws from a seed; raises `DisagreeError` with a small one."""
    smallest = None

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(programs.runs())
    def agree(run):
        nonlocal smallest
        text = source.written(run)
        before_each(text)
        if difference := playing.difference(text, one, other):
            smallest = number, count, text, difference
            raise DisagreeError(*smallest)

    try:
        agree()
    except (DisagreeError, Flaky):
        raise DisagreeError(*smallest) from None  # without Hypothesis's account of what was drawn
    finally:
        gc.collect()


def say(text):
    print(text, flush=True)  # noqa: T201  (it reports)


class Soak:
    def __init__(self, args):
        self.args = args
        self.began = self.spoke = time.monotonic()
        self.programs = self.differences = 0

    def seconds(self):
        return time.monotonic() - self.began

    def report(self, *more):
        words = [
            f"{self.seconds():.0f} s",
            *more,
            f"{self.programs:,} programs".replace(",", " "),
            f"{self.differences} difference{'s' * (self.differences != 1)}",
        ]
        say("soak: " + ", ".join(words))
        self.spoke = time.monotonic()

    def before_each(self, text):
        self.programs += 1
        self.last.seek(0)
        self.last.truncate()
        self.last.write(text)
        self.last.flush()
        if time.monotonic() - self.spoke >= REPORT:
            self.report(f"{self.programs / self.seconds():.0f} programs/s")

    def over(self, batches):
        if self.differences and not self.args.all:
            return True
        if self.args.seconds:
            return self.seconds() >= self.args.seconds
        return batches * BATCH >= self.args.programs

    def run(self):
        LAST.parent.mkdir(parents=True, exist_ok=True)
        batches = 0
        with LAST.open("w") as self.last:
            while not self.over(batches):
                left = BATCH if self.args.seconds else min(BATCH, self.args.programs - batches * BATCH)
                self.one_batch(self.args.seed + batches, left)
                batches += 1
        self.report(f"seed {self.args.seed}")
        return bool(self.differences)

    def one_batch(self, number, count):
        try:
            batch(number, count, oracle, segue, self.before_each)
            left = {name: n for name, n in vm_live_counts().items() if n}
            trouble = left and f"make soak SEED={number} N={count}\n\nthe machine still holds {left}"
        except DisagreeError as e:
            trouble = str(e)
        if trouble:
            self.differences += 1
            say(trouble)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the first batch; each has the next one")
    parser.add_argument("--programs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0, help="go on for so long, instead of a number of programs")
    parser.add_argument("--all", action="store_true", help="go on after a difference")
    parser.add_argument("--file", type=Path, help="run a program that was printed, and show what is seen of it")
    args = parser.parse_args()
    if args.file:
        text = args.file.read_text()
        say(playing.shown(playing.difference(text, oracle, segue)) or str(playing.observed(text, segue)))
        return 0
    return Soak(args).run()


if __name__ == "__main__":
    sys.exit(main())
