"""An error of the library's own, thrown and caught. A thousand generators need more room than there is at first."""

from stateless import catch, run, throw

from benches.effect_handlers_bench.product_early import NUMBERS, room


class DoneError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return (yield from throw(DoneError(0)))
    return NUMBERS[place] * (yield from product(place + 1))


def repeated(times):
    total = 0
    for _ in range(times):
        ended = yield from catch(DoneError)(product)(0)
        total += ended.value if isinstance(ended, DoneError) else ended
    return total


def main(n):
    with room():
        return run(repeated(n))
