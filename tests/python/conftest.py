"""What every test of this folder has around it, and what the tests of the table of ends are given."""

from __future__ import annotations

import gc
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from ends import namespace

# The suite tries the same examples every time; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("suite")

# In the background of a shell SIGINT is ignored; the tests mean Python's own handler.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def live_counts() -> dict[str, int]:
    """What the machine still holds; nothing before it was imported."""
    vm = sys.modules.get("segue._vm")
    return vm.vm_live_counts() if vm else {}


def left_over(before: dict[str, int]) -> dict[str, int]:
    """What the machine holds more than before."""
    return {name: count - before.get(name, 0) for name, count in live_counts().items() if count > before.get(name, 0)}


@pytest.fixture(autouse=True)
def no_segment_outlives_its_test(request):
    """After a test that passed, no segment, frame or continuation that it made lives on (targets: leaks)."""
    before = live_counts()
    yield
    if request.node.stash.get(FAILED, False):
        return
    if left_over(before):
        gc.collect()
    assert left_over(before) == {}


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember a failure: its traceback may hold what the test made."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def unraisable(monkeypatch):
    """What went to `sys.unraisablehook`, so that an unobserved error fails no test by itself."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    yield seen
    seen.clear()  # what they hold goes with the test


@pytest.fixture(params=["oracle", "segue"])
def ns(request, unraisable):
    """The names of an implementation: each test of the table runs on both."""
    return namespace(request.param)
