"""Stored runs made again: equal, or named."""
import numpy as np
import pytest

from affinepieces.study import provenance, replay
from affinepieces.study.experiments import EXPERIMENTS
from affinepieces.study.summaries import Summary
from study_measures import experiment, square

EXPERIMENT = experiment(square, 3)


def table(**changed):
    origin = {name: provenance.provenance()[name] for name in replay.DECISIVE} | {"runs": 2}
    columns = {"x": [1, 2], "square": [1, 4], "third": [1 / 3, 2 / 3], "list": [[1, 1 / 7], [2, 2 / 7]]}
    return Summary(columns | changed, {"origins": [origin]})


def test_an_equal_run_is_equal():
    assert replay.replayed(EXPERIMENT, table(), {"x": 2}) == "test: made again, equal to the last bit"


def test_one_bit_is_an_error_where_the_machine_computes_alike():
    with pytest.raises(AssertionError, match=r"test, \{'x': 2\}: third differ from the stored run"):
        replay.replayed(EXPERIMENT, table(third=[1 / 3, np.nextafter(2 / 3, 1)]), {"x": 2})


def test_elsewhere_the_difference_is_named():
    other = table(third=[1 / 3, np.nextafter(2 / 3, 1)])
    other.provenance["origins"][0]["numerics"] = "another"
    assert "third differ in some digits" in replay.replayed(EXPERIMENT, other, {"x": 2})


def test_settings_must_name_one_run():
    with pytest.raises(ValueError, match=r"2 runs have the settings \{'x': 1\}: give all settings"):
        replay.replayed(EXPERIMENT, table(x=[1, 1]), {"x": 1})


def test_the_numerics_of_a_machine_do_not_change():
    first = provenance.numerics()
    provenance.numerics.cache_clear()
    assert provenance.numerics() == first
    assert len(first) == 16


def test_fixed_point_is_an_arithmetic_of_the_precision_experiment():
    found = EXPERIMENTS["precision"].measure("gentle 0.4", "fixed 10", -8, 0)
    assert found["nearest"] == found["start_pieces"]  # nothing moves
    assert found["control"] < found["start_pieces"]
