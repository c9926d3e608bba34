"""What the README tells people to type works as it is written there."""
import re

import numpy as np
import pytest

import readme

ROOT = readme.README.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf8")


@pytest.fixture(scope="module")
def names():
    return readme.run()


def test_every_block_runs_in_order(names):
    assert len(readme.blocks("python")) == 5
    assert {"net", "segment", "function", "exact", "rounded", "draws"} <= set(names)


def test_what_the_comments_claim(names):
    ap, net, segment = names["ap"], names["net"], names["segment"]
    assert ap.count_pieces(net, segment) == ap.trace(net, segment, exact=True).pieces > 10
    assert np.all(names["function"].radius < 1e-12)
    errors = ap.relative_error(names["rounded"], names["exact"]).biases[-1]
    assert np.all((errors > 0) & (errors < 0.1))
    measured = ap.count_many(names["draws"], segment).regions.mean()
    assert measured < ap.data_driven_bound(names["draws"], segment, names["update"].biases[:-1], names["delta"])


def test_no_name_changes_its_meaning():
    bound = re.findall(r"^(\w+) = ", "".join(code for _, code in readme.blocks("python")), re.MULTILINE)
    assert len(bound) > 10
    assert len(bound) == len(set(bound))


def test_make_targets_exist():
    targets = set(re.findall(r"`(?:\w+=\S+ )?make (\w+)`", readme.README.read_text("utf8")))
    targets |= set(re.findall(r"^make (\w+)", readme.blocks("")[0][1], re.MULTILINE))
    assert {"book", "test", "live"} <= targets
    assert targets <= set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))


def test_the_way_without_make_is_what_make_does():
    made = MAKEFILE.replace("$(BIN)", ".venv/bin").replace("$(VENV)", ".venv").replace("$(PYTHON)", "python3")
    made = made.replace("--quiet --disable-pip-version-check ", "")
    for line in readme.blocks("")[1][1].splitlines():
        assert f"\t{line}\n" in made, line


def test_files_that_are_named_exist():
    for path in re.findall(r"\]\((?!http)([^)]+)\)", readme.README.read_text("utf8")):
        assert path == "book/_static/pieces.svg" or (ROOT / path).exists(), path


def test_a_name_that_is_not_defined_fails(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("text\n```python\na = 1\n```\n```python\nundefined\n```\n")
    with pytest.raises(NameError):
        readme.run(file)
