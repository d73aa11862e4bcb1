"""A clause that does not resume."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.product_early import NUMBERS, room

done = effect("done")


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return done(0)
    return NUMBERS[place] * product(place + 1)


def early():
    handler = create_handler(done)
    handler.on(done)(lambda k, value: value)
    return handler(lambda: product(0))


def main(n):
    with room():
        return sum(early() for _ in range(n))
