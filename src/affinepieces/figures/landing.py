"""The figure of the first page."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, ROUNDED, YELLOW, spread


def pieces_against_depth(ax: Axes, depths: Sequence[int], counts: Mapping[float, NDArray[np.int_]]) -> None:
    """Pieces of a sawtooth of n layers under bias noise.  counts: width of the noise -> (seeds, len(depths))."""
    for (width, samples), colour in zip(counts.items(), (EXACT, GREEN, YELLOW, ROUNDED, PURPLE), strict=False):
        spread(ax, depths, samples, colour, f"noise of width {width:g}" if width else "exact: $2^n$ pieces")
    ax.set(yscale="log", xlabel="hidden layers $n$", ylabel="affine pieces on [0, 1]", xticks=list(depths)[::2])
    ax.set_yscale("log", base=2)
    ax.legend(loc="upper left")
