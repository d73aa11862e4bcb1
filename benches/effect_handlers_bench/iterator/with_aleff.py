"""A clause around a sum. What follows runs inside of the clause, so each effect nests deeper."""

from aleff.oneshot import create_handler, effect

emit = effect("emit")


def numbers(n):
    for number in range(n + 1):
        emit(number)


def main(n):
    total = 0
    handler = create_handler(emit)

    @handler.on(emit)
    def _emit(k, value):
        nonlocal total
        total += value
        return k(None)

    handler(lambda: numbers(n))
    return total
