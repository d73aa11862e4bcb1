"""Choosing among many: in how many ways n queens can be placed. The suite resumes each `Pick` n times.

By replay here, in all but the plain version: see `paths.py`.
"""


def safe(queen, queens):
    """Whether a queen in the next column is attacked by none of these, the nearest one first."""
    return all(queen not in (other, other + distance, other - distance) for distance, other in enumerate(queens, 1))
