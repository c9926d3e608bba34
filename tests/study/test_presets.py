"""The presets of the study: the quick one runs as a whole, and its runs are those that the book shows."""
from pathlib import Path

import pytest

from affinepieces.study.experiments import EXPERIMENTS
from affinepieces.study.provenance import provenance
from affinepieces.study.replay import DECISIVE
from affinepieces.study.store import Store
from affinepieces.study.summaries import Summary, summary
from affinepieces.study.sweep import attempt

with_results = pytest.mark.skipif(not (Path(__file__).parents[2] / "results").is_dir(),
                                reason="the source distribution holds no results")
IN_BOTH = {"precision", "ablation", "updates", "random_networks", "noise", "delta", "triangles", "rounded_updates",
           "zeros", "long_runs", "optimisers"}  # experiments whose quick preset is part of the full one


@with_results
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_quick_runs_are_those_of_the_committed_summary(name):
    experiment, table, seen = EXPERIMENTS[name], summary(name), 0
    alike = any(all(origin.get(key) == provenance()[key] for key in DECISIVE)
                for origin in table.provenance["origins"])
    for case in experiment.cases("quick"):
        result, failure, _ = attempt(experiment.measure, dict(case.settings))
        assert failure is None
        try:
            stored = table.where(**case.settings)
        except ValueError:
            continue
        seen += 1
        assert len(stored) == 1
        assert set(result) <= set(stored.columns)
        if alike:
            assert {key: stored.rows(key)[0] for key in result} == result
    assert (seen > 0) == (name in IN_BOTH)


@with_results
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_committed_summary_holds_the_full_preset(name):
    table, cases = summary(name), list(EXPERIMENTS[name].cases("full"))
    assert table.provenance["failed"] == 0
    held = {tuple(row) for row in zip(*(table.rows(key) for key in cases[0].settings), strict=True)}
    assert held == {tuple(case.settings.values()) for case in cases}


def test_the_command_runs_summarises_and_shows(tmp_path, capsys):
    from affinepieces.__main__ import main

    store, to = str(tmp_path / "store"), str(tmp_path / "to")
    assert main(["study", "run", "--only", "triangles", "--store", store, "--workers", "1"]) == 0
    assert "8 made, 0 failed" in capsys.readouterr().out
    assert main(["study", "status", "--only", "triangles", "--store", store]) == 0
    assert "8 of 8 runs, 0 failed" in " ".join(capsys.readouterr().out.split())
    assert main(["study", "summarise", "--only", "triangles", "--store", store, "--to", to]) == 0
    assert main(["study", "show", "--only", "triangles", "--store", store]) == 0
    found = Summary.load(tmp_path / "to" / "triangles.parquet")
    assert len(found) == 8 == len(list(Store(tmp_path / "store").records("triangles")))
