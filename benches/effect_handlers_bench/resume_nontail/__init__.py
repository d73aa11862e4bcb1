"""Work after the resumption: n clauses wait for the rest of the program, and fold its result; a thousand rounds."""

ROUNDS = 1_000


def operator(x, y):
    """What folds two numbers into one."""
    return abs(x - 503 * y + 37) % 1009
