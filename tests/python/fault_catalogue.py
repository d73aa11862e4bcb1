"""The catalogue of faults (`specs/faults.md`), and which test holds which row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

CATALOGUE = Path(__file__).resolve().parents[2] / "specs" / "faults.md"
ID = r"[A-Z]\d{2,3}"
AREA = re.compile(r"^## (?P<name>\w+)$")
ROW = re.compile(rf"^\| `(?P<id>{ID})` \| (?P<fault>.+) \| (?P<holds>.+) \|$")
TEST = re.compile(r"^test_((?:[a-z]\d{2,3}_)+)")
NOT_BUILT = "*not built yet*"


class Fault(NamedTuple):
    """A row: something that goes wrong, and what must hold then."""

    id: str
    area: str
    fault: str
    holds: str

    @property
    def built(self) -> bool:
        return not self.holds.startswith(NOT_BUILT)


def faults_of(text: str) -> list[Fault]:
    """The rows of a catalogue, in their order."""
    faults, area = [], ""
    for line in text.splitlines():
        if match := AREA.match(line):
            area = match["name"].lower()
        elif match := ROW.match(line):
            faults.append(Fault(match["id"], area, match["fault"], match["holds"]))
        elif line.startswith("| `"):
            raise ValueError(f"no row of the catalogue: {line}")
    return faults


def ids_of(test: str) -> list[str]:
    """The faults that a test is named by: those of `test_s01_s02_loop` are S01 and S02."""
    match = TEST.match(test)
    return match[1].upper().rstrip("_").split("_") if match else []
