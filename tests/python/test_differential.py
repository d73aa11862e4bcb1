"""Random programs: the machine and the oracle agree on everything that can be seen.

`SEGUE_EXAMPLES` says how many (10 000), `SEGUE_SEED` where to start (0). A failure shows the smallest program that
Hypothesis comes to, and its seed; `make soak` tries any number.
"""

import os
import re
import types

import pytest
from hypothesis import Phase, given, seed, settings

import oracle
import playing
import programs
import segue
import soak
import source

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "10000"))
SEED = int(os.environ.get("SEGUE_SEED", "0"))
PARTS = 10


def each_source(count):
    """Tries a function on the sources of so many programs."""

    def decorate(f):
        @seed(SEED)
        @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
        @given(programs.runs().map(source.written))
        def each(text):
            f(text)

        return each

    return decorate


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs(part):
    soak.batch(SEED + part, EXAMPLES // PARTS, oracle, segue)


class Strict(playing.Play):
    """Notes errors that no program means: those are faults of the oracle."""

    LANGUAGE = (oracle.SegueError, oracle.Discontinued, oracle.LimitExceeded, playing.Stop, playing.SpentError)
    RAISED = (ValueError, KeyError, KeyboardInterrupt, StopIteration)
    TEXTS = (
        "raised StopIteration",
        "is not a program",
        "is not a continuation",
        "takes None first",
        "is not an exception",
        "unsupported operand",
        "not associated with a value",  # a function that was not come to
    )

    def __init__(self, ns):
        super().__init__(ns)
        self.strange = []

    def plain_error(self, e):
        if not (isinstance(e, self.LANGUAGE) or type(e) in self.RAISED or any(text in str(e) for text in self.TEXTS)):
            self.strange.append(e)
        return super().plain_error(e)


@each_source(300)
def test_oracle_meets_only_errors_of_the_language(text):
    play = Strict(oracle)
    seen = play.observe(playing.compiled(text, oracle))
    assert play.strange == []
    assert seen["result"][0] != "broke"
    assert seen["suspended"] == []
    assert seen == playing.observed(text, oracle)


def test_every_node_is_drawn():
    """So that the comparison is about all of them."""
    words = set()

    @each_source(500)
    def draw(text):
        words.update(re.findall(r"\w+", text))

    draw()
    nodes = {name for name, x in vars(segue).items() if isinstance(x, type) and issubclass(x, segue.DoExpr)}
    assert nodes - words - {"DoExpr", "Program"} - NOT_OF_THE_ORACLE == set()
    assert {"bracket", "lazy", "reader", "state", "writer", "run", "generator", "Handler", "Limits"} <= words


NOT_OF_THE_ORACLE = {"GetExecutionContext", "PythonAsyncSyntaxEscape"}


# Implementations that break a law, and the word that a program needs to notice.
WRONG = {
    "Discontinue": lambda k: oracle.Resume(k, None),
    "Pass": oracle.Delegate,
    "Seal": lambda allow, p: p,
    "WithIntercept": lambda f, p: p,
}


@pytest.mark.parametrize("word", WRONG)
def test_broken_law_is_found_by_a_small_program(word):
    wrong = types.ModuleType("wrong")
    vars(wrong).update(vars(oracle) | {word: WRONG[word]})
    with pytest.raises(soak.DisagreeError) as found:
        soak.batch(SEED, 3000, oracle, wrong)
    text = found.value.text
    assert word in text
    assert len(text.splitlines()) < 25
    assert found.value.difference == playing.difference(text, oracle, wrong)


def test_suspended_generator_is_seen():
    left = "def left():\n    yield\nsuspended = left()\nnext(suspended)\nresult = run(Pure(1), [])\n"
    assert playing.observed(left, segue)["suspended"] == ["left"]


def test_what_failed_shows_its_seed_and_where_the_marks_part():
    shown = str(soak.DisagreeError(3, 1000, "result = run(A(1))\n", {"marks": {"one": [(1,), (2,)], "other": [(1,)]}}))
    assert shown.startswith("make soak SEED=3 N=1000\n")
    assert "result = run(A(1))" in shown
    assert "marks, from number 2 on\n  one      [(2,)]\n  other    []" in shown
