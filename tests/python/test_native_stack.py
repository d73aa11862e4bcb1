"""What recurses natively is bounded by the stack that is left (decision 0020), on threads of any size. In children."""

import pytest

from child import run_child

PRELUDE = """
import sys
import threading

from segue import Effect, Err, Ok, Pure, answers, run

sys.setrecursionlimit(10**6)


class Ping(Effect[int]):
    n: int = 0


class Wraps(Effect[int]):
    inner: object


def nested(depth):
    @answers(Ping)
    def answer(effect):
        return depth if depth == 0 else nested(depth - 1)

    return run(Ping(), handlers=[answer]).value


def deep(wrap, depth):
    value = 1
    for _ in range(depth):
        value = wrap(value)
    return value


def on_a_stack_of(size, work):
    seen = []
    threading.stack_size(size * 1024)
    thread = threading.Thread(target=lambda: seen.append(work()))
    thread.start()
    thread.join()
    return seen[0]


def outcome(work):
    try:
        work()
    except RecursionError as error:
        assert "stack" in str(error) or "recursion" in str(error), error
        return "RecursionError"
    return "done"
"""


@pytest.mark.parametrize("size", [64, 256, 1024, 8192])
def test_h103_runs_inside_runs_end_in_a_recursion_error_on_a_stack_of_any_size(size):
    source = f"""
assert on_a_stack_of({size}, lambda: nested(3)) == 0
assert on_a_stack_of({size}, lambda: outcome(lambda: nested(20_000))) == "RecursionError"
assert run(Pure(1)).value == 1
"""
    run_child(PRELUDE + source).ok()


def test_h103_hundred_runs_inside_each_other_are_fine_on_the_main_thread():
    run_child(PRELUDE + "assert nested(100) == 0").ok()


@pytest.mark.parametrize("wrap", ["Ok", "Wraps", "lambda value: Ok((Wraps(value),))"])
@pytest.mark.parametrize("size", [64, 256, 8192])
def test_d111_deep_values_compare_and_hash_to_a_recursion_error(size, wrap):
    source = f"""
shallow, same = deep({wrap}, 2), deep({wrap}, 2)
bottomless, other = deep({wrap}, 200_000), deep({wrap}, 200_000)


def work():
    assert shallow == same
    assert hash(shallow) == hash(same)
    assert outcome(lambda: bottomless == other) == "RecursionError"
    assert outcome(lambda: hash(bottomless)) == "RecursionError"
    return outcome(lambda: shallow == same)


assert on_a_stack_of({size}, work) == "done"
"""
    run_child(PRELUDE + source).ok()
