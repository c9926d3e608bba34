"""The figure of the first page."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, YELLOW, spread


def pieces_against_depth(axes: Sequence[Axes], depths: Sequence[int],
                         counts: Mapping[str, Mapping[float, NDArray[np.int_]]]) -> None:
    """Pieces of a sawtooth of n layers under bias noise, one panel for each way to scale its weights.

    counts: scaling -> width of the noise -> (seeds, len(depths)).
    """
    for ax, (scaling, by_width) in zip(axes, counts.items(), strict=True):
        for (width, samples), colour in zip(by_width.items(), (EXACT, GREEN, YELLOW, ROUNDED, PURPLE), strict=False):
            spread(ax, depths, samples, colour, f"{width:g}" if width else "none")
        ax.set(xlabel="hidden layers $n$", xticks=list(depths)[::2])
        ax.set_yscale("log", base=2)
        ax.annotate(scaling, (0.5, 1.03), xycoords="axes fraction", ha="center", color=REFERENCE)
    axes[0].set_ylabel("affine pieces on [0, 1]")
    axes[0].legend(loc="upper left", title="width of the noise")
