"""SECURITY.md: every promise is numbered, and held by tests that exist."""

import pytest

from test_specs import LAWS, ROOT, holders, laws_of, missing

TEXT = (ROOT / "SECURITY.md").read_text()
PROMISES = laws_of(TEXT, "SECURITY.md")


def test_promises_are_numbered_in_their_order():
    assert [promise.number for promise in PROMISES] == [f"SEC-{n}" for n in range(1, len(PROMISES) + 1)]


@pytest.mark.parametrize("part", ["What `Seal` promises", "What `Limits` promises", "What messages show"])
def test_each_part_of_the_page_promises_something(part):
    (text,) = (text for text in TEXT.split("\n## ") if text.startswith(part))
    assert len(laws_of(text, part)) >= 3


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.number)
def test_a_promise_is_held_by_tests_that_exist(promise):
    named = holders(promise)
    assert named, f"{promise.place}: {promise.number} says nothing of what holds it"
    assert [wrong for file, name in named if (wrong := missing(file, name))] == []


def test_no_promise_has_the_number_of_a_law():
    assert {promise.number for promise in PROMISES} & {law.number for law in LAWS} == set()
