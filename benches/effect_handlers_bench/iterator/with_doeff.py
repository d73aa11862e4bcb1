"""A clause around a sum."""

from doeff import EffectBase, Transfer, do, handler, run


class Emit(EffectBase):
    def __init__(self, value):
        self.value = value


@do
def numbers(n):
    for number in range(n + 1):
        yield Emit(number)


def main(n):
    total = 0

    @handler
    def emit(effect: Emit, k):
        nonlocal total
        total += effect.value
        return (yield Transfer(k, None))

    run(emit(numbers(n)))
    return total
