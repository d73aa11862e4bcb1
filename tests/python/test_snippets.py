"""Every Python block of the documents runs, and so does every example in the docstring of a public name.

The blocks of one document share a namespace, in their order, as a reader would type them. The docstrings of private
functions are run by pytest itself.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import segue

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "specs").rglob("*.md"),
    ]
)
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[tuple[int, str]]:
    """The Python blocks of a document, each with the line before its first."""
    return [(text.count("\n", 0, match.start("code")), match["code"]) for match in BLOCK.finditer(text)]


def run_blocks(path: Path) -> int:
    """Run the blocks of a document; how many there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    found = blocks(path.read_text())
    for line, code in found:
        # The empty lines make a traceback name the document's own lines.
        exec(compile("\n" * line + code, str(path), "exec", dont_inherit=True), namespace)
    return len(found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_blocks_of_a_document_run(path):
    run_blocks(path)


def test_readme_and_guide_have_blocks():
    assert len(blocks((ROOT / "README.md").read_text())) >= 3
    assert len(blocks((ROOT / "docs" / "guide.md").read_text())) >= 15


def test_no_block_escapes_by_its_spelling():
    opened = re.compile(
        r"^[ \t]*[`~]{3,}[ \t]*(py|python3|Python|pycon)\b|^[ \t]+```python|^~~~+[ \t]*python", re.MULTILINE
    )
    assert [path.name for path in DOCUMENTS if opened.search(path.read_text())] == []


def test_a_block_that_fails_is_seen(tmp_path):
    document = tmp_path / "wrong.md"
    document.write_text("text\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as caught:
        run_blocks(document)
    assert caught.traceback[-1].lineno + 1 == 8


@pytest.mark.parametrize("name", [name for name in segue.__all__ if not name.startswith("_")])
def test_a_public_name_has_examples_and_they_run(name):
    finder = doctest.DocTestFinder(exclude_empty=True)
    # `False` for the module: what the extension defines counts too, and an example brings its own imports.
    tests = finder.find(getattr(segue, name), name, module=False, globs={})
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    told: list[str] = []
    for test in tests:
        runner.run(test, out=told.append)
    assert "".join(told) == ""
    assert runner.tries > 0
