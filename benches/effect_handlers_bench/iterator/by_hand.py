"""Python's own generators are the effect, and `for` is the driver."""


def numbers(n):
    yield from range(n + 1)


def main(n):
    total = 0
    for number in numbers(n):
        total += number
    return total
