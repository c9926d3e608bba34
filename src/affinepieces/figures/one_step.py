"""Figures of the chapter "One step"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, spread
from affinepieces.pieces.piecewise import PiecewiseAffine

Floats = NDArray[np.float64]
BOUNDS = ((REFERENCE, "--"), (REFERENCE, "-"), (PURPLE, "-."))  # constants, data-driven, depth budget


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
    ax.legend(loc="upper right")


def against_shape(axes: Sequence[Axes], shapes: Mapping[str, tuple[Sequence[int], Mapping[str, NDArray[Any]]]]) -> None:
    """Median and range over seeds of the bounds and, last, of the measured means; one pair of axes a shape.

    shapes: what varies -> (its values, label -> (seeds, number of values)).
    """
    looks = ((REFERENCE, "^"), (PURPLE, "s"), (ROUNDED, "o"))
    for ax, (varied, (x, samples)) in zip(axes, shapes.items(), strict=True):
        for (label, values), (colour, marker) in zip(samples.items(), looks, strict=True):
            spread(ax, x, values, colour, label, marker)
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", xlabel=varied, xticks=x, xticklabels=x)
        ax.minorticks_off()
    axes[0].set_ylabel("activation regions")
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


def twins(ax: Axes, depths: Sequence[int], steep: NDArray[Any], gentle: NDArray[Any], budget: ArrayLike = ()) -> None:
    """Pieces of the sawtooth and of its rescaled twin after a noisy step.  steep, gentle: (draws, len(depths))."""
    ax.plot(depths, 2.0 ** np.asarray(depths), ":", color=EXACT, label="without noise")
    spread(ax, depths, steep, GREEN, "slopes $2^{j-1}$", "s")
    spread(ax, depths, gentle, ROUNDED, "slopes $\\leq 1$")
    if np.size(budget):
        ax.plot(depths, budget, "-.", color=PURPLE, label="budget, slopes $\\leq 1$")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="hidden layers $n$", ylabel="affine pieces", xticks=list(depths)[1::2])
    ax.legend(loc="upper left", fontsize=9)


def doublings(ax: Axes, bits: Sequence[int], regions: NDArray[Any]) -> None:
    """Regions that a deep gentle sawtooth keeps, against the bits of the noise.  regions: (draws, len(bits))."""
    ax.plot(bits, 2.0 ** (np.asarray(bits) + 2), "--", color=REFERENCE, label="$2^{k+2}$")
    spread(ax, bits, regions, ROUNDED, "measured")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="noise of width $l = 2^{-k}$: $k$", ylabel="activation regions", xticks=list(bits)[::2])
    ax.legend(loc="upper left", fontsize=9)


def draws_of_the_step(ax: Axes, exact: PiecewiseAffine, noisy: Sequence[PiecewiseAffine], label: str) -> None:
    """The function after the exact step, its breakpoints as dots, and after some perturbed ones."""
    for function in noisy:
        ax.plot(function.breakpoints, function.values[:, 0], color=ROUNDED, lw=1, alpha=0.7)
    ax.plot(exact.breakpoints, exact.values[:, 0], "o", ls="-", color=EXACT, ms=4)
    ax.set(xlabel=f"$t$     ({label})", ylabel="output", xlim=(exact.breakpoints[0], exact.breakpoints[-1]))
