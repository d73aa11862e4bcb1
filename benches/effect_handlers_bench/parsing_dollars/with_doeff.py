"""Three handlers."""

from doeff import EffectBase, Transfer, do, handler, run

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


class Read(EffectBase):
    pass


class Emit(EffectBase):
    def __init__(self, value):
        self.value = value


class Stop(EffectBase):
    pass


@do
def parse():
    dollars = 0
    while True:
        character = yield Read()
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            yield Emit(dollars)
            dollars = 0
        else:
            yield Stop()


@handler
def catch(effect: Stop, k):
    return None


def feed(lines):
    line = left = 0

    @handler
    def read(effect: Read, k):
        nonlocal line, left
        if line > lines:
            return (yield Stop())
        if left == 0:
            line += 1
            left = line
            return (yield Transfer(k, NEWLINE))
        left -= 1
        return (yield Transfer(k, DOLLAR))

    return read


def main(n):
    total = 0

    @handler
    def emit(effect: Emit, k):
        nonlocal total
        total += effect.value
        return (yield Transfer(k, None))

    run(emit(catch(feed(n)(parse()))))
    return total
