"""What the tests of tasks have in common: the two schedulers that each runs on, and small programs.

`schedulers` parametrises a test, or with `pytestmark` a file, by `make(seed=None, clock=None)`: the built-in scheduler,
and the one of `examples/second_scheduler`, which is written with the public names alone.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import textwrap
import traceback
from pathlib import Path

import pytest

import segue
from child import run_child
from segue import (
    Cancel,
    ChannelClosedError,
    CreatePromise,
    Now,
    Pure,
    Receive,
    Send,
    Sleep,
    Spawn,
    Try,
    VirtualClock,
    Wait,
    Yield,
    do,
    run,
    scheduler,
)

PACKAGE = os.fspath(Path(segue.__file__).parent)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "second_scheduler"


@functools.cache
def example_module():
    """`examples/second_scheduler`, as a module."""
    spec = importlib.util.spec_from_file_location("segue_example_of_a_scheduler", EXAMPLE / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def built_in(seed=None, clock=None):
    return scheduler(seed=seed, clock=clock)


def virtual(**settings):
    """The built-in one, whose time is virtual."""
    return scheduler(clock=VirtualClock(), **settings)


def example(seed=None, clock=None):
    return example_module().Scheduler(seed=seed, clock=clock)


schedulers = pytest.mark.parametrize("make", [built_in, example])


# Running.


def result(make, program, *inside, outside=(), seed=None, start=0.0):
    """The result of a program on a scheduler whose time is virtual, with handlers inside and outside of it."""
    clock = VirtualClock(start=start)
    return run(program, handlers=[*outside, make(seed=seed, clock=clock), *inside])


def value(make, program, *inside, outside=(), seed=None, start=0.0):
    """What a program comes to there. Nothing may be left unobserved."""
    done = result(make, program, *inside, outside=outside, seed=seed, start=start)
    assert done.is_err() or not done.unobserved, done.unobserved
    return done.value


# Small programs.


@do
def stuck(log, name="stuck"):
    """Waits for what never comes, and notes that it was cleaned up."""
    try:
        promise = yield CreatePromise()
        yield Wait(promise)
    finally:
        log.append(name)


@do
def takes_turns(log, name, count=3):
    """Notes each of its turns, and gives way after it."""
    for turn in range(count):
        log.append(f"{name}{turn}")
        yield Yield()
    return name


@do
def naps(seconds, value=None):
    yield Sleep(seconds)
    return value


@do
def fails(error, seconds=None):
    yield Pure(None) if seconds is None else Sleep(seconds)
    raise error


@do
def notes(log, *entries):
    """Notes something when it runs; the last of it is its value."""
    yield Pure(None)
    log.extend(entries)
    return entries[-1] if entries else None


@do
def careful(program, log, name="cleaned", seconds=None):
    """Runs a program; its clean-up may take time, and is noted when it is over."""
    try:
        return (yield program)
    finally:
        if seconds is not None:
            yield Sleep(seconds)
        log.append(name)


@do
def spawn_all(*programs):
    """The tasks of several programs, in their order."""
    tasks = []
    for program in programs:
        task = yield Spawn(program)
        tasks.append(task)
    return tasks


@do
def turns_of_all(count):
    """Lets all that can run have `count` turns."""
    for _ in range(count):
        yield Yield()


@do
def cancelled(*programs, after=1, **options):
    """What each of several programs comes to when it is cancelled after some turns."""
    tasks = []
    for program in programs:
        task = yield Spawn(program, **options)
        tasks.append(task)
    yield turns_of_all(after)
    for task in tasks:
        yield Cancel(task)
    outcomes = []
    for task in tasks:
        outcome = yield Try(Wait(task))
        outcomes.append(outcome)
    return outcomes


@do
def errors_of(*tasks):
    """The types of the errors that several tasks come to."""
    types = []
    for task in tasks:
        outcome = yield Try(Wait(task))
        types.append(type(outcome.error))
    return types


@do
def timed(program):
    """What a program comes to, or the type of its error, and when."""
    try:
        got = yield program
    except Exception as error:
        got = type(error)
    return got, (yield Now())


@do
def sends(channel, log, *values):
    for sent in values:
        yield Send(channel, sent)
        log.append(("sent", sent))


@do
def receives(channel, log, count, name="received"):
    for _ in range(count):
        log.append((name, (yield Receive(channel))))


@do
def receive_all(channel):
    """What is received until the channel is closed."""
    received = []
    try:
        while True:
            received.append((yield Receive(channel)))
    except ChannelClosedError:
        return received


@do
def spawn_and_return(*programs, after=1, value="root", **options):
    """Spawns daemons that have some turns, then returns."""
    for program in programs:
        yield Spawn(program, daemon=True, **options)
    yield turns_of_all(after)
    return value


# Looking at errors.


def frames(error):
    """The functions in a traceback, outermost first: none of them the library's; those of the example are left out."""
    entries = traceback.extract_tb(error.__traceback__)
    assert [entry for entry in entries if entry.filename.startswith(PACKAGE)] == []
    return [entry.name for entry in entries if not entry.filename.startswith(os.fspath(EXAMPLE))]


def line_in(error, function):
    """The text of the line of a function that an error passed."""
    (entry,) = [entry for entry in traceback.extract_tb(error.__traceback__) if entry.name == function]
    return entry.line


def notes_of(error):
    return "\n".join(getattr(error, "__notes__", []))


def unobserved(done):
    """The errors that nothing in a run saw."""
    return [entry.error for entry in done.unobserved]


# In a process of its own.

PRELUDE = f"""
import gc
import os
import resource
import signal
import sys
import threading
import time

from segue import *
from segue._vm import vm_live_counts

signal.signal(signal.SIGINT, signal.default_int_handler)


def make():
    if sys.argv[1] == "built_in":
        return scheduler()
    sys.path.append({os.fspath(EXAMPLE.parent)!r})
    from second_scheduler import Scheduler
    return Scheduler()


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@do
def waits(event):
    yield Wait(event)


@do
def adds(n):
    yield Yield()
    return n + 1
"""


def child(source, make, **options):
    """Run `source` with a scheduler in a process of its own; it must end well and say nothing."""
    ended = run_child(PRELUDE + textwrap.dedent(source), args=(make.__name__,), seconds=50, **options)
    ended.ok()
    assert ended.stderr == ""
