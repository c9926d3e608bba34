"""Every statement's listed tests notice when a number that it speaks of is wrong, by as little as they can see."""
import json
import os
import subprocess
import sys

import pytest

from book import mutations

ROWS = {row["label"]: row for row in mutations.rows()}
MUTATED = {label: row["mutate"] for label, row in ROWS.items() if isinstance(row.get("mutate"), dict)}


@pytest.mark.parametrize("label", ROWS)
def test_every_row_says_what_is_changed(label):
    """The results of its functions; or `none`, and why."""
    row = ROWS[label]
    if label not in MUTATED:
        assert str(row.get("mutate")).startswith("none, "), "mutate: by how much is which result changed, or why none?"
    for name in MUTATED.get(label, ()):
        function, field = mutations.found(name)
        assert callable(function)
        assert name.removesuffix(f".{field}") in row["functions"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Label -> function -> the test that noticed."""
    path = tmp_path_factory.mktemp("mutations") / "report.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, mutations.__file__, path], cwd=mutations.ROOT, env=environment,
                          capture_output=True, text=True)
    assert path.exists(), done.stdout + done.stderr
    return json.loads(path.read_text())


@pytest.mark.parametrize("label", MUTATED)
def test_a_listed_test_fails_where_the_number_is_wrong(report, label):
    assert set(report[label]) == set(MUTATED[label])
    missed = {name: MUTATED[label][name] for name, test in report[label].items() if test is None}
    assert not missed, "no listed test notices"


def test_what_nothing_is_changed_by_changes_nothing():
    """A change by 0 or by a factor of 1 gives equal values of every kind."""
    net = mutations.ap.constructions.square(2)
    for value in (3, 0.5, [net], (True, "text", None), mutations.ap.trace(net, mutations.ap.Segment(0, 1), exact=True)):
        for change in (0, 1.0):
            assert mutations.changed(value, change) == value
    assert mutations.changed(net, 2.0).weights[0].tolist() == [[2.0]] * 3
    assert mutations.changed([3, 0.5, True], 1) == [4, 0.5, True]
