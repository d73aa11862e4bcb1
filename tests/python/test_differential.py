"""Random programs: the machine and the oracle agree on everything that can be seen.

`SEGUE_EXAMPLES` says how many (10 000), `SEGUE_SEED` where to start (0). A failure names its seed and shows a smaller
program that fails too.
"""

import functools
import importlib
import os
import pprint
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interpreter
import oracle
import programs

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "10000"))
SEED = int(os.environ.get("SEGUE_SEED", "0"))
PARTS = 10


def observe(ns, root):
    return interpreter.Interpreter(ns).run(root)


def difference(root, other="segue"):
    """What the implementations do not agree on, `{}` when there is nothing."""
    other = importlib.import_module(other) if isinstance(other, str) else other
    ours, theirs = observe(oracle, root), observe(other, root)
    both = ours.keys() & theirs.keys()
    return {name: {"oracle": ours[name], "segue": theirs[name]} for name in both if ours[name] != theirs[name]}


def shorter(choices, fails):
    """A smaller list of choices that fails too: without a stretch of it, or with smaller numbers."""
    before = None
    while before != choices:
        before, size = choices, len(choices)
        while size:
            at = 0
            while at < len(choices):
                stretch = choices[at : at + size]
                for instead in ([], [0] * len(stretch), [max(x - 1, 0) for x in stretch]):
                    tried = choices[:at] + instead + choices[at + size :]
                    if instead != stretch and fails(tried):
                        choices = tried
                        break
                else:
                    at += size
            size //= 2
    return choices


def report(seed, choices):
    smaller = shorter(choices, lambda tried: bool(difference(programs.draw(programs.Choices(tried).below))))
    root = programs.draw(programs.Choices(smaller).below)
    shown = pprint.pformat(root, width=110), pprint.pformat(difference(root), width=110)
    return f"seed {seed} (SEGUE_SEED={seed} SEGUE_EXAMPLES=1), choices {smaller}\n{shown[0]}\n{shown[1]}"


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs(part):
    for seed in range(SEED + part, SEED + EXAMPLES, PARTS):
        choices = programs.RandomChoices(seed)
        if difference(programs.draw(choices.below)):
            pytest.fail(report(seed, choices.made))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 19), max_size=300))
def test_random_programs_of_hypothesis(choices):
    assert difference(programs.draw(programs.Choices(choices).below)) == {}


class Strict(interpreter.Interpreter):
    """Takes errors that no program means for faults of the oracle."""

    LANGUAGE = (oracle.SegueError, oracle.Discontinued, interpreter.Stop, interpreter.SpentError, ZeroDivisionError)
    MESSAGES = ("is not a program", "takes None first", "unsupported operand", "can only concatenate")

    def plain(self, x):
        if isinstance(x, RuntimeError | TypeError):
            assert str(x) == "a function raised StopIteration" or any(m in str(x) for m in self.MESSAGES), x
        elif isinstance(x, BaseException) and type(x) not in (ValueError, KeyError):
            assert isinstance(x, self.LANGUAGE), x
        return super().plain(x)


def test_oracle_meets_only_errors_of_the_language():
    for seed in range(SEED, SEED + 500):
        root = programs.draw(programs.RandomChoices(seed).below)
        seen = Strict(oracle).run(root)
        assert seen["result"][0] != "broke", f"seed {seed}"
        assert seen == observe(oracle, root), f"seed {seed}"


def test_a_difference_is_found_and_made_smaller(monkeypatch):
    """The comparison can fail: a machine whose `Discontinue` resumes instead is found, by a small program."""
    wrong = types.ModuleType("wrong")
    vars(wrong).update(vars(oracle))
    wrong.Discontinue = lambda k: oracle.Resume(k, None)
    differs = functools.partial(difference, other=wrong)
    for seed in range(1000):
        choices = programs.RandomChoices(seed)
        if differs(programs.draw(choices.below)):
            break
    smaller = shorter(choices.made, lambda tried: bool(differs(programs.draw(programs.Choices(tried).below))))
    assert len(smaller) < len(choices.made)
    assert "discontinue" in str(programs.draw(programs.Choices(smaller).below))
