"""Run the chapters that need it side by side, then make all pages afresh; warnings are errors.

Pages are always made afresh, in seconds: Sphinx does not know what its directives and the chapters read.
"""
from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from assets import fetch
from execute import Runs
from pages import ROOT, chapters, conflicts

BUILD = ROOT / "_build"


def main() -> int:
    if found := conflicts():
        sys.exit("\n".join(found))
    fetch()
    began = time.time()
    if failures := asyncio.run(Runs().update(chapters(), jobs=os.cpu_count() or 1)):
        sys.exit("\n\n".join(map(str, failures)))
    for folder in (BUILD / ".doctrees", BUILD / "html"):
        shutil.rmtree(folder, ignore_errors=True)
    sphinx = Path(sys.executable).parent / "jupyter-book"
    done = subprocess.run([sphinx, "build", ".", "-W", "-n", "--keep-going", "-q"], cwd=ROOT,
                          env={**os.environ, "NO_COLOR": "1", "AFFINEPIECES_BUILD_BEGAN": str(began)})
    if done.returncode == 0:
        print(f"\nThe book: {(BUILD / 'html' / 'index.html').as_uri()}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
