"""No effect at all: what calls cost of a function that could perform one. The suite counts from 0, 1: fib(5) is 5."""
