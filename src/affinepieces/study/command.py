"""affinepieces study run | status | summarise | show."""
from __future__ import annotations

import argparse
import sys
from concurrent.futures import BrokenExecutor, Executor
from contextlib import AbstractContextManager
from pathlib import Path

from affinepieces.study.executors import dask, processes
from affinepieces.study.experiment import PRESETS, Experiment
from affinepieces.study.experiments import EXPERIMENTS
from affinepieces.study.store import Store
from affinepieces.study.summaries import Summary
from affinepieces.study.sweep import Tally, sweep


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `study` to those of the package."""
    study = commands.add_parser("study", help="make, follow and summarise the numerical study")
    parts = study.add_subparsers(dest="part", required=True)
    for name, what, call in (("run", "make the runs that are missing", run), ("status", "what the store holds", status),
                             ("summarise", "write a Parquet file for each experiment", summarise),
                             ("show", "print what an experiment asks and has found", show)):
        part = parts.add_parser(name, help=what)
        part.add_argument("--preset", choices=PRESETS, default="quick")
        part.add_argument("--only", metavar="NAME", action="append", choices=list(EXPERIMENTS),
                          help=f"one of {', '.join(EXPERIMENTS)}; can be given several times")
        part.add_argument("--store", metavar="FOLDER", type=Path, help="default: _study/PRESET")
        part.set_defaults(call=call)
        if name == "run":
            part.add_argument("--workers", metavar="N", type=int, help="processes; default: one for each processor")
            part.add_argument("--dask", metavar="ADDRESS", help="a scheduler, or local:2")
            part.add_argument("--retry", action="store_true", help="make runs that failed again")
        if name == "summarise":
            part.add_argument("--to", metavar="FOLDER", type=Path, default=Path("results/study"))


def run(given: argparse.Namespace) -> int:
    """Make the missing runs, experiment after experiment; 0 if all are made, 1 if some failed, 130 if interrupted."""
    total, store = Tally(), _store(given)
    executor: AbstractContextManager[Executor] = dask(given.dask) if given.dask else processes(given.workers)
    try:
        with executor as workers:
            for experiment in _chosen(given):
                print(f"{experiment.name}: {experiment.question}", file=sys.stderr)
                count = sum(1 for _ in experiment.cases(given.preset))
                done = sweep(experiment.cases(given.preset), store, workers, retry=given.retry, total=count)
                total = Tally(*(a + b for a, b in zip(vars(total).values(), vars(done).values(), strict=True)))
                if done.left:
                    break
    except (OSError, BrokenExecutor) as error:
        print(f"stopped: {error}", file=sys.stderr)
        return 2
    print(f"{total.found} runs were there, {total.made} made, {total.failed} failed")
    if total.left:
        print("interrupted: the same command goes on")
        return 130
    return int(total.failed > 0)


def status(given: argparse.Namespace) -> int:
    """How many runs of each experiment are there."""
    store = _store(given)
    for experiment in _chosen(given):
        records = [store.get(case) for case in experiment.cases(given.preset)]
        there = [r for r in records if r is not None]
        failed = [r for r in there if r.failure]
        print(f"{experiment.name:16} {len(there):6} of {len(records)} runs, {len(failed)} failed")
        for record in failed[:3]:
            print(f"    {record.settings}: {(record.failure or '').splitlines()[-1]}")
    return 0


def summarise(given: argparse.Namespace) -> int:
    """Write the summaries of the runs of a preset."""
    store = _store(given)
    given.to.mkdir(parents=True, exist_ok=True)
    for experiment in _chosen(given):
        found = _summary(experiment, store, given.preset)
        if len(found):
            path = given.to / f"{experiment.name}.parquet"
            found.save(path)
            print(f"{path}: {len(found)} runs, {path.stat().st_size / 1024:.0f} KiB")
    return 0


def show(given: argparse.Namespace) -> int:
    """The question of each experiment, its settings, and the median of each number among its results."""
    store = _store(given)
    for experiment in _chosen(given):
        found = _summary(experiment, store, given.preset)
        print(f"{experiment.name}: {experiment.question}")
        print(f"    {len(found)} runs, {found.provenance['failed']} failed, {found.provenance['seconds']} s")
        for name, column in found.columns.items():
            numbers = sorted(v for v in column if isinstance(v, int | float))
            if numbers and name != "seed":
                print(f"    {name}: {numbers[0]:.4g} to {numbers[-1]:.4g}, median {numbers[len(numbers) // 2]:.4g}")
    return 0


def _chosen(given: argparse.Namespace) -> list[Experiment]:
    return [EXPERIMENTS[name] for name in given.only or EXPERIMENTS]


def _store(given: argparse.Namespace) -> Store:
    return Store(given.store or Path("_study") / given.preset)


def _summary(experiment: Experiment, store: Store, preset: str) -> Summary:
    records = map(store.get, experiment.cases(preset))
    return Summary.of(record for record in records if record is not None)

