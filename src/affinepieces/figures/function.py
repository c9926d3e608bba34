"""A piecewise affine function with its pieces."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from affinepieces.figures.style import EXACT, GREEN, PURPLE, ROUNDED

if TYPE_CHECKING:
    from affinepieces.pieces.piecewise import PiecewiseAffine

MOST = 200  # marks that can still be told apart


def draw(function: PiecewiseAffine, ax: Axes | None) -> Axes:
    """Each output as a line; dots where a piece ends, unless there are too many to be seen."""
    axes: Axes = ax if ax is not None else plt.subplots()[1]
    t, y = function.breakpoints.astype(np.float64), function.values.astype(np.float64)
    ends = np.concatenate([[True], function.kinks, [True]])
    for k in range(y.shape[1]):
        marks: dict[str, Any] = {}
        if ends.sum() <= MOST:
            marks = {"marker": "o", "markevery": np.flatnonzero(ends).tolist()}
        axes.plot(t, y[:, k], color=(EXACT, ROUNDED, GREEN, PURPLE)[k % 4], label=f"output {k + 1}", **marks)
    if y.shape[1] > 1:
        axes.legend()
    axes.set_xlabel(f"$t$   ({function.pieces} pieces)")
    axes.set_ylabel("$f(t)$")
    return axes
