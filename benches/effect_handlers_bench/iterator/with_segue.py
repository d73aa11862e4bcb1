"""A handler with a value clause and a sum; what the block comes to is the sum."""

from segue import Effect, Handler, answers, do, run


class Emit(Effect[None]):
    value: int


@do
def numbers(n):
    for number in range(n + 1):
        yield Emit(number)


class Sum(Handler):
    def enter(self):
        self.total = 0

    @answers(Emit)
    def emit(self, effect):
        self.total += effect.value

    def result(self, value):
        return self.total


def main(n):
    return run(numbers(n), handlers=[Sum()]).value
