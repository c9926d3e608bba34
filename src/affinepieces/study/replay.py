"""Stored runs made again."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affinepieces.study.experiment import Experiment
from affinepieces.study.provenance import provenance
from affinepieces.study.summaries import Summary

DECISIVE = ("numerics", "numpy", "numba", "python-flint", "scikit-learn")  # of the provenance, for bits


def replayed(experiment: Experiment, table: Summary, settings: Mapping[str, Any]) -> str:
    """Make a run of a summary again, compare all its results, and say in a sentence how they compare.

    settings: of one run that the summary holds.
    Raises AssertionError where a number differs although the machine computes like that of the summary (`numerics`,
    and the versions of the packages that compute, are the same).  Elsewhere the sentence says what differs, and why
    that may be.
    """
    stored = table.where(**settings)
    if len(stored) != 1:
        raise ValueError(f"{len(stored)} runs have the settings {dict(settings)}: give all settings of one run")
    made = experiment.measure(**settings)
    other = [name for name, value in made.items() if stored.rows(name)[0] != value]
    if not other:
        return f"{experiment.name}: made again, equal to the last bit"
    here = {name: provenance()[name] for name in DECISIVE}
    if any({name: origin.get(name) for name in DECISIVE} == here for origin in table.provenance["origins"]):
        raise AssertionError(f"{experiment.name}, {dict(settings)}: {', '.join(other)} differ from the stored run, "
                             "on a machine that computes alike")
    return (f"{experiment.name}: made again, {', '.join(other)} differ in some digits, because the stored run was made "
            "on another processor or with other versions of the packages")
