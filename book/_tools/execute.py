"""Run chapters, each in a kernel of its own, and keep the runs for the pages and the tests.

A kept run serves as long as nothing that it depended on has changed: the code of the chapter, every file of the
repository that was opened while it ran, modules of the package and data alike, Python and the installed packages.
`recorder/sitecustomize.py` notes what is opened, so nobody has to keep a list of it.
"""
from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from importlib.util import source_from_cache
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import myst_nb_reader_plugin
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from pages import ROOT, code_cells

TOOLS = Path(__file__).parent
RECORDER = TOOLS / "recorder"
CELL_TIMEOUT = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["execute"]["timeout"]  # seconds


class ChapterError(Exception):
    """A cell failed; the text says which one, its source, and why."""

    def __init__(self, page: Path, cell: int, why: str) -> None:
        _, line, source = list(code_cells(page.read_text("utf8")))[cell]
        body = "".join(f"    | {row}\n" for row in source.splitlines())
        super().__init__(f"{page.name}:{line}, cell {cell}\n{body}{why}")
        self.cell = cell


@dataclass(frozen=True)
class Run:
    """An executed chapter.  reads: what the run depended on, see `Runs.keep`."""

    notebook: NotebookNode
    reads: dict[str, str | None]
    seconds: float


class Watched(NotebookClient):
    """Knows the cell that runs, its number among the code cells, and the process that runs it."""

    cell, number, process = None, -1, None

    async def async_execute_cell(self, cell, cell_index, **rest):
        if cell.cell_type == "code":
            self.cell, self.number, self.process = cell, self.number + 1, self.km.provisioner.process
        return await super().async_execute_cell(cell, cell_index, **rest)


async def execute(page: Path, root: Path = ROOT, timeout: float = CELL_TIMEOUT) -> Run:
    """Run a chapter as the book build does, every slider at all its values.

    timeout: seconds that a cell may take.  Raises ChapterError when a cell fails, takes longer, or ends its kernel.
    """
    with tempfile.TemporaryDirectory() as folder:
        log, begin = Path(folder, "reads"), time.time()
        client = Watched(myst_nb_reader_plugin(str(page)), timeout=timeout, shutdown_kernel="immediate",
                         iopub_timeout=60, raise_on_iopub_timeout=True, record_timing=False,
                         extra_arguments=["--IPKernelApp.log_level=ERROR"])
        try:
            notebook = await client.async_execute(cwd=str(page.parent), env=environment(root, log))
        except CellExecutionError:
            why = "\n".join(next(out for out in client.cell.outputs if out.output_type == "error").traceback)
        except CellTimeoutError:
            why = f"the cell was not ready after {timeout} s"
        except DeadKernelError:
            why = f"the kernel died, {ending(client.process.returncode)}"
        else:
            return Run(notebook, digests(log, root, begin), time.time() - begin)
        raise ChapterError(page, client.number, plain(why).strip())


def environment(root: Path, log: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(RECORDER), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "AFFINEPIECES_ROOT": str(root), "AFFINEPIECES_READS": str(log),
            "AFFINEPIECES_FRAMES": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def ending(status: int) -> str:
    killed = status == -signal.SIGKILL
    return f"signal {-status}{', as when memory runs out' * killed}" if status < 0 else f"exit status {status}"


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# --- what a run depends on

def digests(log: Path, root: Path, begin: float) -> dict[str, str | None]:
    """File -> digest of its content (None: there is no such file) for the files in the log of the recorder."""
    if not log.exists():
        raise RuntimeError(f"the kernel did not load {RECORDER}/sitecustomize.py: does its Python ignore PYTHONPATH?")
    made = (Path(sys.prefix), root / ".venv", root / "_build")
    files = {source(Path(line)) for line in log.read_text("utf8").splitlines()}
    kept = sorted(file for file in files if "__pycache__" not in file.parts and not any(map(file.is_relative_to, made)))
    return {os.path.relpath(file, root): digest(file, begin) for file in kept} | {"conditions": conditions()}


def source(file: Path) -> Path:
    return Path(source_from_cache(file)) if file.suffix == ".pyc" else file


def digest(file: Path, begin: float = float("inf")) -> str | None:
    """begin: when the run began; what was written later may have been read before."""
    if not file.is_file():
        return None
    changed = file.stat().st_mtime > begin
    return "changed during the run" if changed else hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def conditions() -> str:
    """Digest of Python, of the installed packages and of this way to run chapters."""
    packages = sorted(f"{package.name} {package.version}" for package in distributions())
    return hashlib.sha256("\n".join([sys.version, *packages, Path(__file__).read_text("utf8")]).encode()).hexdigest()


class Runs:
    """The kept runs of a repository, in the cache from which its pages are made."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root, self.cache = root, get_cache(root / "_build" / ".jupyter_cache")

    def kept(self, page: Path) -> NotebookNode | None:
        """The run of the chapter as it stands, or None if there is none or if it is out of date."""
        try:
            record = self.cache.match_cache_notebook(myst_nb_reader_plugin(str(page)))
            notebook = self.cache.get_cache_bundle(record.pk).nb
        except KeyError:
            return None
        reads = dict(record.data.get("reads", {}))
        fresh = reads.pop("conditions", None) == conditions()
        fresh = fresh and all(digest(self.root / file) == was for file, was in reads.items())
        return notebook if fresh else None

    def keep(self, page: Path, run: Run) -> None:
        data = {"execution_seconds": run.seconds, "reads": run.reads}
        self.cache.cache_notebook_bundle(CacheBundleIn(run.notebook, str(page), data=data), overwrite=True)

    async def update(self, pages: list[Path], jobs: int) -> list[ChapterError]:
        """Run those chapters that have no run to serve, `jobs` side by side; the errors of those that fail."""
        turn = asyncio.Semaphore(jobs)

        async def one(page: Path) -> ChapterError | None:
            async with turn:
                print(f"running {page.name}", flush=True)
                try:
                    self.keep(page, await execute(page, self.root))
                except ChapterError as error:
                    return error

        results = await asyncio.gather(*(one(page) for page in pages if self.kept(page) is None))
        return [error for error in results if error]
