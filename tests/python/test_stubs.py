"""The extension's stub says what the extension is."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def stubtest(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(300)
def test_the_stub_agrees_with_the_extension():
    done = stubtest("segue._vm", "--mypy-config-file", "pyproject.toml")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.timeout(300)
def test_a_stub_that_lies_is_seen(tmp_path):
    (tmp_path / "lying.py").write_text("def f(x): ...\n")
    (tmp_path / "lying.pyi").write_text("def f(x: int, y: int) -> None: ...\n")
    done = stubtest("lying", env={"MYPYPATH": str(tmp_path), "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "lying.f" in done.stdout


def test_the_package_declares_that_it_is_typed():
    package = resources.files("segue")
    assert (package / "py.typed").is_file()
    assert (package / "_vm.pyi").is_file()
