"""Runs the tests that are named by a fault, and prints what became of each row of the catalogue: `make faults`.

Further arguments go to pytest. Exit code 0 means that every row that is built is held.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from enum import StrEnum

import pytest

from fault_catalogue import CATALOGUE, faults_of, ids_of


class Verdict(StrEnum):
    """What became of a row."""

    HELD = "held"
    NOT_BUILT = "not built yet"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    NO_TEST = "no test"


FINE = {Verdict.HELD, Verdict.NOT_BUILT}
WORST_FIRST = {
    "failed": Verdict.BROKEN,
    "skipped": Verdict.SKIPPED,
    "not run": Verdict.NOT_RUN,
    "passed": Verdict.HELD,
}


def verdict(fault, outcomes):
    """The verdict on a row, from the outcomes of its tests: the worst of them counts."""
    nothing = Verdict.NO_TEST if fault.built else Verdict.NOT_BUILT
    return next((found for outcome, found in WORST_FIRST.items() if outcome in outcomes), nothing)


def table(verdicts):
    """The lines of the table, and one that counts."""
    lines = [f"{fault.id:<6}{fault.area:<14}{verdict:<15}{fault.fault}" for fault, verdict in verdicts.items()]
    counts = Counter(verdicts.values())
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    return [*lines, "", f"{len(verdicts)} faults: {counted}"]


class FaultTests:
    """A plugin of pytest: chooses the tests and notes their outcomes."""

    def __init__(self, faults):
        self.faults = faults
        self.tests = defaultdict(set)
        self.outcomes = defaultdict(list)

    @property
    def verdicts(self):
        return {fault: verdict(fault, self.of(fault)) for fault in self.faults}

    def of(self, fault):
        """What became of the tests of a row: one that was chosen and never ran has no outcome, and counts."""
        return [outcome for test in self.tests[fault.id] for outcome in self.outcomes[test] or ["not run"]]

    def pytest_collection_modifyitems(self, config, items):
        ids = {item: ids_of(getattr(item, "originalname", "")) for item in items}
        for item, named in ids.items():
            for fault_id in named:
                self.tests[fault_id].add(item.nodeid)
        items[:] = [item for item in items if ids[item]]
        config.hook.pytest_deselected(items=[item for item in ids if not ids[item]])

    def pytest_runtest_logreport(self, report):
        """Set-up and tear-down count when they fail or skip: what is left behind is seen at the tear-down."""
        if report.when == "call" or not report.passed:
            self.outcomes[report.nodeid].append("skipped" if hasattr(report, "wasxfail") else report.outcome)


def main(catalogue, arguments):
    """Run the tests of a catalogue and print its table; the exit code."""
    tests = FaultTests(faults_of(catalogue))
    code = pytest.main(arguments, plugins=[tests])
    sys.stdout.write("\n" + "\n".join(table(tests.verdicts)) + "\n")
    return code or int(not FINE.issuperset(tests.verdicts.values()))


if __name__ == "__main__":
    sys.exit(main(CATALOGUE.read_text(), ["-q", *sys.argv[1:]]))
