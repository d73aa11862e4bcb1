"""Semantics 3 in every combination: how `k` is let go, what its body does, and what stands inside and around it."""

from __future__ import annotations

import itertools
import signal

import pytest

from conftest import left_over, live_counts
from lifetime_law import BODIES, WAYS, Law
from lifetimes import STACKS, Case, layers, names

# A second Ctrl-C closes what is left without effects: that is another law (`test_lifetime_interrupts`).
COMBINATIONS = [(way, body) for way in WAYS for body in BODIES if (way, body) != ("program interrupted", "signalled")]


@pytest.fixture(autouse=True)
def sigint():
    """A test that runs in the background of a shell has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("way", "body"), COMBINATIONS, ids=[" - ".join(pair) for pair in COMBINATIONS])
@pytest.mark.parametrize("implementation", ["segue", "oracle"])
def test_every_lifetime_in_all_surroundings(implementation, way, body, unraisable):
    ns = names(implementation)
    for kinds_inside, kinds_outside in itertools.product(STACKS, repeat=2):
        unraisable.clear()
        inside, outside = layers("inside", kinds_inside), layers("outside", kinds_outside)
        before = live_counts()
        case = Case(ns, way, body, inside, outside)
        outcome, unobserved = case.run()

        law = Law(way, body, inside, outside)
        assert case.log == law.log, (kinds_inside, kinds_outside)
        assert outcome == law.outcome
        assert [type(e).__name__ for e in unobserved] == law.unobserved
        assert unraisable == unobserved
        assert all(e is case.boom for e in unobserved)
        assert case.suspended() == []
        assert left_over(before) == {}
