"""Crawl a directory tree: sizes by suffix, files with the same content, and what could not be read.

    python examples/crawl.py ~/Documents

`crawl` is one recursive program. An unreadable directory or file is an exception at the effect that asked for it,
caught there like any other, told to the writer, and left behind. With `on_disk` the tree is the file system's; with
`in_memory` it is a dictionary.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from segue import Effect, Handler, Tell, answers, do, run, writer


class Entry(NamedTuple):
    """One name in a directory; `size` is `None` for a directory."""

    path: str
    size: int | None


@dataclass(frozen=True)
class Survey:
    """What a crawl found."""

    files: int = 0
    bytes_by_suffix: Mapping[str, int] = field(default_factory=dict[str, int])
    duplicates: tuple[tuple[str, ...], ...] = ()


# The effects.


class Entries(Effect[list[Entry]]):
    """What is in a directory, sorted by path; links are left out."""

    path: str


class Digest(Effect[str]):
    """A fingerprint of a file's content."""

    path: str


# The programs.


@do
def crawl(path: str) -> Generator[Any, Any, list[Entry]]:
    """Every file under a directory."""
    try:
        entries = yield from Entries(path)
    except OSError as error:
        yield from Tell(f"{path}: {error.strerror}")
        return []
    found: list[Entry] = []
    for entry in entries:
        if entry.size is None:
            found += yield from crawl(entry.path)
        else:
            found.append(entry)
    return found


@do
def duplicates(files: Sequence[Entry]) -> Generator[Any, Any, tuple[tuple[str, ...], ...]]:
    """The groups of files with the same content; only files of the same size are read."""
    by_size: defaultdict[int | None, list[str]] = defaultdict(list)
    for entry in files:
        if entry.size:
            by_size[entry.size].append(entry.path)
    by_digest: defaultdict[str, list[str]] = defaultdict(list)
    for paths in by_size.values():
        for path in paths if len(paths) > 1 else ():
            try:
                by_digest[(yield from Digest(path))].append(path)
            except OSError as error:
                yield from Tell(f"{path}: {error.strerror}")
    return tuple(sorted(tuple(paths) for paths in by_digest.values() if len(paths) > 1))


@do
def survey(path: str) -> Generator[Any, Any, Survey]:
    """The whole job."""
    files = yield from crawl(path)
    sizes: Counter[str] = Counter()
    for entry in files:
        sizes[PurePosixPath(entry.path).suffix or "(none)"] += entry.size or 0
    same = yield from duplicates(files)
    return Survey(len(files), dict(sizes.most_common()), same)


# Handlers for the file system.


def scan(path: str) -> Iterator[Entry]:
    """The entries of a real directory."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Entry(entry.path, None)
            elif entry.is_file(follow_symlinks=False):
                yield Entry(entry.path, entry.stat(follow_symlinks=False).st_size)


@answers(Entries)
def directories(effect: Entries) -> list[Entry]:
    """Reads a real directory."""
    return sorted(scan(effect.path))


@answers(Digest)
def contents(effect: Digest) -> str:
    """Reads a real file."""
    with Path(effect.path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def on_disk() -> list[Handler[Any]]:
    """The handlers for the file system."""
    return [writer, directories, contents]


# Handlers for a tree in memory: a directory is a mapping, a file is its bytes, and what cannot be read is an `OSError`.

Node = Mapping[str, Any] | bytes | OSError


class Tree(Handler):
    """A file system that is nested dictionaries."""

    def __init__(self, root: Mapping[str, Node]) -> None:
        self.root = root

    def node(self, path: str) -> Any:
        """What stands at a path."""
        node: Any = self.root
        for name in PurePosixPath(path).parts:
            node = node[name]
        return node

    @answers(Entries)
    def entries(self, effect: Entries) -> list[Entry]:
        """What a dictionary holds."""
        node = self.node(effect.path)
        if isinstance(node, OSError):
            raise node
        return sorted(
            Entry(
                str(PurePosixPath(effect.path) / name),
                len(inner) if isinstance(inner, bytes) else None,
            )
            for name, inner in node.items()
        )

    @answers(Digest)
    def digest(self, effect: Digest) -> str:
        """The same fingerprint as for a real file."""
        return hashlib.sha256(self.node(effect.path)).hexdigest()


def in_memory(root: Mapping[str, Node]) -> list[Handler[Any]]:
    """The handlers for a tree in memory."""
    return [writer, Tree(root)]


# The command.


def show(found: Survey, problems: Sequence[str]) -> str:
    """A survey for people."""
    lines = [f"{found.files} files, {sum(found.bytes_by_suffix.values()):,} bytes"]
    lines += [f"  {suffix:<12} {size:>14,}" for suffix, size in found.bytes_by_suffix.items()]
    lines.append(f"{len(found.duplicates)} groups of files with the same content")
    for group in found.duplicates:
        lines += ["  " + "\n  = ".join(group)]
    lines.append(f"{len(problems)} could not be read")
    lines += [f"  {problem}" for problem in problems]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when it worked."""
    parser = argparse.ArgumentParser(description="Survey a directory tree.")
    parser.add_argument("path", nargs="?", default=".", help="the directory (default: here)")
    options = parser.parse_args(arguments)
    done = run(survey(options.path), handlers=on_disk())
    print(show(done.value, list(done.log)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
