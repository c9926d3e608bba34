"""Figures of the chapter "Perturbed gradient descent"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, spread
from affinepieces.networks import ReLUNetwork

Floats = NDArray[np.float64]


def update_and_functions(fig: Figure, ends: Mapping[float, Sequence[Floats]],
                         functions: Mapping[str, tuple[ReLUNetwork, int]], stop: float) -> None:
    """Left the intervals of the biases after an update, right the functions on [0, stop], one below the other.

    ends: delta, at most two, the wider last -> for each hidden layer (N_j, 2), changes of the biases.
    functions: label -> network and its number of pieces; the first is the one before the update.
    """
    halves: Any = fig.subfigures(1, 2, width_ratios=[1, 1.25])
    left, right = halves
    intervals(left.subplots(), ends)
    t, axes = np.linspace(0, stop, 4000), right.subplots(len(functions), 1, sharex=True)
    for row, (ax, (label, (net, pieces))) in enumerate(zip(axes, functions.items(), strict=True)):
        ax.plot(t, net(t[:, None])[:, 0], color=ROUNDED if row else EXACT, lw=1.2)
        ax.annotate(f"{label}: {pieces} piece{'s' * (pieces > 1)}", (0.01, 1.02), xycoords="axes fraction", fontsize=9)
        ax.set(yticks=[], xlim=(0, stop))
        ax.grid(visible=False)
    axes[-1].set_xlabel("$t$")


def intervals(ax: Axes, ends: Mapping[float, Sequence[Floats]]) -> None:
    """Where each hidden bias may be after the update, relative to where it was; one line for each neuron."""
    looks = ((1.4, REFERENCE), (4, ROUNDED))
    for (delta, layers), (width, colour) in zip(reversed(list(ends.items())), looks, strict=True):
        rows = [(j + 0.4 * k / max(len(layer) - 1, 1) - 0.2, *pair) for j, layer in enumerate(layers, 1)
                for k, pair in enumerate(layer)]
        y, low, high = np.array(rows).T
        ax.hlines(y, low, high, color=colour, lw=width, label=f"$\\delta$ = {delta:g}")
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="change of the bias", ylabel="hidden layer", yticks=range(1, len(layers) + 1))
    ax.invert_yaxis()
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9)


def pieces_along_training(ax: Axes, steps: Sequence[int], curves: Mapping[str, NDArray[np.int64]]) -> None:
    """Pieces against the step.  curves: label -> (seeds, len(steps)); perturbed runs first, undisturbed ones last."""
    x = np.maximum(np.asarray(steps), 0.5)
    for (label, samples), colour, marker in zip(curves.items(), (GREEN, PURPLE, ROUNDED, EXACT), "os^d",
                                                strict=False):
        spread(ax, x, samples, colour, label, marker)
    ax.set_xscale("log")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="step (the first point is the start)", ylabel="affine pieces on [0, 1]")
    ax.legend(loc="lower left")
