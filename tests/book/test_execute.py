"""Chapters that fail, die or hang are reported with their cell; kept runs depend on all that was read."""
import asyncio
import json
import os
import shutil
import time

import pytest

import execute
from book.chapters import repository
from pages import BOOK

FAILING = {
    "an error": ("1 / 0", "ZeroDivisionError: division by zero"),
    "an assert": ("assert 1 > 2, 'not so'", "AssertionError: not so"),
    "an exit of the process": ("import os; os._exit(3)", "the kernel died, exit status 3"),
    "a lack of memory": ("import os; os.kill(os.getpid(), 9)", "the kernel died, signal 9, as when memory runs out"),
    "a crash": ("import ctypes; ctypes.string_at(0)", "the kernel died, signal 11"),
}


def run(page, timeout=300):
    return asyncio.run(execute.execute(page, page.parents[1], timeout))


def outputs(notebook):
    return [out.text for cell in notebook.cells for out in cell.get("outputs", [])]


@pytest.mark.parametrize(("code", "why"), FAILING.values(), ids=FAILING)
def test_a_failing_cell_is_named(tmp_path, code, why):
    [page] = repository(tmp_path, a=["x = 1", f"x\n{code}", "x = 2"])
    begin = time.monotonic()
    with pytest.raises(execute.ChapterError) as caught:
        run(page)
    assert time.monotonic() - begin < 30
    line = page.read_text("utf8").splitlines().index("x") + 1
    assert str(caught.value).startswith(f"a.md:{line}, cell 1\n    | x\n    | {code}\n")
    assert str(caught.value).endswith(why)
    assert caught.value.cell == 1


def test_a_cell_that_hangs_is_named(tmp_path):
    [page] = repository(tmp_path, a=["x = 1", "import time; time.sleep(1000)"])
    with pytest.raises(execute.ChapterError, match=r"cell 1\n    \| import time.*\nthe cell was not ready after 2 s"):
        run(page, timeout=2)


@pytest.fixture
def data(tmp_path):
    """A chapter, a.md, that reads in all ways, with what it reads, and another one, b.md, that reads nothing."""
    files = {"data/number.txt": "5", "data/late.txt": "6", "src/own.py": "value = 7\n", "data/other.txt": "8"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf8")
    a, b = repository(tmp_path, b=["print(0)"], a=[
        "import subprocess, sys\nsys.path.insert(0, '../src')\nimport own\nprint(own.value)",
        "print(open('../data/number.txt').read())",
        "print(subprocess.run([sys.executable, '-c', 'print(open(\"../data/late.txt\").read())'], text=True,\n"
        "                     capture_output=True).stdout)",
        "try:\n    print(open('../data/none.txt').read())\nexcept OSError:\n    print('none')",
        "open('../written.txt', 'w').write('x');"])[::-1]
    past = time.time() - 100
    for file in tmp_path.rglob("*.*"):
        os.utime(file, (past, past))
    return a, b


def update(*pages):
    runs = execute.Runs(pages[0].parents[1])
    before = [runs.kept(page) for page in pages]
    assert asyncio.run(runs.update(pages, jobs=2)) == []
    return [then is None for then in before], [outputs(runs.kept(page)) for page in pages]


def test_a_run_is_kept_until_something_that_it_read_changes(data, capfd):
    a, root = data[0], data[0].parents[1]
    assert update(*data) == ([True, True], [["7\n", "5\n", "6\n\n", "none\n"], ["0\n"]])
    assert "running a.md" in capfd.readouterr().out
    assert update(*data)[0] == [False, False]
    changes = {"data/number.txt": "55", "data/late.txt": "66", "src/own.py": "value = 77\n", "data/none.txt": "some"}
    for name, content in changes.items():
        (root / name).write_text(content, "utf8")
        os.utime(root / name, (1, 1))  # contents count, not times
        assert update(*data)[0] == [True, False], name
    assert update(*data) == ([False, False], [["77\n", "55\n", "66\n\n", "some\n"], ["0\n"]])
    (root / "data" / "other.txt").write_text("88", "utf8")
    (root / "written.txt").write_text("y", "utf8")
    assert update(*data)[0] == [False, False]
    a.write_text(a.read_text("utf8").replace("print(own.value)", "print(-own.value)"), "utf8")
    assert update(*data)[0] == [True, False]


def test_a_page_shows_the_results_of_today(tmp_path):
    for name in ("book/speed.md", "results/bench.json"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(BOOK.parent / name, tmp_path / name)
    page, results = tmp_path / "book" / "speed.md", tmp_path / "results" / "bench.json"
    page.write_text(page.read_text("utf8").split("\n## ")[0], "utf8")  # what it asserts is its own matter
    machine = json.loads(results.read_text("utf8"))["machine"]
    runs = execute.Runs(tmp_path)
    for name in (machine, "An abacus"):
        results.write_text(results.read_text("utf8").replace(machine, name), "utf8")
        os.utime(results, (1, 1))
        assert asyncio.run(runs.update([page], jobs=1)) == []
        assert name in str(runs.kept(page))
    assert machine not in str(runs.kept(page))


def test_a_run_depends_on_the_installed_packages(tmp_path, monkeypatch):
    pages = repository(tmp_path, a=["print(1)"])
    assert update(*pages)[0] == [True]
    monkeypatch.setattr(execute, "conditions", lambda: "another NumPy")
    assert update(*pages)[0] == [True]
    assert update(*pages)[0] == [False]


def test_what_changes_during_the_run_makes_it_old(tmp_path):
    pages = repository(tmp_path, a=["from pathlib import Path\nfile = Path('../data.txt')\nprint(file.read_text())",
                                    "file.write_text('new');"])
    (tmp_path / "data.txt").write_text("old", "utf8")
    runs = execute.Runs(tmp_path)
    asyncio.run(runs.update(pages, jobs=1))
    assert runs.kept(pages[0]) is None


def test_all_failures_are_reported_and_the_others_kept(tmp_path):
    pages = repository(tmp_path, a=["1 / 0"], b=["print(1)"], c=["import os; os._exit(1)"])
    runs = execute.Runs(tmp_path)
    errors = asyncio.run(runs.update(pages, jobs=2))
    assert [str(error).split(",")[0].split(":")[0] for error in errors] == ["a.md", "c.md"]
    assert [runs.kept(page) is None for page in pages] == [True, False, True]


def test_runs_without_a_record_of_what_they_read_do_not_serve(tmp_path):
    [page] = repository(tmp_path, a=["print(1)"])
    runs = execute.Runs(tmp_path)
    done = run(page)
    runs.keep(page, execute.Run(done.notebook, {}, done.seconds))
    assert runs.kept(page) is None


def test_a_kernel_that_notes_nothing_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="does its Python ignore PYTHONPATH"):
        execute.digests(tmp_path / "reads", tmp_path, 0)


def test_a_broken_cache_says_so(tmp_path):
    [page] = repository(tmp_path, a=["print(1)"])
    folder = tmp_path / "_build" / ".jupyter_cache"
    folder.mkdir(parents=True)
    (folder / "global.db").write_text("no database", "utf8")
    with pytest.raises(Exception, match="file is not a database"):
        execute.Runs(tmp_path).kept(page)
