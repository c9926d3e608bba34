"""Remedies of low-precision training: what they buy back, by the stored runs, and what a compensated update keeps."""
from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import Format
from affinepieces.arithmetic.operations import add, subtract
from affinepieces.study.comparisons import Comparison, holm, paired
from affinepieces.study.experiments.optimisers import REMEDIES, STAGES
from affinepieces.study.summaries import Summary, summary

Floats = NDArray[np.float64]
LABELS = {"nearest": "none: all to nearest", "accumulator": "float32 accumulators", "scaling": "loss scaling",
          "momentum": "momentum", "adam": "Adam", "batches": "batches of 8", "compensated": "compensated update",
          "master": "float32 master weights", "stochastic_update": "update stochastic", "stochastic": "all stochastic"}


def stored(start: str, fmt: str, remedy: str) -> Summary:
    """The runs of one remedy.  start: "gentle" or "random".  fmt: "bfloat16" or "float16"."""
    return summary("optimisers").where(start=start, format=fmt, remedy=remedy)


def remedies_of(fmt: str) -> list[str]:
    """Those that were run in a format: loss scaling needs one of narrow range."""
    return [name for name in REMEDIES if name != "scaling" or fmt == "float16"]


def against_float64(start: str, fmt: str, what: str) -> dict[str, Comparison]:
    """Rounded with a remedy beside float64 with the same optimiser, batches, start and data; remedy -> comparison.

    what: "pieces", "loss" or "distance".  Runs that left the range of the format, or whose loss is 0, are left out.
    """
    found = {}
    for remedy in remedies_of(fmt):
        runs = stored(start, fmt, remedy)
        pair = np.array([runs.rows(f"{side}_{what}") for side in ("rounded", "control")], float)
        fit = np.isfinite(pair).all(axis=0) & (pair > 0).all(axis=0)
        found[remedy] = paired(pair[0, fit], pair[1, fit], runs["seed"][fit])
    return found


def corrected(several: Mapping[str, Mapping[str, Comparison]]) -> dict[str, dict[str, float]]:
    """The p-values of all these comparisons together, corrected for their number as Holm (1979) does."""
    p = iter(holm([c.p for found in several.values() for c in found.values()]))
    return {key: {name: float(next(p)) for name in found} for key, found in several.items()}


def against_none(fmt: str, remedy: str) -> Comparison:
    """Pieces of the gentle sawtooth rounded with a remedy beside rounded to nearest without one, paired by seed."""
    some, none = (stored("gentle", fmt, name) for name in (remedy, "nearest"))
    return paired(some["rounded_pieces"], none["rounded_pieces"], some["seed"])


def stages_of_the_error(start: str, fmt: str, remedy: str) -> dict[str, float]:
    """Median shares of the error of the first step, by kind of stage; they sum to about 1."""
    rows = [row for row in stored(start, fmt, remedy).rows("shares") if row]
    return dict(zip(STAGES, np.median(rows, axis=0).tolist(), strict=True))


def pieces_and_distance(remedy: str, fmt: str) -> tuple[float, float, float, float]:
    """Of the gentle sawtooth, medians: pieces at the start, in float64 and rounded; distance rounded over float64."""
    runs = stored("gentle", fmt, remedy)
    start, control, rounded = (float(np.median(runs[f"{name}_pieces"])) for name in ("start", "control", "rounded"))
    return start, control, rounded, float(np.median(runs["rounded_distance"] / runs["control_distance"]))


def plain_updates(start: float, updates: Floats, fmt: Format) -> float:
    """start minus all updates, one after the other, each difference rounded to nearest."""
    p = np.array([start])
    for u in updates:
        p = subtract(p, np.array([u]), fmt)
    return float(p[0])


def compensated_updates(start: float, updates: Floats, fmt: Format) -> tuple[float, Fraction]:
    """The same with a compensation, and a bound for its error.

    y = u + c,  s = p - y,  c = y - (p - s),  p = s, all rounded to nearest.

    >>> from affinepieces import BFLOAT16
    >>> p, bound = compensated_updates(1.0, np.full(1000, 2.0**-12), BFLOAT16)
    >>> abs(Fraction(p) - (1 - 1000 * Fraction(1, 2**12))) <= bound
    True
    """
    p, c, bound = np.array([start]), np.zeros(1), Fraction(0)
    unit = Fraction(fmt.unit_roundoff)
    for u in updates:
        bound += unit * abs(Fraction(u) + Fraction(c[0]))
        y = add(np.array([u]), c, fmt)
        s = subtract(p, y, fmt)
        c = subtract(y, subtract(p, s, fmt), fmt)
        p = s
    return float(p[0]), bound + abs(Fraction(c[0]))
