"""Takes the list of parts out of a wheel and checks it: `make sbom`.

The build puts a CycloneDX list of the crates that it linked or ran into the wheel. It has to be complete (what cargo's
own tree of the build shows), exact (versions and checksums of `Cargo.lock`) and whole (each part has a licence, each
reference leads somewhere).
"""

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

TREE = ("cargo", "tree", "--locked", "--offline", "--target=all", "--features=extension-module", "--edges=normal,build")
LISTED = ".dist-info/sboms/segue.cyclonedx.json"

Part = tuple[str, str]


def taken(wheel: Path) -> dict[str, Any]:
    """The list inside the wheel, written beside it."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(LISTED)]
        text = archive.read(name)
    wheel.with_suffix(".cyclonedx.json").write_bytes(text)
    return json.loads(text)


def built() -> set[Part]:
    """The crates that cargo says the extension is built of, but for itself."""
    shown = subprocess.run([*TREE, "--prefix=none", "--format={p}"], check=True, capture_output=True, text=True).stdout
    parts = {(line.split()[0], line.split()[1].removeprefix("v")) for line in shown.splitlines()}
    return {part for part in parts if part[0] != "segue"}


def checksums(lock: Path) -> dict[Part, str]:
    """The checksum of each crate that is locked."""
    packages = tomllib.loads(lock.read_text())["package"]
    return {(one["name"], one["version"]): one["checksum"] for one in packages if "checksum" in one}


def mistakes(listed: dict[str, Any], tree: set[Part], locked: dict[Part, str]) -> list[str]:
    """What is wrong with the list; nothing, when it may be given away."""
    found: list[str] = []
    if listed.get("bomFormat") != "CycloneDX":
        found.append("it is no CycloneDX list")
    parts = {(one["name"], one["version"]): one for one in listed["components"]}
    found += [f"{name} {version} is missing" for name, version in sorted(tree - parts.keys())]
    found += [f"{name} {version} is not in the build" for name, version in sorted(parts.keys() - tree)]
    for part, one in sorted(parts.items()):
        hashes = {known["content"] for known in one.get("hashes", ()) if known["alg"] == "SHA-256"}
        if hashes != {locked.get(part)}:
            found.append(f"{part[0]} {part[1]} has another checksum than in Cargo.lock")
        if not one.get("licenses"):
            found.append(f"{part[0]} {part[1]} has no licence")
    known = {listed["metadata"]["component"]["bom-ref"], *(one["bom-ref"] for one in parts.values())}
    for edge in listed["dependencies"]:
        lost = {edge["ref"], *edge.get("dependsOn", ())} - known
        found += [f"{ref} is referred to, and not listed" for ref in sorted(lost)]
    return found


def main(folder: str, lock: str) -> int:
    """Checks the list of the one wheel in the folder; 0 when nothing is wrong with it."""
    [wheel] = Path(folder).glob("*.whl")
    listed = taken(wheel)
    found = mistakes(listed, built(), checksums(Path(lock)))
    for mistake in found:
        sys.stderr.write(f"sbom: {mistake}\n")
    if not found:
        sys.stdout.write(
            f"{len(listed['components'])} crates: complete, locked, licensed; the list stands beside the wheel\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
