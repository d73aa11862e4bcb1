"""What type checkers see (targets: types). `tests/typing` holds programs whose types are asserted in place.

Each line there that must be an error carries an ignore comment, and both checkers report an ignore that nothing needs:
so an error that vanishes fails as surely as one that appears.
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "tests" / "typing").glob("*.py"))

pytestmark = pytest.mark.timeout(300)


def mypy(*paths, cache):
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "--no-error-summary", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if ": error:" in line]


def pyright(project):
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "--project",
        str(project),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return [
        f"{Path(found['file']).name}:{found['range']['start']['line'] + 1}: {found['message']}"
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]


def project_for(folder, **settings):
    """A pyright project beside the repository's own, with the repository's package."""
    config = {
        "include": ["."],
        "extraPaths": [str(ROOT / "python")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": True,
        **settings,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    return folder / "pyrightconfig.json"


def test_there_are_programs_to_check():
    assert {path.stem for path in PROGRAMS} >= {"effects", "handlers", "programs", "results"}


def test_mypy_agrees_with_every_assertion_and_finds_every_error(tmp_path):
    assert mypy(ROOT / "python" / "segue", *PROGRAMS, cache=tmp_path) == []


def test_pyright_agrees_with_every_assertion_and_finds_every_error():
    assert pyright(ROOT) == []


LYING = """
    from collections.abc import Generator
    from typing import Any, assert_type

    from segue import Effect, Get, Key, Tell, answers, do, run, state, writer

    N: Key[int] = Key("n")

    class Ping(Effect[int]):
        n: int = 0

    @do
    def program() -> Generator[Get[int] | Tell, Any, int]:
        n = yield from Get(N)
        assert_type(n, str)  # wrong
        yield from Ping()  # wrong
        yield from Tell("hi")
        return n

    run(program(), state)  # wrong
    run(program(), state | writer)
    assert_type(run(program(), state | writer).value, str)  # wrong
    Ping("one")  # wrong
    Ping(1).n = 2  # wrong
    answers(Ping)(len)  # wrong
    run(program(), writer)  # type: ignore
    run(program(), [state])  # type: ignore # wrong
"""


@pytest.fixture
def lie(tmp_path):
    path = tmp_path / "lie.py"
    path.write_text(textwrap.dedent(LYING))
    return path


def lines_reported(found, name):
    return {int(re.search(rf"{name}:(\d+):", line).group(1)) for line in found}


def lines_marked(path):
    return {number for number, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("# wrong")}


def test_mypy_sees_the_lies(lie, tmp_path):
    found = [line for line in mypy(lie, cache=tmp_path / "cache") if "ignore-without-code" not in line]
    assert lines_reported(found, "lie.py") == lines_marked(lie)


def test_pyright_sees_the_lies(lie, tmp_path):
    # Strict pyright asks for a rule in an ignore comment only through its own `pyright: ignore`.
    found = pyright(project_for(tmp_path))
    assert lines_reported(found, "lie.py") == lines_marked(lie)


def test_every_error_that_is_expected_names_its_code():
    for path in PROGRAMS:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert "ignore" not in line or re.search(r"# type: ignore\[[a-z-]+(, [a-z-]+)*\]$", line), (
                path.name,
                number,
            )
