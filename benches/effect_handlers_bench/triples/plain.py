"""Three loops."""

from benches.effect_handlers_bench.triples import MODULUS, hashed


def main(n):
    total = 0
    for i in range(n, 0, -1):
        for j in range(i - 1, 0, -1):
            for k in range(j - 1, 0, -1):
                if i + j + k == n:
                    total += hashed(i, j, k)
    return total % MODULUS
