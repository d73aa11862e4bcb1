"""What waits is a list of numbers."""

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator


def loop(n, seed):
    yield from range(n, 0, -1)
    return seed


def folded(program):
    waiting = []
    try:
        while True:
            waiting.append(next(program))
    except StopIteration as end:
        result = end.value
    while waiting:
        result = operator(waiting.pop(), result)
    return result


def main(n):
    seed = 0
    for _ in range(ROUNDS):
        seed = folded(loop(n, seed))
    return seed
