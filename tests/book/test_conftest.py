"""Chapters under pytest: each cell is a test, and a kernel that dies keeps nobody waiting."""
import asyncio
import re
import subprocess
import sys

import pytest

import execute
from book.chapters import repository, with_tools


def run_pytest(root, *arguments):
    """What pytest prints, and (outcome, test) of each test."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rA", *arguments], cwd=root, capture_output=True,
                          text=True, timeout=execute.CELL_TIMEOUT - 50)  # nobody waited for that one
    return done.stdout, re.findall(r"^(PASSED|FAILED|ERROR) book/(\w+\.md::Cell \d)", done.stdout, re.M)


@pytest.mark.parametrize("arguments", [["book/a.md"], ["book", "-n", "2", "--dist", "loadfile"]],
                         ids=["one chapter", "all side by side"])
def test_a_kernel_dies(tmp_path, arguments):
    with_tools(tmp_path)
    repository(tmp_path, a=["x = 1", "import os\nos._exit(5)", "x = 2"], b=["x = 3"])
    out, tests = run_pytest(tmp_path, *arguments)
    assert set(tests) - {("PASSED", "b.md::Cell 0")} == {("PASSED", "a.md::Cell 0"), ("FAILED", "a.md::Cell 1")}
    assert "a.md:19, cell 1\n    | import os\n    | os._exit(5)\nthe kernel died, exit status 5" in out
    assert "cell 1 failed" in out


def test_a_kept_run_serves_if_nothing_changed(tmp_path):
    with_tools(tmp_path)
    pages = repository(tmp_path, a=["assert open('../n.txt').read() == '1'"])
    (tmp_path / "n.txt").write_text("1", "utf8")
    run = asyncio.run(execute.execute(pages[0], tmp_path))
    execute.Runs(tmp_path).keep(pages[0], run)
    for n, outcome in (("2", "FAILED"), ("1", "PASSED")):
        (tmp_path / "n.txt").write_text(n, "utf8")
        assert run_pytest(tmp_path, "book/a.md", "--book-cache")[1] == [(outcome, "a.md::Cell 0")]
