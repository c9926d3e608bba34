"""How long something takes."""
from __future__ import annotations

import time
from collections.abc import Callable


def best(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Fastest of at least three runs, in seconds."""
    work()
    times: list[float] = []
    start = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)
