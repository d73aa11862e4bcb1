"""The layers of `src`: every `use` goes downward. Also how long a file may be.

`LAYERS` is the one table: the packages, lowest first, and the rows of each one's modules, lowest first. A module may
use modules of lower rows and of its own row. A package may use lower packages. A package's `mod.rs` stands above its
rows, and nobody inside the package uses it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

LAYERS: dict[str, list[set[str]]] = {
    "core": [
        {"ids"},
        {"arena"},
        {"host"},
        {"prompt"},
        {"frame"},
        {"body"},
        {"standing"},
        {"fault"},
        {"limits", "mailbox"},
        {"native"},
        {"step"},
        {"ctrl"},
        {"contexts", "interceptor"},
        {"routes"},
        {"segment"},
        {"visit"},
        {"trace"},
        {"continuation"},
        {"dispatch"},
        {"vm"},
    ],
    "effects": [],
    "py": [
        {"found", "owners", "reserve"},
        {"names", "slot"},
        {"entered", "leaving"},
        {"generator", "stack"},
        {"passage"},
        {"classes", "contained", "context", "errands", "error", "roots", "tasks", "world"},
        {"desks", "signals"},
        {"os_fork"},
        {"begin", "call"},
        {"driver"},
        {"classes::vm"},
        {"census", "classes::engine"},
    ],
}
# Types of a higher row that a lower one names all the same: plain data, or the seam between machine and world.
NAMED_UPWARD = {
    ("host", "core::continuation::ContinuationCell"),
    ("host", "core::ctrl::Ctrl"),
    ("host", "core::native::Store"),
    ("fault", "core::step::Place"),
}
ORDER = list(LAYERS)
USE = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?use\s+([^;]+);|\b((?:crate|self|super)(?:::\w+)+)", re.MULTILINE)


class Use(NamedTuple):
    """One path that a file names, from the crate's root."""

    line: int
    path: tuple[str, ...]


def module_of(source: Path, src: Path = SRC) -> tuple[str, ...]:
    """The module that a file is, from the crate's root."""
    parts = source.relative_to(src).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("mod", "lib") else parts


def expand(tree: str) -> list[list[str]]:
    """The paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    head, brace, rest = tree.partition("{")
    prefix = [part.strip() for part in head.split("::") if part.strip()]
    if not brace:
        return [[part.split(" as ")[0].strip() for part in prefix]]
    inner = rest[: rest.rindex("}")]
    branches, depth, start = [], 0, 0
    for place, character in enumerate(inner + ","):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            branches.append(inner[start:place])
            start = place + 1
    return [prefix + path for branch in branches if branch.strip() for path in expand(branch)]


def resolve(path: list[str], module: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path from the crate's root, or `None` for one that leads out of the crate."""
    if path[0] not in ("crate", "self", "super"):
        return None
    path = path[:-1] if path[-1] == "self" else path
    if path[0] == "crate":
        return tuple(path[1:])
    while path and path[0] in ("self", "super"):
        module = module[:-1] if path[0] == "super" else module
        path = path[1:]
    return (*module, *path)


def uses(text: str, module: tuple[str, ...]) -> list[Use]:
    """Every path of the crate that a source names, in `use` lines and in passing."""
    code = re.sub(r"//[^\n]*", "", text)
    tests = re.search(r"^mod tests \{", code, re.MULTILINE)
    found = []
    for match in USE.finditer(code):
        inside = (*module, "tests") if tests and match.start() > tests.start() else module
        line = code.count("\n", 0, match.start()) + 1
        paths = (resolve(path, inside) for path in expand(match[1] or match[2]))
        found += [Use(line, path) for path in paths if path]
    return found


def place(path: tuple[str, ...]) -> tuple[str, int] | None:
    """Where a module, or what is in it, stands in its package's table: the name found there, and its row."""
    for name in ("::".join(path[1:3]), path[1]) if len(path) > 1 else ():
        for row, modules in enumerate(LAYERS[path[0]]):
            if name in modules:
                return name, row
    return None


def breach(module: tuple[str, ...], path: tuple[str, ...]) -> str | None:
    """What is wrong with a module naming a path; `None` when nothing is."""
    if not module or module[0] not in LAYERS or path[0] not in LAYERS:
        return None
    package = module[0]
    if ORDER.index(path[0]) > ORDER.index(package):
        return f"{package} may not use {path[0]}"
    if path[0] != package or not LAYERS[package] or len(module) == 1 or path[: len(module)] == module:
        return None
    own, other = place(module), place(path)
    if other is None:
        return f"{'::'.join(path)} is no module of the table"
    if own is not None and other[1] > own[1] and (own[0], "::".join(path)) not in NAMED_UPWARD:
        return f"{package}::{own[0]} may not use {package}::{other[0]}"
    return None


SOURCES = sorted(SRC.rglob("*.rs"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.relative_to(SRC).as_posix())
def test_a_file_uses_only_layers_below_its_own(source):
    module = module_of(source)
    breaches = [
        f"{source.relative_to(SRC)}:{use.line}: {wrong}"
        for use in uses(source.read_text(), module)
        if (wrong := breach(module, use.path))
    ]
    assert breaches == []


@pytest.mark.parametrize("package", [name for name, rows in LAYERS.items() if rows])
def test_the_table_names_exactly_the_modules_that_exist(package):
    rows = LAYERS[package]
    named = [module for row in rows for module in row]
    files = {"::".join(module_of(source)) for source in SOURCES}
    assert [module for module in named if f"{package}::{module}" not in files] == []
    assert len(named) == len(set(named))
    present = {
        module_of(source)[1] for source in SOURCES if module_of(source)[:1] == (package,) and len(module_of(source)) > 1
    }
    assert {module.partition("::")[0] for module in named} == present


def test_every_type_named_upward_still_is():
    named = {
        (found[0], "::".join(use.path))
        for source in SOURCES
        if (module := module_of(source))[:1] and module[0] in LAYERS and (found := place(module))
        for use in uses(source.read_text(), module)
    }
    assert NAMED_UPWARD - named == set()


def test_every_package_of_the_crate_is_a_layer():
    assert {source.relative_to(SRC).parts[0] for source in SOURCES} - {
        "lib.rs",
        *(f"{package}.rs" for package in LAYERS),
    } == set(LAYERS)


def test_no_file_is_longer_than_six_hundred_lines():
    long = {
        source.relative_to(SRC).as_posix(): lines
        for source in SOURCES
        if (lines := len(source.read_text().splitlines())) > 600
    }
    assert long == {}


@pytest.mark.parametrize(
    ("line", "module", "wrong"),
    [
        ("use crate::py::call;", ("core", "vm"), "core may not use py"),
        ("use crate::py::{call, names};", ("effects", "state"), "effects may not use py"),
        ("use crate::effects::state;", ("core", "vm", "perform"), "core may not use effects"),
        ("use super::vm::Vm;", ("core", "arena"), "core::arena may not use core::vm"),
        ("use super::{ids::SegmentId, dispatch};", ("core", "ids"), "core::ids may not use core::dispatch"),
        ("let x: super::segment::Kind = y;", ("core", "ids"), "core::ids may not use core::segment"),
        ("use super::super::vm;", ("core", "arena", "slots"), "core::arena may not use core::vm"),
        ("use crate::py::driver::Machine;", ("py", "classes", "effect"), "py::classes may not use py::driver"),
        ("use crate::py::classes::vm::PyVm;", ("py", "driver"), "py::driver may not use py::classes::vm"),
        ("use super::Anything;", ("core", "arena"), "core::Anything is no module of the table"),
    ],
)
def test_a_use_that_goes_upward_is_seen(line, module, wrong):
    assert wrong in [breach(module, use.path) for use in uses(line, module)]


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("use super::ids::{Birth, SegmentId};", ("core", "arena")),
        ("use super::Vm;", ("core", "vm", "perform")),
        ("use super::arena::{self, Arena};", ("core", "segment")),
        ("use crate::core::native::Native;", ("effects", "state")),
        ("use std::{fmt, mem};", ("core", "ids")),
        ("use crate::py::driver::Machine;", ("py", "classes", "vm")),
        ("// use super::vm::Vm;", ("core", "ids")),
        ("mod tests {\n    use super::*;\n    use super::super::ids::Birth;\n}", ("core", "arena")),
    ],
)
def test_a_use_that_goes_downward_passes(line, module):
    assert [wrong for use in uses(line, module) if (wrong := breach(module, use.path))] == []
