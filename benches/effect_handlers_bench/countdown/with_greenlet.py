"""Two clauses around a variable."""

from benches.peers.greenlet import handled, perform


class Get:
    __slots__ = ()


class Put:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def countdown():
    while n := perform(Get()):
        perform(Put(n - 1))
    return n


def main(n):
    cell = n

    def get(effect):
        return cell

    def put(effect):
        nonlocal cell
        cell = effect.value

    return handled(countdown, {Get: get, Put: put})
