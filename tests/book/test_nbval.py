"""A notebook that was run shows the same when it runs again: strict nbval, as a reader would call it, always passes."""
import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from book.browser import ROOT

pytest.importorskip("nbval")
CELLS = ("import affinepieces as ap\nfrom affinepieces import figures\nimport matplotlib.pyplot as plt\n"
         "figures.use_style()\nfig, ax = plt.subplots()\nlines = ax.plot([0, 1], [1, 0])",
         "def draw(n):\n    fig, ax = plt.subplots()\n    ax.plot([0, n], label=f'{n}')\n    return fig\n\n"
         "ap.explore(draw, n=[1, 2], labels={'n': 'n'}, alt='A line')",
         "ap.Playground('collapse')",
         "print(ap.count_pieces(ap.constructions.sawtooth(5), ap.Segment(0, 1)))")


def test_twice_in_a_row(tmp_path):
    quiet = {**os.environ, "TQDM_DISABLE": "1", "AFFINEPIECES_QUIET": "1"}
    notebook, path = nbformat.v4.new_notebook(), tmp_path / "a.ipynb"
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    NotebookClient(notebook, timeout=300).execute(cwd=str(tmp_path), env=quiet)
    assert "image/svg+xml" in str(notebook.cells[0].outputs)
    nbformat.write(notebook, path)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-m", "pytest", "--nbval", path, "-p", "no:cacheprovider", "-q",
                               "-c", ROOT / "pyproject.toml"], cwd=tmp_path, env=quiet, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]
