"""L2.16: each installation of a class handler works on a fresh shallow copy, made as `copy.copy` makes it."""

import copyreg

import pytest

from segue import Handler, answers, run
from vocabulary import Ping


def handled_by(handler):
    """What the installed copy is, and what its clause saw."""
    return run(Ping(1), handlers=[handler]).value


def test_a_copy_has_the_attributes_in_their_order_and_no_others():
    class Sees(Handler):
        def __init__(self):
            self.b, self.a = [1], 2

        @answers(Ping)
        def ping(self, effect):
            self.c = 3
            return list(vars(self).items()), self.b

    original = Sees()
    items, inner = handled_by(original)
    assert items == [("b", [1]), ("a", 2), ("c", 3)]
    assert inner is original.b
    assert vars(original) == {"b": [1], "a": 2}


def test_a_class_that_copies_itself_is_asked():
    class Copies(Handler):
        how = "made"

        def __copy__(self):
            new = type(self)()
            new.how = "copied"
            return new

        @answers(Ping)
        def ping(self, effect):
            return self.how

    assert handled_by(Copies()) == "copied"


@pytest.mark.parametrize("method", ["__getstate__", "__reduce__", "__reduce_ex__"])
def test_a_class_that_says_what_its_state_is_is_asked(method):
    asked = []

    class Says(Handler):
        @answers(Ping)
        def ping(self, effect):
            return vars(self)

    def says(self, *protocol):
        asked.append(method)
        state = {"only": 1}
        return state if method == "__getstate__" else (Says, (), state)

    setattr(Says, method, says)
    handler = Says()
    handler.other = 2
    assert (handled_by(handler), asked) == ({"only": 1}, [method])


def test_a_class_that_takes_its_state_is_given_it():
    class Takes(Handler):
        def __setstate__(self, state):
            self.taken = dict(state)

        @answers(Ping)
        def ping(self, effect):
            return vars(self)

    handler = Takes()
    handler.a = 1
    assert handled_by(handler) == {"taken": {"a": 1}}


def test_what_is_stored_under_the_name_of_a_property_is_copied_past_it():
    class Hides(Handler):
        @property
        def a(self):
            return "read"

        @a.setter
        def a(self, value):
            raise AssertionError("nobody sets it")

        def __setattr__(self, name, value):
            raise AssertionError("nor this")

        @answers(Ping)
        def ping(self, effect):
            return self.a, vars(self)

    handler = Hides()
    vars(handler).update(a="stored", b=1)
    assert handled_by(handler) == ("read", {"a": "stored", "b": 1})
    del vars(handler)["a"]
    assert handled_by(handler) == ("read", {"b": 1})


def test_slots_of_a_handler_are_copied():
    class Slotted(Handler):
        __slots__ = ("a", "unset")

        @answers(Ping)
        def ping(self, effect):
            return self.a, hasattr(self, "unset"), vars(self)

    handler = Slotted()
    handler.a, handler.b = 1, 2
    assert handled_by(handler) == (1, False, {"b": 2})


def test_a_class_whose_instances_are_registered_for_copies_is_asked(monkeypatch):
    class Registered(Handler):
        @answers(Ping)
        def ping(self, effect):
            return vars(self)

    monkeypatch.setitem(copyreg.dispatch_table, Registered, lambda _: (Registered, (), {"registered": True}))
    assert handled_by(Registered()) == {"registered": True}
