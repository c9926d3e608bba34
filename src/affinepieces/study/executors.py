"""Who makes the runs: processes on this machine, or a Dask cluster."""
from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partialmethod
from threading import Thread

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from affinepieces._extras import wanted
from affinepieces.arguments import integer, refuse


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """Processes on this machine, one thread each.  workers: None, one for each processor."""
    count = integer(available() if workers is None else workers, "workers", 1)
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _prepare)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """A Dask cluster: the address of its scheduler, or "local:2" for one of two processes on this machine.

    A worker that dies is replaced, and its runs are made by others.
    """
    with wanted("cluster"):
        from distributed import Client, LocalCluster
    kind, _, number = address.partition(":")
    if kind != "local":
        with Client(address) as client:
            yield client.get_executor(pure=False)
        return
    if not number.isdecimal() or int(number) < 1:
        refuse("address", address, "local:2, or the address of a scheduler such as tcp://10.0.0.1:8786",
                   kind=ValueError)
    with (LocalCluster(n_workers=int(number), threads_per_worker=1, dashboard_address=None) as cluster,
          Client(cluster) as client):
        client.run(_one_of_many)
        yield client.get_executor(pure=False)


def available() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare() -> None:
    """In each process: interrupts are the sweep's business, and nobody works on when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _one_of_many()
    Thread(target=_end_with_parent, daemon=True).start()


def _one_of_many() -> None:
    """One thread, and no progress bars beside that of the sweep."""
    threadpool_limits(1)
    tqdm.__init__ = partialmethod(tqdm.__init__, disable=True)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
