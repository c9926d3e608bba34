"""Figures of the chapter "Networks and their pieces"."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import CYCLE, EXACT, REFERENCE, ROUNDED, pattern_colour
from affinepieces.pieces.piecewise import PiecewiseAffine


def regions_and_pieces(ax: Axes, function: PiecewiseAffine, patterns: NDArray[np.bool_]) -> None:
    """The graph over its activation regions; kinks are dots, boundaries that the output does not see are open."""
    t, y = function.breakpoints.astype(float), function.values[:, 0].astype(float)
    for left, right, pattern in zip(t[:-1], t[1:], patterns, strict=True):
        ax.axvspan(left, right, color=pattern_colour(pattern), lw=0)
    ax.plot(t, y, color=EXACT)
    inner, seen = slice(1, -1), function.kinks
    ax.plot(t[inner][seen], y[inner][seen], "o", color=EXACT, label="kink: a new piece begins")
    ax.plot(t[inner][~seen], y[inner][~seen], "o", mfc="white", color=ROUNDED, ms=7, mew=2,
            label="region boundary only")
    ax.set(xlabel="$t$", ylabel="output", xlim=(t[0], t[-1]))
    ax.grid(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)


def active_neurons(ax: Axes, function: PiecewiseAffine, patterns: NDArray[np.bool_], names: Sequence[str]) -> None:
    """One bar for each neuron over the regions where it is active."""
    t = function.breakpoints.astype(float)
    for k, column in enumerate(patterns.T):
        ax.barh(k, (t[1:] - t[:-1])[column], left=t[:-1][column], color=CYCLE[k % len(CYCLE)], height=0.6)
    for boundary in t[1:-1]:
        ax.axvline(boundary, color=REFERENCE, lw=0.8)
    ax.set(xlabel="$t$", yticks=range(len(names)), yticklabels=names, xlim=(t[0], t[-1]))
    ax.grid(False)


def counts_by_tolerance(ax: Axes, tolerances: Sequence[float], surplus: NDArray[np.int_]) -> None:
    """How many pieces a tolerance counts too many.  surplus: (networks, len(tolerances))."""
    ax.axhline(0, color=EXACT, label="exact")
    ax.plot(range(len(tolerances)), surplus.T, "s-", color=ROUNDED, lw=1.2, alpha=0.6)
    ax.plot([], [], "s-", color=ROUNDED, lw=1.2, label="slope changes above the tolerance, one network")
    labels = [f"$10^{{{np.log10(tolerance):.0f}}}$" if tolerance else "0" for tolerance in tolerances]
    ax.set(xlabel="tolerance for a change of slope", ylabel="pieces counted, minus exact",
           xticks=range(len(tolerances)), xticklabels=labels)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)


def class_scores(ax: Axes, function: PiecewiseAffine, labels: Sequence[int]) -> None:
    """Outputs of a classifier along a segment, a tick for each kink; the given labels are emphasised."""
    for k, scores in enumerate(function.values.T):
        named = k in labels
        ax.plot(function.breakpoints, scores, color=CYCLE[labels.index(k)] if named else "#cccccc",
                lw=2 if named else 1, label=f"score of digit {k}" if named else None, zorder=2 if named else 1)
    kinks = function.breakpoints[1:-1][function.kinks]
    ax.plot(kinks, np.full(len(kinks), ax.get_ylim()[0]), "|", color=REFERENCE, ms=9, mew=1)
    ax.set(xlabel="$t$: from the first image (0) to the second (1)", ylabel="score", xlim=(0, 1))
    ax.legend(loc="upper center", ncols=len(labels), bbox_to_anchor=(0.5, 1.14))
