"""The handlers are a list of primes, and a number is asked about beginning with the last; the driver adds to it."""


def primes(first, end):
    total = 0
    for number in range(first, end):
        if (yield number):
            total += number
    return total


def main(n):
    installed = []
    program = primes(2, n)
    answer = None
    try:
        while True:
            number = program.send(answer)
            answer = True
            for prime in reversed(installed):
                if number % prime == 0:
                    answer = False
                    break
            if answer:
                installed.append(number)
    except StopIteration as end:
        return end.value
