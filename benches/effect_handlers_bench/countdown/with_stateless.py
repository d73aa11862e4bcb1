"""Two abilities, each with its handler around a variable."""

from dataclasses import dataclass

from stateless import Ability, handle, run


@dataclass
class Get(Ability[int]):
    pass


@dataclass
class Put(Ability[None]):
    value: int


def countdown():
    while n := (yield from Get()):
        yield from Put(n - 1)
    return n


def main(n):
    cell = n

    def get(ability: Get):
        return cell

    def put(ability: Put):
        nonlocal cell
        cell = ability.value

    return run(handle(get)(handle(put)(countdown))())
