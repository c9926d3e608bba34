"""Figures of the chapter "One step"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import EXACT, PURPLE, REFERENCE, ROUNDED
from affinepieces.pieces.piecewise import PiecewiseAffine

Floats = NDArray[np.float64]
BOUNDS = ((REFERENCE, "--"), (REFERENCE, "-"))  # constants, data-driven


def against_delta(ax: Axes, deltas: Floats, regions: NDArray[Any], bounds: Mapping[str, ArrayLike]) -> None:
    """Mean regions with four standard errors, and bounds, against the level of perturbation.

    regions: (len(deltas), draws).
    """
    mean, error = regions.mean(axis=1), regions.std(axis=1, ddof=1) / np.sqrt(regions.shape[1])
    for (label, values), (colour, style) in zip(bounds.items(), BOUNDS, strict=False):
        ax.plot(deltas, values, style, color=colour, label=label)
    ax.fill_between(deltas, mean - 4 * error, mean + 4 * error, color=ROUNDED, alpha=0.25, lw=0)
    ax.plot(deltas, mean, "o", ls="-", color=ROUNDED, label="measured mean")
    ax.set(xscale="log", yscale="log", xlabel="level of perturbation $\\delta$", ylabel="activation regions")
    ax.legend(loc="upper right", fontsize=9)


def picture_of_the_theorem(axes: Sequence[Axes], several: Mapping[str, Sequence[ArrayLike]]) -> None:
    """What each layer could add by doubling, what Lemma 3.1 allows, their minimum shaded, and what it adds.

    several: title -> the three arrays of shape (hidden layers,), in this order.
    """
    for ax, (title, (doubling, allowed, added)) in zip(axes, several.items(), strict=True):
        layers = np.arange(1, np.size(doubling) + 1)
        ax.fill_between(layers, 1, np.minimum(doubling, allowed), color=PURPLE, alpha=0.18, lw=0)
        ax.plot(layers, doubling, ":", color=EXACT, label="doubling")
        ax.plot(layers, allowed, "--", color=REFERENCE, label="$V/l$, the lemma")
        ax.plot(layers, added, "o", color=ROUNDED, label="measured")
        ax.set_yscale("log", base=2)
        ax.set(xlabel=f"hidden layer ({title})", xticks=layers[1::2], ylim=(1, None))
    axes[0].set_ylabel("regions that the layer adds")
    axes[-1].legend(loc="upper left", fontsize=9)


def ladder(ax: Axes, rows: Mapping[str, ArrayLike]) -> None:
    """One row for each quantity: a dot for each network, a bar at the median.  The first row is what is measured."""
    for row, (label, values) in enumerate(rows.items()):
        colour = ROUNDED if label.startswith("measured") else REFERENCE
        ax.plot(values, np.full(np.size(values), row), "o", color=colour, alpha=0.35, mec="none")
        ax.plot(np.median(np.asarray(values)), row, "|", color=colour, ms=20, mew=3)
    ax.set(xscale="log", xlabel="activation regions, measured or as bounded", yticks=range(len(rows)),
           yticklabels=rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def draws_of_the_step(ax: Axes, exact: PiecewiseAffine, noisy: Sequence[PiecewiseAffine], label: str) -> None:
    """The function after the exact step, its breakpoints as dots, and after some perturbed ones."""
    for function in noisy:
        ax.plot(function.breakpoints, function.values[:, 0], color=ROUNDED, lw=1, alpha=0.7)
    ax.plot(exact.breakpoints, exact.values[:, 0], "o", ls="-", color=EXACT, ms=4)
    ax.set(xlabel=f"$t$     ({label})", ylabel="output", xlim=(exact.breakpoints[0], exact.breakpoints[-1]))
