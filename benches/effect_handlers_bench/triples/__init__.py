"""Choosing and failing: all triples i > j > k of positive numbers whose sum is n, each as one number, added up.

The suite resumes each `Flip` twice. By replay here, in all but the plain version: see `paths.py`.
"""

MODULUS = 1_000_000_007


def hashed(i, j, k):
    """Make one number of a triple."""
    return (53 * i + 2809 * j + 148877 * k) % MODULUS
