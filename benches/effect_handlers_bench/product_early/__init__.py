"""Ending early: the product of 1000 down to 0, where the 0 ends it from within a thousand calls; n times.

The clause never resumes. The handler is installed anew each time.
"""

NUMBERS = range(1000, -1, -1)
