"""What `segue` exports is what it says it exports, and every name is documented."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import segue


def test_all_is_sorted_without_repetition():
    assert list(segue.__all__) == sorted(set(segue.__all__))


def test_all_is_exactly_the_public_names():
    public = {
        name
        for name, value in vars(segue).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert set(segue.__all__) - {"__version__"} == public


def test_a_star_import_gives_exactly_these_names():
    namespace: dict[str, object] = {}
    exec("from segue import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(segue.__all__)


PUBLIC_MODULES = {"asyncio", "from_thread", "trio"}


def test_modules_beside_the_shims_are_private():
    modules = {name for name, value in vars(segue).items() if isinstance(value, ModuleType)}
    assert {name for name in modules if not name.startswith("_")} <= PUBLIC_MODULES


EXPORTED = [name for name in segue.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", EXPORTED)
def test_every_public_name_has_a_docstring_of_its_own(name):
    value = getattr(segue, name)
    doc = value.__doc__
    assert doc
    assert doc.strip()
    if not isinstance(value, type) and not inspect.isroutine(value):
        assert doc != type(value).__doc__ or type(value).__module__.startswith("segue")


CLASSES = [name for name in EXPORTED if isinstance(getattr(segue, name), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_and_attribute_is_documented(name):
    cls = getattr(segue, name)
    undocumented = [
        member
        for member, value in vars(cls).items()
        if not member.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property) or inspect.isgetsetdescriptor(value))
        and not (getattr(value, "__doc__", None) or "").strip()
    ]
    assert undocumented == []


@pytest.mark.parametrize("name", EXPORTED)
def test_every_public_name_says_where_it_can_be_imported_from(name):
    value = getattr(segue, name)
    if isinstance(value, type) or inspect.isroutine(value):
        assert value.__module__ in ("segue", "segue._vm")
        assert getattr(sys.modules[value.__module__], value.__qualname__) is value


SLOW = {
    "asyncio",
    "collections",
    "concurrent.futures",
    "contextlib",
    "dataclasses",
    "functools",
    "inspect",
    "typing",
    "weakref",
}
"""Modules that take longer to import than the package."""


def test_importing_the_package_imports_nothing_slow():
    script = (
        f"import sys; before = set(sys.modules); import segue; print(sorted((set(sys.modules) - before) & {SLOW!r}))"
    )
    path = {"PYTHONPATH": os.pathsep.join([str(Path(segue.__file__).parents[1])])}
    done = subprocess.run([sys.executable, "-S", "-c", script], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
