"""What tests of several threads have in common."""

import sys
import threading
from contextlib import contextmanager


def at_once(count, work):
    """What `work(i)` gives, or what it raises, in `count` threads that start together."""
    results = [None] * count
    start = threading.Barrier(count)

    def body(i):
        start.wait()
        try:
            results[i] = work(i)
        except BaseException as e:
            results[i] = e

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def elsewhere(work):
    """What `work()` gives in a thread of its own."""
    (result,) = at_once(1, lambda _: work())
    if isinstance(result, BaseException):
        raise result
    return result


@contextmanager
def helped_by(count, work):
    """While the block runs, `count` threads do `work(i)` over and over; what one raises is raised at the end."""
    done = threading.Event()
    begun = threading.Barrier(count + 1)
    failed = []

    def body(i):
        begun.wait()
        try:
            while not done.is_set():
                work(i)
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failed, failed


@contextmanager
def quick_switches():
    """With a GIL, threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
