"""What the machine reads of a clause once may run user code: it must not wait for itself (semantics 5: re-entrancy)."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from segue import Effect, Resume, handles, run

class Ping(Effect[int]):
    n: int = 0

@handles(Ping)
def clause(e, k):
    return (yield Resume(k, 1))

program = clause(Ping())
inner = []

def profile(frame, event, argument):
    sys.setprofile(None)
    if "_tail" in frame.f_code.co_filename:
        inner.append(run(program).value)
    sys.setprofile(profile)

sys.setprofile(profile)
outer = run(program).value
sys.setprofile(None)
print(outer, inner[:1])
"""


def test_a_run_inside_the_first_look_at_a_clause_does_not_hang():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1 [1]\n"
