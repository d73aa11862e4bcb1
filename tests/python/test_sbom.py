"""The list of parts is checked by `sbom`: a list that is right passes, and each kind of mistake is told."""

import copy
from typing import Any

from sbom import mistakes

PART = ("part", "1.2.0")
RIGHT: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"bom-ref": "root"}},
    "components": [
        {
            "bom-ref": "part",
            "name": "part",
            "version": "1.2.0",
            "hashes": [{"alg": "SHA-256", "content": "abc"}],
            "licenses": [{"expression": "MIT"}],
        }
    ],
    "dependencies": [{"ref": "root", "dependsOn": ["part"]}, {"ref": "part"}],
}


def found(listed: dict[str, Any]) -> list[str]:
    """What is told of a list, when the build is of that one part."""
    return mistakes(listed, {PART}, {PART: "abc"})


def test_a_right_list_has_no_mistakes() -> None:
    assert found(RIGHT) == []


def test_a_missing_and_a_foreign_part_are_told() -> None:
    listed = copy.deepcopy(RIGHT)
    listed["components"][0]["version"] = "1.3.0"
    assert found(listed) == [
        "part 1.2.0 is missing",
        "part 1.3.0 is not in the build",
        "part 1.3.0 has another checksum than in Cargo.lock",
    ]


def test_another_checksum_is_told() -> None:
    listed = copy.deepcopy(RIGHT)
    listed["components"][0]["hashes"][0]["content"] = "abd"
    assert found(listed) == ["part 1.2.0 has another checksum than in Cargo.lock"]


def test_a_part_without_a_licence_is_told() -> None:
    listed = copy.deepcopy(RIGHT)
    del listed["components"][0]["licenses"]
    assert found(listed) == ["part 1.2.0 has no licence"]


def test_a_reference_that_leads_nowhere_is_told() -> None:
    listed = copy.deepcopy(RIGHT)
    listed["dependencies"][0]["dependsOn"].append("other")
    assert found(listed) == ["other is referred to, and not listed"]


def test_what_is_no_list_is_told() -> None:
    assert found(RIGHT | {"bomFormat": "SPDX"}) == ["it is no CycloneDX list"]
