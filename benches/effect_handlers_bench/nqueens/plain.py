"""A function that calls itself for each queen that is safe."""

from benches.effect_handlers_bench.nqueens import safe


def ways(size, queens):
    if len(queens) == size:
        return 1
    return sum(ways(size, (queen, *queens)) for queen in range(1, size + 1) if safe(queen, queens))


def main(n):
    return ways(n, ())
