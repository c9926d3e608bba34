"""How much noise do the pieces of a network bear, of a fixed width or of Definition 2.3?"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.constructions import perturb_biases
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.pieces.count import count_many
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import UNIT, constructed, generator, noisy_labels, seeds

BITS = tuple(k / 4 for k in range(-8, 57))  # widths 2^-k
EXPONENTS = tuple(range(-40, 21))  # of delta, from 1e-12 to 1e6
RATE, LABEL_NOISE = 2.0**-8, 0.1


def measure_widths(start: str, n: int, seed: int) -> Result:
    """Pieces after noise of width 2^-k in every hidden bias, for each k of `BITS`; the same noise, scaled."""
    net = constructed(start, n)
    nets = [perturb_biases(net, 2.0**-k, generator(seed, "noise")) for k in BITS]
    pieces = count_many(nets, UNIT).pieces
    return {"pieces": pieces.tolist(), "half": _half(BITS[::-1], pieces[::-1] / 2**n)}


def measure_delta(start: str, n: int, labels: float, seed: int) -> Result:
    """Pieces and regions after one perturbed step of Definition 2.3, delta = 2^k for each k of `EXPONENTS`.

    labels: standard deviation of the noise of the labels.  half: log2 of the delta at which half of the pieces that
    the step without noise leaves are gone.
    """
    net = constructed(start, n)
    update = exact_update(net, *noisy_labels(net, labels, seed), RATE)
    nets = [perturbed_network(net, update, 0.0, generator(seed, "noise"))]
    nets += [perturbed_network(net, update, 2.0**k, generator(seed, "noise")) for k in EXPONENTS]
    counts = count_many(nets, UNIT)
    return {"pieces": counts.pieces.tolist(), "regions": counts.regions.tolist(),
            "half": _half(EXPONENTS, counts.pieces[1:] / counts.pieces[0])}


def _half(levels: Any, shares: Any) -> float | None:
    """The first level from which on at most half is left, None if there is none."""
    above = np.flatnonzero(np.asarray(shares) > 0.5)
    after = int(above[-1]) + 1 if len(above) else 0
    return float(levels[after]) if after < len(levels) else None


def _cases(starts: tuple[str, ...], depths: tuple[int, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for start, n, seed in product(starts, depths, chosen):
        yield {"start": start, "n": n, "seed": seed}


def _with_labels(depths: tuple[int, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for case, labels in product(_cases(("gentle 0.4", "steep 0.4"), depths, chosen), (0.1, 0.01)):
        yield {**case, "labels": labels}


EXPERIMENT = Experiment(
    "noise", "At which width of noise are half of the pieces gone?", measure_widths, {
        "quick": lambda: _cases(("gentle 0.4",), (4, 6), seeds(2, 2)),
        "full": lambda: _cases(("gentle 0.4", "steep 0.4", "gentle 0.3", "steep 0.3"), (4, 6, 8, 10, 12), seeds(8))})
DELTA = Experiment(
    "delta", "At which delta does one perturbed step take half of the pieces?", measure_delta, {
        "quick": lambda: _with_labels((4,), seeds(1, 2)), "full": lambda: _with_labels((4, 6, 8, 10, 12), seeds(8))})
