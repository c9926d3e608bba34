"""Figures of the chapter "Ways around it?"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.study import along, families, shares
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, spread


def ways(ax: Axes, steps: Sequence[int], free: ArrayLike, exact: ArrayLike, peaks: ArrayLike,
         rounded: ArrayLike) -> None:
    """Pieces (seeds, steps) along training: weights and biases free, the same with exact gradients, peaks alone."""
    along(ax, steps, {"peaks, float64": (EXACT, np.asarray(peaks)), "peaks, bfloat16": (ROUNDED, np.asarray(rounded)),
                      "all parameters, float64": (PURPLE, np.asarray(free))}, ylabel="affine pieces", ylim=(0, 1400))
    ax.plot(steps, np.median(np.asarray(exact), axis=0), "x", color="black", ms=8, mew=1.5,
            label="all parameters, exact gradients")
    ax.legend(loc="lower left")


def doubling(ax: Axes, depths: Sequence[int], several: Mapping[str, ArrayLike]) -> None:
    """Pieces over 2^n, shape (networks, depths) for each format, between the two ends of the proposition."""
    for (label, samples), colour, marker in zip(several.items(), (EXACT, GREEN, PURPLE, ROUNDED), "os^D", strict=False):
        spread(ax, depths, samples, colour, label, marker)
    for height, text in ((1, "$2^n$"), (1.25, "$2^n + 2^{n-2}$")):
        ax.axhline(height, color=REFERENCE, lw=1, ls="--")
        ax.text(1.01, height, text, transform=ax.get_yaxis_transform(), va="center", color=REFERENCE)
    ax.set(xlabel="hidden layers $n$", ylabel="pieces over $2^n$", xticks=list(depths), ylim=(0.25, 1.4))
    ax.legend(loc="lower left", ncols=2)


def planting(left: Axes, right: Axes, neurons: Sequence[int], plain: Sequence[ArrayLike], planted: Sequence[ArrayLike],
             later: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
    """Regions against the number of neurons; and what becomes of them.  later: stage -> regions, plain and planted."""
    families(left, neurons, {"planted": (GREEN, planted), "plain": (REFERENCE, plain)}, xlabel="hidden neurons",
             ylabel="activation regions")
    left.plot(neurons, neurons, "--", color=REFERENCE, lw=1)
    left.set_xscale("log", base=2)
    left.set_yscale("log", base=2)
    left.set_xticks(list(neurons), [str(n) for n in neurons])
    left.set_yticks([4, 8, 16, 32, 64], ["4", "8", "16", "32", "64"])
    shares(right, list(later), {label: (colour, [float(np.median(pair[i])) for pair in later.values()])
                                for i, (label, colour) in enumerate((("plain", REFERENCE), ("planted", GREEN)))})
    right.legend_ = None  # that of the left side
