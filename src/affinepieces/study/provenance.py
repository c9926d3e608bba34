"""Where a result comes from: versions, commit, processor."""
from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import affinepieces

PACKAGES = ("numpy", "numba", "python-flint", "scikit-learn")


@cache
def provenance() -> dict[str, Any]:
    """What is the same for all runs of this process."""
    return {"affinepieces": affinepieces.__version__, "commit": commit(), "python": sys.version.split()[0],
            "processor": processor(), "system": f"{platform.system()} {platform.machine()}",
            **{name: _version(name) for name in PACKAGES}}


def commit() -> str | None:
    """Of the checkout that the package runs from, with a + where files of the package differ; None outside of one."""
    here = Path(affinepieces.__file__).parent
    try:
        def ask(*words: str) -> str:
            return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True,
                                  timeout=10).stdout.strip()

        return ask("rev-parse", "HEAD") + ("+" if ask("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def processor() -> str:
    """The name that the processor gives itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
