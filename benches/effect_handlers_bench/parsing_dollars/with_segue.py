"""Two value clauses and a control clause. The one that feeds is a generator, as it performs itself."""

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE
from segue import Effect, Handler, answers, do, handles, run


class Read(Effect[int]):
    pass


class Emit(Effect[None]):
    value: int


class Stop(Effect[None]):
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


class Sum(Handler):
    def enter(self):
        self.total = 0

    @answers(Emit)
    def emit(self, effect):
        self.total += effect.value

    def result(self, value):
        return self.total


@handles(Stop)
def catch(effect, k):
    return None


class Feed(Handler):
    def __init__(self, lines):
        self.lines = lines

    def enter(self):
        self.line = self.left = 0

    @answers(Read)
    def read(self, effect):
        if self.line > self.lines:
            yield Stop()
        if self.left == 0:
            self.line += 1
            self.left = self.line
            return NEWLINE
        self.left -= 1
        return DOLLAR


def main(n):
    return run(parse(), handlers=[Sum(), catch, Feed(n)]).value
