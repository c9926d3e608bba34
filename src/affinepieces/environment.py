"""Is the processor in the mode that proofs need?  Libraries switch it, for the thread that loads or calls them."""
from __future__ import annotations

import os
from functools import cache
from struct import unpack

SUBNORMAL = unpack("<d", (1).to_bytes(8, "little"))[0]  # the smallest positive float64, from bits: nothing computed
SMALLEST_NORMAL = 2.0**-1022
UP, DOWN = 2.0**-54, 3 * 2.0**-54  # 1 + UP is above 1, and 1 + DOWN is 1, only where sums are not rounded to nearest
SIZE = 128  # matrices from about 64 rows on are multiplied by several threads


def check() -> None:
    """Raise FloatingPointError unless this thread keeps subnormal numbers and rounds to nearest.

    The processor's mode belongs to a thread: call this in the thread that computes, at every entry, because another
    library may change the mode between two calls.  It costs about a tenth of a microsecond.

    >>> check()
    """
    if SUBNORMAL * 2.0 == 0.0:
        raise FloatingPointError(_flushed())
    if 1.0 + UP != 1.0 or 1.0 + DOWN == 1.0:
        raise FloatingPointError(
            "this thread does not round to the nearest number: every bound and every proof here rests on that; "
            "set the direction back, in C with fesetround(FE_TONEAREST), or find the library that changed it")
    _check_linear_algebra()


@cache
def _check_linear_algebra() -> None:
    """The same for the threads of numpy's linear algebra, which keep the mode in which they were started."""
    import numpy as np

    if not np.all(np.full((SIZE, SIZE), SUBNORMAL) @ (np.eye(SIZE) * 2.0**100)):
        raise FloatingPointError(
            "the threads of numpy's linear algebra flush subnormal numbers to zero: flush-to-zero was switched on when "
            "numpy was imported, and they keep it; import numpy before the library that switches it on, or set "
            "OPENBLAS_NUM_THREADS=1, in a new process")


if hasattr(os, "register_at_fork"):  # a forked process starts these threads anew
    os.register_at_fork(after_in_child=_check_linear_algebra.cache_clear)


def _flushed() -> str:
    """What is switched on, why it matters, and the remedy."""
    inputs = "denormals-are-zero" if SUBNORMAL * 2.0**100 == 0.0 else ""
    results = "flush-to-zero" if SMALLEST_NORMAL * 0.5 == 0.0 else ""
    both = " and ".join(filter(None, [results, inputs]))
    return (f"{both} switched on in this thread: numbers below 2**-1022 (in float32 below 2**-126) become zero, so "
            "that nothing computed here would be proved; switch it off with torch.set_flush_denormal(False) in this "
            "thread, or find the library that switched it on: those built with -ffast-math do so when they are loaded, "
            "and new threads inherit it")
