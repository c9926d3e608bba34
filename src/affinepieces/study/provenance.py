"""Where a result comes from: versions, commit, processor."""
from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import affinepieces

PACKAGES = ("numpy", "numba", "python-flint", "scikit-learn")


@cache
def provenance() -> dict[str, Any]:
    """What is the same for all runs of this process."""
    return {"affinepieces": affinepieces.__version__, "commit": commit(), "python": sys.version.split()[0],
            "processor": processor(), "numerics": numerics(), "system": f"{platform.system()} {platform.machine()}",
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


@cache
def numerics() -> str:
    """The same on two machines if numpy's sums, products and functions of a few thousand numbers agree to the last bit.

    They need not: numpy and its linear algebra choose other code, and another order of sums, on other processors.
    """
    rng, seen = np.random.default_rng(0), hashlib.sha256()
    with threadpool_limits(1):
        for dtype in (np.float64, np.float32):
            for rows, inner, columns in ((64, 64, 64), (1000, 64, 32), (50, 33, 10), (32, 1, 16), (32, 2, 2)):
                a: NDArray[Any] = rng.standard_normal((rows, inner)).astype(dtype)
                b: NDArray[Any] = rng.standard_normal((inner, columns)).astype(dtype)
                for values in (a @ b, np.exp(a), np.sin(a), np.log2(np.abs(a)), np.tanh(a), a.sum(0), a.mean(1)):
                    seen.update(np.ascontiguousarray(values).tobytes())
    return seen.hexdigest()[:16]


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
