"""Many runs, each made once: on the processors of this machine, or wherever an executor sends them."""
from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from affinepieces._interrupts import deferred
from affinepieces.study.experiment import Case, Result, canonical
from affinepieces.study.provenance import provenance
from affinepieces.study.store import Record, Store

Outcome = tuple[Result | None, str | None, dict[str, Any]]
AHEAD = 64  # runs that wait in the executor, so that no worker does


@dataclass
class Tally:
    """How many runs there were: found in the store, made now, failed now, and left when the sweep was interrupted."""

    found: int = 0
    made: int = 0
    failed: int = 0
    left: int = 0


def sweep(cases: Iterable[Case], store: Store, executor: Executor, *, retry: bool = False, total: int | None = None,
          ahead: int = AHEAD) -> Tally:
    """Make the runs that the store does not hold, and keep each as soon as it has ended.

    A run that raises is kept too, with its traceback; retry=True makes such runs again.  An interrupt from the
    keyboard lets the runs at work end and keeps them; the same call goes on where it stopped.  total: how many cases
    there are, for the progress bar.  ahead: how many runs the executor holds; memory does not grow with their number.
    Raises BlockingIOError if another sweep is at work on the store, OSError where records cannot be written, and
    BrokenExecutor if workers die; what was made before is kept in each case.
    """
    tally, rest = Tally(), iter(cases)
    pending: dict[Future[Outcome], Case] = {}
    with store.locked(), deferred() as stop, tqdm(total=total, unit="run", smoothing=0.05, delay=1) as bar:
        try:
            while True:
                while len(pending) < ahead and not stop.asked and (case := next(rest, None)) is not None:
                    held = store.get(case)
                    if held is not None and (held.failure is None or not retry):
                        tally.found += 1
                        bar.update()
                        continue
                    pending[executor.submit(attempt, case.experiment.measure, dict(case.settings))] = case
                if not pending:
                    break
                done, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    _keep(future, pending.pop(future), store, tally)
                    bar.update()
                if stop.asked:
                    for future in [f for f in pending if f.cancel()]:
                        del pending[future]
                        tally.left += 1
        except BrokenExecutor as error:
            raise BrokenExecutor(f"a worker died: {error}; {tally.made} runs were made and kept, the same call goes "
                                 "on with the others") from error
        finally:
            for future in pending:
                future.cancel()
        tally.left += sum(1 for _ in rest) if stop.asked else 0
    return tally


def attempt(measure: Callable[..., Result], settings: dict[str, Any]) -> Outcome:
    """What a worker does: the result or the failure of one run, and where it comes from."""
    begin = time.perf_counter()
    result: Result | None = None
    failure = None
    try:
        result = measure(**settings)
        canonical(result)
        if both := settings.keys() & result.keys():
            raise ValueError(f"the result names {', '.join(sorted(both))} like a setting: give it another name, "
                             "because both are columns of the same summary")
    except Exception:
        result, failure = None, traceback.format_exc()
    return result, failure, provenance() | {"seconds": round(time.perf_counter() - begin, 6)}


def _keep(future: Future[Outcome], case: Case, store: Store, tally: Tally) -> None:
    result, failure, origin = future.result()
    store.put(Record.of(case, result, failure, origin))
    tally.made += failure is None
    tally.failed += failure is not None
