"""Figures of the chapter "Perturbed gradient descent"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, ROUNDED, spread


def pieces_along_training(ax: Axes, steps: Sequence[int], curves: Mapping[str, NDArray[np.int64]]) -> None:
    """Pieces against the step.  curves: label -> (seeds, len(steps)); perturbed runs third, undisturbed ones last."""
    x = np.maximum(np.asarray(steps), 0.5)
    for (label, samples), colour, marker in zip(curves.items(), (GREEN, PURPLE, ROUNDED, EXACT), "os^d",
                                                strict=False):
        spread(ax, x, samples, colour, label, marker)
    ax.set_xscale("log")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="step (the first point is the start)", ylabel="affine pieces on [0, 1]")
    ax.legend(loc="lower left")
