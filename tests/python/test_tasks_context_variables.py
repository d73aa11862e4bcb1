"""Semantics 7: a task's code always runs in that task's own `contextvars` context, copied at its spawn.

Only the built-in scheduler can see to that: no public name switches contexts.
"""

import contextvars

from builtins_vocabulary import caught
from segue import (
    Cancel,
    Gather,
    Sleep,
    Spawn,
    Wait,
    Yield,
    do,
)
from tasks_vocabulary import (
    built_in,
    spawn_all,
    turns_of_all,
    value,
)

NAME = contextvars.ContextVar("NAME", default="nobody")


def test_t09_context_variable_is_inherited_at_the_spawn_and_isolated_after():
    seen = []

    @do
    def child(name):
        seen.append((name, NAME.get()))
        NAME.set(name)
        yield Yield()
        yield Sleep(1)
        seen.append((name, NAME.get()))
        grandchild = yield Spawn(looks())
        return (yield Wait(grandchild))

    @do
    def looks():
        yield Yield()
        return NAME.get()

    @do
    def program():
        NAME.set("root")
        tasks = yield spawn_all(child("a"), child("b"))
        NAME.set("changed")
        got = yield Gather(*tasks)
        return got, NAME.get()

    got = contextvars.copy_context().run(lambda: value(built_in, program()))
    assert got == (["a", "b"], "changed")
    assert seen == [("a", "root"), ("b", "root"), ("a", "a"), ("b", "b")]


def test_t09_clean_up_runs_in_the_context_of_its_task():
    seen = []

    @do
    def child(name):
        NAME.set(name)
        try:
            yield Sleep(9)
        finally:
            seen.append(NAME.get())
            yield Yield()
            seen.append(NAME.get())

    @do
    def program():
        a, _ = yield spawn_all(child("a"), Yield())
        yield Spawn(child("b"), daemon=True)
        yield turns_of_all(2)
        yield Cancel(a)
        yield caught(Wait(a), Exception)

    contextvars.copy_context().run(lambda: value(built_in, program()))
    assert seen == ["a", "a", "b", "b"]
