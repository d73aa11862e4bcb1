"""A loop."""


def main(n):
    while n:
        n -= 1
    return n
