"""Figures of the chapter "Networks and their pieces"."""
from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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


def active_neurons(ax: Axes, function: PiecewiseAffine, patterns: NDArray[np.bool_], widths: Sequence[int]) -> None:
    """One bar for each hidden neuron over the regions where it is active.  widths: of the hidden layers."""
    t = function.breakpoints.astype(float)
    for k, column in enumerate(patterns.T):
        ax.barh(k, (t[1:] - t[:-1])[column], left=t[:-1][column], color=CYCLE[k % len(CYCLE)], height=0.6)
    for boundary in t[1:-1]:
        ax.axvline(boundary, color=REFERENCE, lw=0.8)
    names = [f"layer {j}, neuron {k}" for j, width in enumerate(widths, 1) for k in range(1, width + 1)]
    ax.set(xlabel="$t$", yticks=range(len(names)), yticklabels=names, xlim=(t[0], t[-1]))
    ax.grid(False)


def zigzag_zoomed(axes: Sequence[Axes], function: PiecewiseAffine, bits: int = 54) -> None:
    """The whole of an exact trace on [0, 1], some of its teeth, and its valley at 0.4 in units of 2^-bits."""
    t, y = function.breakpoints, function.values[:, 0]
    for ax, (left, right) in zip(axes[:2], ((0, 1), (0.395, 0.41)), strict=True):
        ax.plot(t, y, color=EXACT, lw=0.6 if right == 1 else 2)
        ax.set(xlabel="$x$", xlim=(left, right), ylabel="$f(x)$")
    unit, start = Fraction(1, 2**bits), Fraction(0.4)
    near = np.flatnonzero(np.abs(t - start) < 64 * unit)
    shown = slice(near[0] - 1, near[-1] + 2)
    axes[2].plot([float((s - start) / unit) for s in t[shown]], [float(v / unit) for v in y[shown]], "o-", color=EXACT)
    axes[2].set(xlabel=f"$(x - x_0) \\cdot 2^{{{bits}}}$", ylabel=f"$f(x) \\cdot 2^{{{bits}}}$", xlim=(-8, 8),
                ylim=(-4, 60))


def lengths(ax: Axes, sorted_lengths: NDArray[np.float64]) -> None:
    """Lengths of all pieces on [0, 1] from short to long, and the smallest and largest gap of float64 in [1/4, 1]."""
    ax.semilogy(np.arange(len(sorted_lengths)) + 1, sorted_lengths, ".", ms=3, color=EXACT, label="pieces, by length")
    ax.axhspan(2.0**-54, 2.0**-53, color=ROUNDED, alpha=0.3, lw=0, label="gap between floats in [1/4, 1]")
    ax.set(xlabel="pieces", ylabel="length")
    ax.legend(loc="center right")


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
