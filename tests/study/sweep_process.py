"""A sweep in a process of its own, for tests that kill it: store, log, number of runs, seconds a run."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from affinepieces.study.executors import processes
    from affinepieces.study.store import Store
    from affinepieces.study.sweep import sweep
    from study_measures import experiment, square

    store, log, count, seconds = sys.argv[1:]
    cases = experiment(square, int(count), log=log, seconds=float(seconds)).cases("quick")
    with processes(2) as pool:
        tally = sweep(cases, Store(store), pool)
    print(tally.found, tally.made, tally.failed, tally.left)
