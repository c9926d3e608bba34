"""What a sweep costs beside the runs themselves, and what a second worker saves."""
from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from affinepieces.study.executors import processes
from affinepieces.study.experiment import Experiment
from affinepieces.study.experiments import EXPERIMENTS
from affinepieces.study.store import Store
from affinepieces.study.sweep import sweep

BUSY, REAL, WARM = 0.1, 192, 16  # seconds of a busy run; real runs; runs of each worker before the clock starts


def busy(x: int, seconds: float) -> dict[str, int]:
    """A run that keeps a processor busy for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return {"square": x * x}


def runs(count: int, seconds: float) -> Experiment:
    """So many busy runs."""
    return Experiment("busy", "How long does nothing take?", busy,
                      {"quick": lambda: ({"x": x, "seconds": seconds} for x in range(count))})


def wall(experiment: Experiment, count: int, workers: int) -> float:
    """Seconds of a sweep of the first cases, the start of the workers and their compiled code left out."""
    preset = "quick" if "full" not in experiment.presets else "full"
    with tempfile.TemporaryDirectory() as folder, processes(workers) as pool:
        store, cases = Store(Path(folder)), experiment.cases(preset)
        sweep(islice(cases, WARM * workers), store, pool)
        begin = time.perf_counter()
        sweep(islice(cases, count), store, pool, total=count)
        return time.perf_counter() - begin


def memory(count: int) -> dict[str, float]:
    """Seconds and peak memory (MB) of the process that sweeps so many tiny runs, the worker's not counted."""
    code = f"import sweeps, json; print(json.dumps(sweeps.tiny({count})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True,
                          cwd=Path(__file__).parent)
    seconds, kilobytes = done.stdout.strip("[]\n").split(",")
    return {"seconds": float(seconds), "mb": float(kilobytes) / 1024}


def tiny(count: int) -> tuple[float, int]:
    """Seconds, and peak memory in kB (Linux), of this process after sweeping so many runs that do nothing."""
    seconds = wall(runs(count + WARM, 0.0), count, 1)
    status = Path("/proc/self/status").read_text("utf8")  # ru_maxrss would begin with that of the parent
    return seconds, int(status.partition("VmHWM:")[2].split()[0])


def measure() -> dict[str, object]:
    """overhead: share of the time of runs of 0.1 s; sweeps of 1 and 2 workers; memory of 10^4 and 10^5 tiny runs."""
    count = 100
    real = {name: {workers: wall(EXPERIMENTS[name], REAL, workers) for workers in (1, 2)}
            for name in ("precision", "training")}
    return {"overhead": wall(runs(count + WARM, BUSY), count, 1) / (count * BUSY) - 1, "runs": REAL, "seconds": real,
            "tiny": {n: memory(n) for n in (10**4, 10**5)}}


def show(found: dict) -> None:
    print(f"sweep overhead, runs of {BUSY} s: {found['overhead']:.1%}")
    for name, seconds in found["seconds"].items():
        print(f"{found['runs']} runs of {name}: {seconds[1]:.1f} s, two workers {seconds[2]:.1f} s, "
              f"{seconds[1] / seconds[2]:.2f} times")
    for count, row in found["tiny"].items():
        print(f"{count} tiny runs: {row['seconds']:.0f} s, {row['mb']:.0f} MB")
