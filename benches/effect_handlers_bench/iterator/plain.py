"""A function that is called with each number."""


def numbers(n, emit):
    for number in range(n + 1):
        emit(number)


def main(n):
    total = 0

    def emit(number):
        nonlocal total
        total += number

    numbers(n, emit)
    return total
