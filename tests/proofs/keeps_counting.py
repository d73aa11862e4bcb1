"""A plugin of pytest: a test that leaves without the interpreter's trace function does not end the measurement.

The interpreter takes the function away when an error arises in it, as it does in tests that use up the stack.
"""

import sys

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    counting = sys.gettrace()
    try:
        return (yield)
    finally:
        sys.settrace(counting)
