"""make reseed: offset 0 changes no number, another offset all of them, and every failing assert is printed once."""
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import affinepieces as ap
from book.chapters import repository, with_tools

SRC = str(Path(ap.__file__).parents[1])
NET = ap.constructions.he_random([1, 2, 1], np.random.default_rng(0), bias_std=1.0)
IMPORTS = "import numpy as np\nimport torch\nimport affinepieces as ap"
RUN = ("ap.Run(ap.constructions.sawtooth(1), np.ones((1, 1)), np.ones((1, 1)), 0.5, 1, record=[1], seed=2, "
       "noise=ap.Perturbed(1.0)).generator(0).random()")
DRAWS = {  # expression -> its value without an offset
    "np.random.default_rng(7).random()": np.random.default_rng(7).random(),
    "np.random.default_rng([7, 8]).random()": np.random.default_rng([7, 8]).random(),
    "np.random.default_rng(np.random.SeedSequence(7)).random()": np.random.default_rng(7).random(),
    "np.random.default_rng(np.random.default_rng(7)).random()": np.random.default_rng(7).random(),
    "np.random.default_rng(7).spawn(1)[0].random()": np.random.default_rng(7).spawn(1)[0].random(),
    "torch.rand(1, generator=torch.Generator().manual_seed(7)).item()":
        torch.rand(1, generator=torch.Generator().manual_seed(7)).item(),
    "(torch.manual_seed(7), torch.rand(1).item())[1]": (torch.manual_seed(7), torch.rand(1).item())[1],
    "float(ap.round_to(np.linspace(1, 2, 99), ap.BFLOAT16, ap.Stochastic(7)).sum())":
        float(ap.round_to(np.linspace(1, 2, 99), ap.BFLOAT16, ap.Stochastic(7)).sum()),
    "ap.constructions.he_random([1, 2, 1], np.random.default_rng(0), 1.0).biases[0][0]": NET.biases[0][0],
    RUN: eval(RUN),
}


def reseed(root, *arguments):
    """Status and output of the tool, in the repository in which it lies."""
    done = subprocess.run([sys.executable, root / "book" / "_tools" / "reseed.py", *arguments], capture_output=True,
                          text=True, env={"PYTHONPATH": SRC, "PATH": ""})
    return done.returncode, done.stdout


def test_every_draw_depends_on_the_offset_and_offset_0_changes_none(tmp_path):
    with_tools(tmp_path)
    repository(tmp_path, a=[IMPORTS, *(f"assert {code} == {value!r}".replace("np.float64", "")
                                                for code, value in DRAWS.items())])
    assert reseed(tmp_path, "--offsets", "0") == (0, f"\na: 0 failing, {len(DRAWS)} asserts\n"
                                                     "\n0 failing in 1 chapters, offsets 0\n")
    status, out = reseed(tmp_path, "--offsets", "1", "2")
    assert status == 1
    assert len(re.findall(r"a\.md:\d+, cell \d+: 2 of 2", out)) == len(DRAWS)
    drawn = re.findall(r"offset [12]: ([^,]+),", out)
    assert len(set(drawn)) == 2 * len(set(DRAWS.values()))


def test_all_failing_asserts_are_printed_with_cell_line_source_and_values(tmp_path):
    with_tools(tmp_path)
    repository(tmp_path, a=["def f(n):\n    assert n > 2, 'too small'\n    return n",
                            "for n in (1, 2, 3):\n    x = f(n)\nassert x == 3",
                            "assert x == 4\n1 / 0\nassert x == 5",
                            "assert (x ==\n        6)"], b=["x = 1"])
    status, out = reseed(tmp_path, "--offsets", "0", "3", "--chapter", "a")
    assert status == 1
    assert out == """
a: 4 failing, 4 asserts
  a.md:16, cell 0: 1 of 1, and the control
    | assert n > 2, 'too small'
    offset 0: 1, 2
    offset 3: 1, 2
  a.md:27, cell 2: 1 of 1, and the control
    | assert x == 4
    offset 0: 3, 4
    offset 3: 3, 4
  a.md:28, cell 2: 1 of 1, and the control
    | 1 / 0
    offset 0: STOPPED, ZeroDivisionError: division by zero
    offset 3: STOPPED, ZeroDivisionError: division by zero
  a.md:33, cell 3: 1 of 1, and the control
    | assert (x ==
    |         6)
    offset 0: 3, 6
    offset 3: 3, 6

4 failing in 1 chapters, offsets 0 3
"""


def test_a_process_that_dies_is_reported_with_its_cell(tmp_path):
    with_tools(tmp_path)
    repository(tmp_path, a=["x = 1", "import os\nos._exit(5)"])
    status, out = reseed(tmp_path, "--offsets", "1")
    assert status == 1
    assert "a.md:19, cell 1: 1 of 1\n    | import os\n" in out
    assert "offset 1: STOPPED, the process died in this cell, status 5" in out


def test_no_such_chapter(tmp_path):
    with_tools(tmp_path)
    repository(tmp_path, a=["x = 1"])
    assert reseed(tmp_path, "--chapter", "b")[0] == 2


@pytest.mark.parametrize("page", sorted((Path(__file__).parents[2] / "book").glob("*.md")), ids=lambda page: page.stem)
def test_chapters_draw_only_what_an_offset_changes(page):
    draws = r"np\.random\.(?!default_rng|Generator|SeedSequence)\w+|\brandom\.(seed|random|gauss)\(|random_state="
    assert re.findall(draws, page.read_text("utf8")) == []
