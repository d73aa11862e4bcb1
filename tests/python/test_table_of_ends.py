"""The table of ends itself: its rows and the tests that hold them."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent


def test_each_row_of_the_table_names_tests_that_exist():
    text = (HERE.parents[1] / "specs" / "ends.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| **E-")]
    assert [row[4:8] for row in rows] == [f"E-{n:02}" for n in range(1, len(rows) + 1)]
    named = [re.findall(r"`tests/python/(test_ends_\w+\.py)::(\w+)`", row) for row in rows]
    assert all(named)
    ends = {
        (path.name, node.name)
        for path in HERE.glob("test_ends_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    held = {end for row in named for end in row}
    assert sorted(held - ends) == []
    assert sorted(ends - held) == []
