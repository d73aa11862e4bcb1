"""A plugin of pytest for a sanitized process: its children get no limit of memory, and more time.

The sanitizer reserves a table of the whole address space, which no limit allows.
"""

import pytest

SLOWER = 5


@pytest.hookimpl(tryfirst=True)
def pytest_collection():
    import child

    limited = child.run_child

    def run_child(source, *, memory=None, seconds=60, **others):
        return limited(source, seconds=SLOWER * seconds, **others)

    child.run_child = run_child
