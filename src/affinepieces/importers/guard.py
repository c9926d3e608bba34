"""Last guard of an import: the chain is compared with the model's own forward pass; rounding must explain the rest."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.layers import Chain
from affinepieces.sparse import SparseMatrix

Floats = NDArray[np.float64]
SCALES = (2**-8, 0.5, 1, 16)  # of the points, one each
OWN = 2.0**-52  # what the comparison itself loses in an operation


def check(chain: Chain, sizes: Sequence[Floats], evaluate: Callable[[Floats], Any], unit: float, tiny: float,
          model: str, remedy: str, largest: float = np.inf) -> None:
    """Raise ValueError if the model differs from the chain by more than its own rounding can explain.

    evaluate: one point (N_0,) -> (N_L,).  unit: relative error of an operation of the model, in any order of
    summation, twice the unit roundoff.  tiny: absolute error of an operation.  sizes: for each layer what is added up
    in its rows at least, (N_j,).  largest: number of the model's format; where it may overflow nothing is compared.
    """
    directions = np.random.default_rng(20240501).standard_normal((len(SCALES), chain.widths[0]))
    directions = np.rint(32 * directions).clip(-255, 255) / 32  # in 8 bits: every format holds these points
    for scale, direction in zip(SCALES, directions, strict=True):
        x = scale * direction
        found = np.asarray(evaluate(x.copy()), np.float64).reshape(-1)  # which may change its input in place
        expected, radius = forward(chain, sizes, x, unit, tiny, largest)
        if found.shape != expected.shape:
            raise ValueError(f"{model} returns {len(found)} numbers, its chain of layers {len(expected)}: {remedy}")
        with np.errstate(invalid="ignore"):
            wrong = np.isfinite(radius) & np.isfinite(expected) & ~(np.abs(found - expected) <= radius)
        if wrong.any():
            j = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"{model} is another function than its layers say: output {j} at a test point of size "
                             f"{scale:g} is {found[j]:.9g} instead of {expected[j]:.9g}, and rounding explains a "
                             f"difference of {radius[j]:.1e} at most: {remedy}")


def forward(chain: Chain, sizes: Sequence[Floats], x: Floats, unit: float, tiny: float,
            largest: float = np.inf) -> tuple[Floats, Floats]:
    """The chain at one point, and how far the model may be from it.

    Running error analysis: Higham (2002), Section 3.3; the bound for a sum in any order: Section 4.2.
    """
    x, error = x[None, :], np.zeros((1, len(x)))
    with np.errstate(all="ignore"):
        for j, (a, b, size) in enumerate(zip(chain.weights, chain.biases, sizes, strict=True)):
            moduli, terms = _absolute(a)
            added = _times(moduli, np.abs(x) + error) + np.maximum(np.abs(b), size)
            growth = np.expm1((terms + 6) * (np.log1p(unit) + np.log1p(OWN)))
            error = 1.001 * (_times(moduli, error) + growth * added + tiny * (terms + 4))
            if not (added + error < largest).all():
                error[:] = np.inf
            x = _times(a, x) + b
            if j < chain.layers - 1:
                carried = chain.carried[j]
                x = np.maximum(x, 0) if carried is None else np.where(carried, x, np.maximum(x, 0))
    return x[0], error[0]


def _absolute(a: Any) -> tuple[Any, Floats]:
    """Moduli of the entries, and how many there are in each row."""
    if isinstance(a, SparseMatrix):
        return a.with_values(np.abs(a.values)), np.diff(a.start).astype(np.float64)
    return np.abs(a), np.count_nonzero(a, axis=1).astype(np.float64)


def _times(a: Any, x: Floats) -> Floats:
    return a.product(x) if isinstance(a, SparseMatrix) else x @ a.T
