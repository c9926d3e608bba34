"""Run the chapters again with other random numbers, and print every assert that then fails.

    python book/_tools/reseed.py                             all chapters, offsets 0 to 5
    python book/_tools/reseed.py --chapter 06 --offsets 1 2

Works on the checkout in which it lies, with the package in that checkout's src/.  Offset 0 is the control: the chapter
as it stands.  With any other offset each seed of NumPy, of torch and of the package gives other numbers, independent of
those of all other offsets; nothing else changes.  A failing assert is noted and the cell goes on, so one run finds
them all.  Exit status 1 if an assert failed or a chapter stopped.
"""
from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import traceback
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pages import BOOK, ROOT, chapters, code_cells

TIMEOUT = 3600  # seconds for one chapter
CHILD = "import sys, reseed; reseed.run(sys.argv[1], int(sys.argv[2]))"


# --- in the process that runs a chapter

class Collect(ast.NodeTransformer):
    """`assert left < right, message` becomes `__check__(left < right, line, lambda: (left, right))`."""

    def visit_Assert(self, node):
        test = node.test
        shown = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
        values = ast.parse("lambda: ()", mode="eval").body
        values.body = ast.Tuple(shown, ast.Load())
        call = ast.Call(ast.Name("__check__", ast.Load()), [test, ast.Constant(node.lineno), values], [])
        return ast.copy_location(ast.Expr(call), node)


def shift(offset, torch_too):
    """From now on every seed gives other numbers; offset 0 changes nothing."""
    import numpy as np

    if offset == 0:
        return
    plain_sequence, plain_rng = np.random.SeedSequence, np.random.default_rng

    class Sequence(plain_sequence):
        def __init__(self, entropy=None, *, spawn_key=(), **rest):
            super().__init__(entropy, spawn_key=(*spawn_key, offset), **rest)

    def default_rng(seed=None):
        ready = isinstance(seed, (np.random.Generator, np.random.BitGenerator, plain_sequence))
        return plain_rng(seed if ready else Sequence(seed))

    np.random.SeedSequence, np.random.default_rng = Sequence, default_rng
    if torch_too:
        shift_torch(lambda seed: int(Sequence(seed).generate_state(1, np.uint64)[0] >> 1))


def keep_stored_runs():
    """Runs of the study are named by their seeds, so that made again with other numbers they are other runs."""
    from affinepieces.study import replay

    replay.replayed = lambda *run: "not made again with other numbers"


def shift_torch(moved):
    import torch

    plain = torch.manual_seed

    class Generator(torch.Generator):
        def manual_seed(self, seed):
            return super().manual_seed(moved(seed))

    torch.Generator = Generator
    torch.manual_seed = lambda seed: plain(moved(seed))


def run(page, offset):
    """Execute a page and report to standard output, one JSON list a line; what the page prints is dropped."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    text = Path(page).read_text("utf8")
    shift(offset, "torch" in text)
    if offset and "replayed" in text:
        keep_stored_runs()

    seen = set()

    def emit(*event):
        if event not in seen:
            print(json.dumps(event), file=report, flush=True)
        seen.add(event)

    def check(passed, line, values):
        emit("seen", line)
        if not passed:
            emit("failed", line, ", ".join(short(value) for value in values()))

    names = {"__name__": "__main__", "__check__": check}
    for number, line, source in code_cells(text):
        emit("cell", number, line)
        try:
            tree = ast.increment_lineno(ast.parse(source, page), line - 1)
            exec(compile(ast.fix_missing_locations(Collect().visit(tree)), page, "exec"), names)
        except Exception as error:
            lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == page]
            emit("stopped", lines[-1] if lines else line, f"{type(error).__name__}: {error}")
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    emit("end", 0)


def short(value):
    return " ".join(repr(value).split())[:80]


# --- in the process that collects

def watch(job):
    """Run one page with one offset; the events that it reported, the last one an end or a stop."""
    page, offset = job
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-c", CHILD, str(page), str(offset)], cwd=page.parent, env=env,
                              capture_output=True, text=True, timeout=TIMEOUT)
        out, why = done.stdout, f"the process died in this cell, status {done.returncode}: {done.stderr[-300:].strip()}"
    except subprocess.TimeoutExpired as late:
        out, why = (late.stdout or b"").decode(), f"not ready after {TIMEOUT} s"
    events = [json.loads(line) for line in out.splitlines()]
    if not events or events[-1][0] != "end":
        events.append(["stopped", next((e[2] for e in reversed(events) if e[0] == "cell"), 1), why])
    failed = {e[1] for e in events if e[0] in ("failed", "stopped")}
    print(f"{page.stem}, offset {offset}: {len(failed) or 'nothing'} failed", file=sys.stderr, flush=True)
    return events


def findings(page, runs):
    """What failed on a page.  runs: offset -> events.  Line -> offset -> what it said there."""
    found = defaultdict(dict)
    for offset, events in runs.items():
        for kind, line, *said in events:
            if kind in ("failed", "stopped"):
                found[line].setdefault(offset, f"{'STOPPED, ' if kind == 'stopped' else ''}{said[0]}")
    return dict(sorted(found.items()))


def source_of(page, line):
    """(number of the cell, source of the statement) at a line of a page."""
    for number, first, source in code_cells(page.read_text("utf8")):
        if first <= line <= first + source.count("\n"):
            inner = [node for node in ast.walk(ast.parse(source))
                     if isinstance(node, ast.stmt) and node.lineno <= line - first + 1 <= node.end_lineno]
            last = min(inner, key=lambda node: node.end_lineno - node.lineno, default=None)
            return number, ast.get_source_segment(source, last) if last else ""
    return -1, ""


def show(page, runs):
    """Print the failures of a page and return their number."""
    asserts = {event[1] for events in runs.values() for event in events if event[0] == "seen"}
    found, shifted = findings(page, runs), [offset for offset in runs if offset]
    print(f"\n{page.stem}: {len(found)} failing, {len(asserts)} asserts")
    for line, said in found.items():
        number, source = source_of(page, line)
        control = ", and the control" if 0 in said else ""
        print(f"  {page.name}:{line}, cell {number}: {sum(map(bool, said))} of {len(shifted)}{control}")
        print("".join(f"    | {row}\n" for row in source.splitlines()), end="")
        print("".join(f"    offset {offset}: {words}\n" for offset, words in sorted(said.items())), end="")
    return len(found)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--chapter", nargs="+", default=[""], metavar="NAME", help="beginnings of names, as in 06")
    parser.add_argument("--offsets", nargs="+", type=int, default=[0, 1, 2, 3, 4, 5], metavar="N")
    parser.add_argument("--jobs", type=int, default=2, help="chapters side by side")
    chosen = parser.parse_args(arguments)
    pages = [page for page in chapters() if page.name.startswith(tuple(chosen.chapter))]
    if not pages:
        parser.error(f"no chapter of {BOOK} begins with {' or '.join(chosen.chapter)}")
    jobs = [(page, offset) for page in pages for offset in chosen.offsets]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        events = pool.map(watch, jobs)
        failing = sum(show(page, {offset: next(events) for offset in chosen.offsets}) for page in pages)
    print(f"\n{failing} failing in {len(pages)} chapters, offsets {' '.join(map(str, chosen.offsets))}")
    return int(failing > 0)


if __name__ == "__main__":
    sys.exit(main())
