"""What an effect carries is shown bounded and escaped, and not at all where it is hidden (C06, C08)."""

import logging
import sys
import traceback
import tracemalloc
import unicodedata

import pytest

from segue import (
    Delegate,
    Effect,
    GetExecutionContext,
    Handler,
    Pass,
    Seal,
    Tell,
    Try,
    answers,
    do,
    handles,
    run,
    state,
    writer,
)

SHOWN = 200
"""Longest text about one payload, in characters."""


class Load(Effect[bytes]):
    payload: object = None


class Login(Effect[bool], hidden="password"):
    user: str
    password: object


class Session(Effect[bool]):
    """Hides everything, in the way of any Python class."""

    token: object

    def __repr__(self):
        return "Session(...)"


class Shows:
    """Something whose `repr` is the text."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def passes(e, k):
    return Pass()


def delegates(e):
    return (yield Delegate())


@do
def asks_about(effect):
    """Everything that the library says about an effect that is denied, while it goes on."""
    denied = yield Try(effect)
    return denied.error, (yield GetExecutionContext())


def told_about(effect):
    """Every text that the library makes about an effect that nobody takes, by the place where it stands."""
    kind = type(effect)
    around = {
        "unhandled": lambda program: program,
        "walled": lambda program: Seal([], program),
        "passed": handles(kind)(passes),
        "delegated": answers(kind)(delegates),
    }
    told = {}
    for place, wrap in around.items():
        result = run(wrap(effect), trace=True)
        error = result.error
        told |= {
            f"{place}: message": str(error),
            f"{place}: error": repr(error),
            f"{place}: notes": "".join(getattr(error, "__notes__", [])),
            f"{place}: traceback": "".join(traceback.format_exception(error)),
            f"{place}: result": repr(result),
            f"{place}: display": result.display(),
        }
        told |= {f"{place}: trace {entry.step}": f"{entry.pending}{entry.result}" for entry in result.trace}
    error, context = run(asks_about(effect)).value
    return told | {"effect": repr(effect), "caught": str(error), "context": "".join(map(repr, context))}


# C06: secrets.

SECRET = "swordfish"  # noqa: S105 - to be looked for


@pytest.mark.parametrize("effect", [Login("ada", SECRET), Session(SECRET)], ids=["hidden=", "__repr__"])
def test_c06_payload_that_is_switched_off_is_in_no_text(effect):
    told = told_about(effect)
    assert [place for place, text in told.items() if SECRET in text] == []
    assert type(effect).__name__ in told["walled: message"]


def test_c06_places_that_are_looked_at_do_show_what_is_not_switched_off():
    shows = [place for place, text in told_about(Load(SECRET)).items() if SECRET in text]
    assert {"walled: message", "passed: message", "delegated: message", "unhandled: trace 1", "effect"} <= set(shows)


def test_c06_hidden_payload_is_in_no_log_and_no_unraisable_error(caplog, unraisable):
    @handles(Tell)
    def loses(e, k):
        k.keep()

    @do
    def body():
        try:
            yield Tell("x")
        finally:
            yield Login("ada", SECRET)

    result = run(loses(body()))
    (lost,) = result.unobserved
    with caplog.at_level(logging.ERROR):
        logging.getLogger("test").error("lost", exc_info=lost.error)
    texts = [repr(lost), str(unraisable[0]), caplog.text, result.display()]
    assert all("Login" in text for text in texts)
    assert [text for text in texts if SECRET in text] == []


# C08: bounds.


@pytest.mark.parametrize(
    "payload",
    [
        "x" * 1_000_000,
        b"x" * 1_000_000,
        Shows("x" * 1_000_000),
        [["x" * 1000] * 1000] * 1000,
        10**4000,
        {1: "x" * 10**6},
    ],
    ids=["str", "bytes", "repr", "lists", "int", "dict"],
)
def test_c08_payload_takes_at_most_two_hundred_characters_of_any_text(payload):
    told = told_about(Load(payload))
    assert len(told["effect"]) <= SHOWN
    without = {place: len(text) for place, text in told_about(Load(0)).items()}
    grown = {place: len(text) - without[place] for place, text in told.items()}
    # A traceback and a display show a text twice: in the line of the error, and in the result.
    assert {place: more for place, more in grown.items() if more > 2 * SHOWN} == {}
    assert all(more <= SHOWN for place, more in grown.items() if place.endswith(("message", "effect", "caught")))


SIZE = 2**24


class Text(str):
    """Not cut by the standard library's bounded `repr`, which knows only `str` itself."""

    __slots__ = ()


@pytest.mark.parametrize("make", [lambda: "x" * SIZE, lambda: [None] * SIZE, lambda: Shows("x" * SIZE)])
def test_c08_text_about_a_big_payload_costs_no_copy_of_it(make):
    assert cost_of_text(Load(make())) < SIZE // 4


@pytest.mark.parametrize("make", [bytes, bytearray, lambda size: Text("x" * size)], ids=["bytes", "bytearray", "Text"])
def test_c116_nor_does_text_about_big_bytes_and_strings_of_a_class_of_its_own(make):
    assert cost_of_text(Load(make(SIZE))) < SIZE // 4


def cost_of_text(effect):
    """The most bytes that were in use for the text of an error about the effect."""
    tracemalloc.start()
    try:
        assert len(str(run(effect).error)) < 1000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_c08_long_logs_and_stores_are_shown_entry_by_entry():
    result = run(Tell("x" * 10_000), handlers=[writer, state], store={"key" * 1000: "y" * 10_000})
    assert max(map(len, result.display().splitlines())) <= 2 * SHOWN + 10


# C08: what acts on a terminal, or hides text.

ANSI = "\x1b[31mred\x1b]0;title\x07"
LINES = "one\nERROR forged\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029two"
BIDI = "\u202euser\u2066\u2069\u200f"
HIDDEN = [
    chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp"}
]


@pytest.mark.parametrize("text", [ANSI, LINES, BIDI, "".join(HIDDEN[:60])], ids=["ansi", "lines", "bidi", "controls"])
@pytest.mark.parametrize("payload", [str, Shows], ids=["str", "repr"])
def test_c08_control_characters_are_escaped_in_every_text(payload, text):
    plain = told_about(Load(payload("plain")))
    for place, told in told_about(Load(payload(text))).items():
        assert [hex(ord(character)) for character in told if character in HIDDEN and character != "\n"] == [], place
        # No line of a text begins in the payload. A display and a traceback have lines of their own.
        assert len(told.splitlines()) == len(plain[place].splitlines()), place


def test_c115_every_format_character_is_escaped():
    shown = [hex(ord(character)) for character in HIDDEN if character in repr(Load(Shows(character)))]
    assert shown == []


def test_c117_names_of_handlers_are_escaped_too():
    """They may be made at run time, from what a user gave."""

    class Named(Handler):
        @answers(Tell)
        def tell(self, e):
            return None

    Named.__name__ = Named.__qualname__ = ANSI + LINES

    def clause(e, k):
        return None

    clause.__name__ = clause.__qualname__ = ANSI + LINES
    text = str(run(Load(), handlers=[Named(), handles(Tell)(clause)]).error)
    assert [hex(ord(character)) for character in text if character in HIDDEN] == []
