"""Two clauses around a variable."""

from benches.peers.machine import Prompt, run


class Get:
    __slots__ = ()


class Put:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def countdown():
    while n := (yield Get()):
        yield Put(n - 1)
    return n


def main(n):
    cell = n

    def get(effect):
        return cell

    def put(effect):
        nonlocal cell
        cell = effect.value

    return run(countdown(), Prompt({Get: get, Put: put}, {}))
