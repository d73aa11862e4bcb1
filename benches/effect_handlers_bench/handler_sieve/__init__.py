"""Many handlers: the sum of the primes below n, where each prime that is found installs a handler around the rest.

It answers `Prime(e)` with false where it divides e, and asks the one outside otherwise; outside of all, everything is
prime.
"""
