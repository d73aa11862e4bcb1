"""A loop, from the end: what is performed last is folded first."""

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator


def main(n):
    seed = 0
    for _ in range(ROUNDS):
        for number in range(1, n + 1):
            seed = operator(number, seed)
    return seed
