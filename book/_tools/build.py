"""Run the chapters side by side into the cache, then build the pages; warnings are errors.

The cache knows a chapter by its code, not by the package that it imports, so the cache is dropped
when src/ or the pins change.
"""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from assets import fetch
from notebooks import ROOT, chapters

BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"
STAMP = BUILD / ".package"
BIN = Path(sys.executable).parent


def drop_stale() -> None:
    digest = hashlib.sha256()
    for file in [*sorted((ROOT / "src").rglob("*.py")), ROOT / "requirements.txt"]:
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    if not STAMP.exists() or STAMP.read_text() != digest.hexdigest():
        for folder in (CACHE, BUILD / ".doctrees", BUILD / "html"):
            shutil.rmtree(folder, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    STAMP.write_text(digest.hexdigest())


def main() -> int:
    fetch()
    drop_stale()
    env = {**os.environ, "AFFINEPIECES_FRAMES": "1", "OMP_NUM_THREADS": "1", "NO_COLOR": "1",
           "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([BIN / "jcache", "notebook", "-p", CACHE, "add", "-r", "myst_nb_md", *chapters()], check=True,
                   cwd=ROOT, env=env, input=b"y\n", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([BIN / "jcache", "project", "-p", CACHE, "execute", "-e", "local-parallel", "-t", "300"],
                   check=True, cwd=ROOT, env=env)
    done = subprocess.run([BIN / "jupyter-book", "build", ".", "-W", "-n", "--keep-going", "-q"], cwd=ROOT, env=env)
    if done.returncode == 0:
        print(f"\nThe book: {(BUILD / 'html' / 'index.html').as_uri()}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
