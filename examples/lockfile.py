"""Import a `Cargo.lock` into a database and report on it.

    python examples/lockfile.py Cargo.lock lock.sqlite
    python examples/lockfile.py Cargo.lock --dry-run

The programs below say *what* happens: read, save, ask. The handlers say *how*. With `on_disk` the file system is read
and an SQLite database is written, in one transaction that is rolled back when anything fails; with `in_memory` nothing
outside the process is touched.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tomllib
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segue import Effect, Handler, answers, do, run

# What the programs speak of.


@dataclass(frozen=True)
class Package:
    """One package of a lock file, and the names of the packages that it depends on."""

    name: str
    version: str
    source: str | None
    dependencies: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What a person wants to know of a lock file."""

    packages: int
    dependencies: int
    repeated: tuple[tuple[str, tuple[str, ...]], ...]
    most_needed: tuple[tuple[str, int], ...]


class LockfileError(Exception):
    """The input is not a lock file."""


# The effects.


class ReadText(Effect[str]):
    """The text of a file."""

    path: str


class Clear(Effect[None]):
    """Forget every package."""


class Save(Effect[None]):
    """Remember a package."""

    package: Package


class Totals(Effect[tuple[int, int]]):
    """How many packages and how many dependencies are remembered."""


class Repeated(Effect[tuple[tuple[str, tuple[str, ...]], ...]]):
    """The packages of which several versions are remembered, with these versions."""


class MostNeeded(Effect[tuple[tuple[str, int], ...]]):
    """The names that most packages depend on, with how many do."""

    limit: int


# The programs.


def parse(text: str, path: str) -> list[Package]:
    """The packages of a lock file's text."""
    try:
        tables = tomllib.loads(text)["package"]
        return [
            Package(
                name=table["name"],
                version=table["version"],
                source=table.get("source"),
                dependencies=tuple(line.split()[0] for line in table.get("dependencies", ())),
            )
            for table in tables
        ]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise LockfileError(f"{path} is no lock file: {error!r}") from error


@do
def import_lock(path: str) -> Generator[ReadText | Clear | Save, Any, int]:
    """Replace what is remembered by the packages of a lock file; how many there are."""
    packages = parse((yield from ReadText(path)), path)
    yield from Clear()
    for package in packages:
        yield from Save(package)
    return len(packages)


@do
def report(top: int) -> Generator[Totals | Repeated | MostNeeded, Any, Report]:
    """Ask for everything that a report says."""
    packages, dependencies = yield from Totals()
    repeated = yield from Repeated()
    most_needed = yield from MostNeeded(top)
    return Report(packages, dependencies, repeated, most_needed)


@do
def import_and_report(path: str, top: int) -> Generator[Any, Any, Report]:
    """The whole job."""
    yield from import_lock(path)
    return (yield from report(top))


# Handlers for real files.


@answers(ReadText)
def file_system(effect: ReadText) -> str:
    """Reads the file. An `OSError` is raised where the program asked."""
    return Path(effect.path).read_text(encoding="utf-8")


SCHEMA = """
create table if not exists package (
    name text not null,
    version text not null,
    source text,
    primary key (name, version)
);
create table if not exists dependency (
    name text not null,
    version text not null,
    needs text not null,
    foreign key (name, version) references package (name, version)
);
"""


class Database(Handler):
    """Keeps the packages in an SQLite file, in one transaction for the whole block."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)

    def enter(self) -> None:
        """Open the file and begin."""
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.executescript(SCHEMA)
        self.connection.execute("begin immediate")

    def result(self, value: object) -> object:
        """The block came to its end: its work stands."""
        self.connection.execute("commit")
        return value

    def exit(self) -> None:
        """However the block was left: what was not committed is rolled back."""
        self.connection.close()

    @answers(Clear)
    def clear(self, _effect: Clear) -> None:
        """Empty both tables."""
        self.connection.execute("delete from dependency")
        self.connection.execute("delete from package")

    @answers(Save)
    def save(self, effect: Save) -> None:
        """Insert a package and its dependencies."""
        package = effect.package
        self.connection.execute("insert into package values (?, ?, ?)", (package.name, package.version, package.source))
        self.connection.executemany(
            "insert into dependency values (?, ?, ?)",
            [(package.name, package.version, needed) for needed in package.dependencies],
        )

    @answers(Totals)
    def totals(self, _effect: Totals) -> tuple[int, int]:
        """Count the rows."""
        (packages,) = self.connection.execute("select count(*) from package").fetchone()
        (dependencies,) = self.connection.execute("select count(*) from dependency").fetchone()
        return packages, dependencies

    @answers(Repeated)
    def repeated(self, _effect: Repeated) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Group by name."""
        rows = self.connection.execute(
            "select name, version from package where name in"
            " (select name from package group by name having count(*) > 1) order by name, version"
        )
        return grouped(rows.fetchall())

    @answers(MostNeeded)
    def most_needed(self, effect: MostNeeded) -> tuple[tuple[str, int], ...]:
        """Count who needs whom."""
        rows = self.connection.execute(
            "select needs, count(*) from dependency group by needs order by count(*) desc, needs limit ?",
            (effect.limit,),
        )
        return tuple(rows.fetchall())


def on_disk(database: str | Path) -> list[Handler[Any]]:
    """The handlers for real files."""
    return [Database(database), file_system]


# Handlers that touch nothing.


def grouped(rows: Sequence[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The versions of each name, in the order of the rows."""
    versions: dict[str, list[str]] = {}
    for name, version in rows:
        versions.setdefault(name, []).append(version)
    return tuple((name, tuple(found)) for name, found in versions.items())


class Remember(Handler):
    """Keeps the packages in a dictionary, for as long as the block lasts."""

    def enter(self) -> None:
        """Start with none."""
        self.packages: dict[tuple[str, str], Package] = {}

    @answers(Clear)
    def clear(self, _effect: Clear) -> None:
        """Forget them."""
        self.packages.clear()

    @answers(Save)
    def save(self, effect: Save) -> None:
        """Remember one."""
        key = effect.package.name, effect.package.version
        if key in self.packages:
            raise ValueError(f"package {key[0]} {key[1]} is there already")
        self.packages[key] = effect.package

    @answers(Totals)
    def totals(self, _effect: Totals) -> tuple[int, int]:
        """Count them."""
        return len(self.packages), sum(len(package.dependencies) for package in self.packages.values())

    @answers(Repeated)
    def repeated(self, _effect: Repeated) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The names that come more than once."""
        names = Counter(name for name, _version in self.packages)
        return grouped(sorted(key for key in self.packages if names[key[0]] > 1))

    @answers(MostNeeded)
    def most_needed(self, effect: MostNeeded) -> tuple[tuple[str, int], ...]:
        """Count who needs whom."""
        needed = Counter(name for package in self.packages.values() for name in package.dependencies)
        ranked = sorted(needed.items(), key=lambda item: (-item[1], item[0]))
        return tuple(ranked[: effect.limit])


def files(texts: Mapping[str, str]) -> Handler[ReadText]:
    """A file system that is a dictionary."""

    @answers(ReadText)
    def dictionary(effect: ReadText) -> str:
        try:
            return texts[effect.path]
        except KeyError:
            raise FileNotFoundError(effect.path) from None

    return dictionary


def in_memory(texts: Mapping[str, str]) -> list[Handler[Any]]:
    """The handlers that touch nothing outside the process."""
    return [Remember(), files(texts)]


# The command.


def show(told: Report) -> str:
    """A report for people."""
    lines = [f"{told.packages} packages, {told.dependencies} dependencies between them"]
    lines.append("packages in several versions:" if told.repeated else "every package in one version only")
    lines += [f"  {name:<28} {', '.join(versions)}" for name, versions in told.repeated]
    lines.append("most needed:")
    lines += [f"  {name:<28} by {count}" for name, count in told.most_needed]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when it worked."""
    parser = argparse.ArgumentParser(description="Import a Cargo.lock into SQLite and report on it.")
    parser.add_argument("lock", help="the lock file")
    parser.add_argument("database", nargs="?", default="lock.sqlite", help="the database (default: %(default)s)")
    parser.add_argument("--top", type=int, default=8, help="how many of the most needed to show")
    parser.add_argument("--dry-run", action="store_true", help="report without writing a database")
    options = parser.parse_args(arguments)

    handlers = [Remember(), file_system] if options.dry_run else on_disk(options.database)
    done = run(import_and_report(options.lock, options.top), handlers=handlers)
    if done.is_err():
        print(f"{parser.prog}: {done.error}", file=sys.stderr)
        return 1
    print(show(done.value))
    if not options.dry_run:
        print(f"written to {options.database}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
