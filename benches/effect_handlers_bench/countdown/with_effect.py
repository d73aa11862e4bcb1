"""The built-in reference."""

from effect import ComposedDispatcher, base_dispatcher, sync_perform
from effect.do import do
from effect.ref import Reference, reference_dispatcher


@do
def countdown(cell):
    while n := (yield cell.read()):
        yield cell.modify(lambda value: value - 1)
    return n


def main(n):
    return sync_perform(ComposedDispatcher([reference_dispatcher, base_dispatcher]), countdown(Reference(n)))
