"""Runs what could kill or hang a process in an interpreter of its own, with a memory and a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass

HEAD, TAIL = 1000, 3000
# For the source of a child.
ON_SMALL_STACK = """
import threading


def on_small_stack(work):
    '''Run `work` in a thread with a stack of 256 KB; its errors are this process's.'''
    on_stack(256 * 1024, work)


def on_stack(size, work):
    '''Run `work` in a thread with a stack of so many bytes; its errors are this process's.'''
    errors = []

    def body():
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threading.stack_size(size)
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


"""


@dataclass(frozen=True)
class Child:
    """How an interpreter ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str
    out_of_time: bool = False

    @property
    def ended(self) -> str:
        if self.out_of_time:
            return "was still running, and was killed"
        if self.returncode < 0:
            return f"was killed by {signal.Signals(-self.returncode).name}"
        return f"exited with {self.returncode}"

    def ok(self) -> str:
        """What it wrote to stdout; it must have ended well."""
        assert self.returncode == 0, f"the child {self.ended}\n{shown(self.stdout)}\n{shown(self.stderr)}"
        return self.stdout


def shown(text: str) -> str:
    """A text, without its middle when it is long: a crash stands first, an exception last."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n…\n{text[-TAIL:]}"


def run_child(source, *, memory=None, seconds=60, args=(), env=None, python=sys.executable) -> Child:
    """Run `source` (dedented) with warnings as errors, `memory` bytes of address space and `seconds` of wall time.

    `env` is added to the environment. When the time is over, all processes that the child started end with it.
    """
    limits = "ulimit -c 0" + ("" if memory is None else f" && ulimit -v {memory // 1024}")
    interpreter = [python, "-X", "faulthandler", "-W", "error", "-c", textwrap.dedent(source), *map(str, args)]
    process = subprocess.Popen(
        ["/bin/sh", "-c", f'{limits} && exec "$@"', "sh", *interpreter],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        env=None if env is None else os.environ | env,
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Child(-signal.SIGKILL, *process.communicate(), out_of_time=True)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Child(process.returncode, *said)
