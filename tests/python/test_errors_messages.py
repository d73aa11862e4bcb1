"""Semantics 4: messages, and what is shown."""

import collections
import re
import traceback

import pytest

from errors_vocabulary import Load, outer
from segue import (
    Get,
    Handler,
    MissingKeyError,
    Pure,
    Put,
    Tell,
    Try,
    UnhandledEffectError,
    answers,
    do,
    run,
    state,
    writer,
)
from vocabulary import echo


def test_unhandled_effect_names_effect_and_handlers_from_innermost_to_outermost():
    class Database(Handler):
        @answers(Put)
        def put(self, e):
            return None

    error = run(Load("x"), handlers=[writer, Database(), echo]).error
    assert error.effect == Load("x")
    assert list(error.handlers) == ["echo", "Database", "writer"]
    message = str(error)
    assert "Load(payload='x')" in message
    assert message.index("echo") < message.index("Database") < message.index("writer")


def test_unhandled_effect_without_handlers_says_that_there_are_none():
    error = run(Load("x")).error
    assert list(error.handlers) == []
    assert "Load" in str(error)


@pytest.mark.parametrize(("effect", "handler"), [(Get("n"), "state"), (Tell("x"), "writer")])
def test_unhandled_built_in_effect_says_how_to_install_its_handler(effect, handler):
    assert re.search(rf"\b{handler}\b", str(run(effect).error))


def test_c08_repr_of_an_effect_in_a_message_is_cut_and_escaped():
    """At most 200 characters of it, control characters escaped."""
    long = str(run(Load("a" * 1_000_000)).error)
    assert "Load" in long
    assert len(long) < 1000

    queue = str(run(Load(collections.deque(range(1_000_000)))).error)
    assert "Load(payload=deque([0, 1, 2" in queue
    assert len(queue) < 1000

    class Evil:
        def __repr__(self):
            return "\x1b[31mred\nforged line"

    text = str(run(Load(Evil())).error)
    assert "\x1b" not in text
    assert "forged line" not in text.splitlines()


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__


def test_formatting_never_raises():
    """Semantics 4: whatever the user's objects do."""

    class Rude(Handler):
        @answers(Put)
        def put(self, e):
            return None

        def __repr__(self):
            raise RuntimeError("no repr")

    error = run(Load(Unprintable()), handlers=[Rude()]).error
    assert isinstance(error, UnhandledEffectError)
    assert "Load" in str(error)
    assert "Unhandled" in repr(error)
    assert "".join(traceback.format_exception(error))


@pytest.mark.parametrize("place", ["yield", "root", "node", "key"])
def test_messages_about_objects_without_a_repr(place):
    wrong = Unprintable()

    @do
    def program():
        yield wrong

    if place == "yield":
        assert isinstance(run(program()).error, TypeError)
    elif place == "key":
        assert isinstance(run(Get(wrong), handlers=[state]).error, MissingKeyError)
    else:
        with pytest.raises(TypeError):
            run(wrong) if place == "root" else Try(wrong)


def test_long_values_in_messages_are_cut():
    wrong = "a" * 1_000_000

    @do
    def program():
        yield wrong

    assert len(str(run(program()).error)) < 1000
    assert len(str(run(Get(wrong), handlers=[state]).error)) < 1000
    with pytest.raises(TypeError) as caught:
        run(wrong)
    assert len(str(caught.value)) < 1000


def test_display_never_raises():
    for program in (Pure(Unprintable()), outer(ValueError("shown")), Load(Unprintable()), Tell(Unprintable())):
        text = run(program, handlers=[writer, echo, state], trace=True).display()
        assert isinstance(text, str)
    assert "shown" in run(outer(ValueError("shown")), handlers=[echo]).display()


def test_missing_key_error_reads_well():
    """A KeyError shows the repr of its argument; this one shows its message."""
    text = str(run(Get("cuont"), handlers=[state({"count": 1})]).error)
    assert "count" in text
    assert not text.startswith(("'", '"'))


def test_h101_class_that_is_called_like_a_container_is_shown_as_itself():
    """Its text is made by its own `__repr__`, also inside of containers."""
    named = type("set", (), {"__repr__": lambda self: "mine"})
    error = run(Load([named(), {named()}])).error
    assert "mine" in str(error)
    assert "repr raised" not in str(error)
