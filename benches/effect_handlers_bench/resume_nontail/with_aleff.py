"""A clause that goes on after it has resumed."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator

operate = effect("operate")


def loop(n, seed):
    for number in range(n, 0, -1):
        operate(number)
    return seed


def main(n):
    seed = 0
    handler = create_handler(operate)
    handler.on(operate)(lambda k, number: operator(number, k(None)))
    for _ in range(ROUNDS):
        seed = handler(lambda seed=seed: loop(n, seed))
    return seed
