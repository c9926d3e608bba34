"""Figures of the chapter "The crossing lemma"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from affinepieces.chapters.crossings import crossings_at_levels
from affinepieces.figures.style import EXACT, GREEN, REFERENCE, ROUNDED
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.theory.crossings import crossings_bound, expected_crossings

Array = NDArray[Any]


def graph_and_levels(ax: Axes, h: PiecewiseAffine, interval: tuple[float, float], draws: ArrayLike = ()) -> None:
    """The graph of h, the band of the levels -b for b in the interval, a line and its crossings for each draw of b."""
    t, y = h.breakpoints.astype(float), h.values[:, 0].astype(float)
    ax.axhspan(-interval[1], -interval[0], color=REFERENCE, alpha=0.12, lw=0)
    ax.plot(t, y, color=EXACT, lw=2 if len(t) <= 64 else 0.8)
    for level in -np.asarray(draws, dtype=float):
        crossed = (np.minimum(y[:-1], y[1:]) < level) & (level < np.maximum(y[:-1], y[1:]))
        at = t[:-1][crossed] + (level - y[:-1][crossed]) / np.diff(y)[crossed] * np.diff(t)[crossed]
        ax.axhline(level, color=ROUNDED, lw=0.8)
        ax.plot(at, np.full(len(at), level), "o", color=ROUNDED, ms=4)
    ax.set(xlabel="$t$", ylabel="$h(t)$ and levels $-b$", xlim=(t[0], t[-1]))


def crossings_of_levels(ax: Axes, edges: Array, counts: Array, interval: tuple[float, float]) -> None:
    """N(s), the number of crossings, lying on its side: counts[i] between edges[i] and edges[i + 1].

    The part inside the band of the levels -b is darker.
    """
    s = edges.astype(float)
    inside = np.clip(s, -interval[1], -interval[0])
    ax.axhspan(-interval[1], -interval[0], color=REFERENCE, alpha=0.12, lw=0)
    ax.stairs(counts, s, orientation="horizontal", fill=True, color=EXACT, alpha=0.3)
    ax.stairs(counts, inside, orientation="horizontal", fill=True, color=EXACT, alpha=0.6)
    ax.stairs(counts, s, orientation="horizontal", color=EXACT, lw=1.2)
    ax.set(xlabel="crossings $N(s)$", xlim=(0, 1.08 * float(max(counts))))
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def band_and_crossings(h: PiecewiseAffine, width: float) -> Figure:
    """Graph and crossings of h, with noise of this width around the middle of its range."""
    centre = -float(h.values.max() + h.values.min()) / 2
    interval = centre - width / 2, centre + width / 2
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(6.4, 4), width_ratios=[2, 1])
    graph_and_levels(left, h, interval)
    crossings_of_levels(right, *crossings_at_levels(h), interval)
    expected, bound = float(expected_crossings(h, width, centre)), float(crossings_bound(h, width))
    left.set(ylim=(-0.6, 1.6), xlabel=f"$t$     (expected {expected:.3g}, bound $V/l$ = {bound:.3g})")
    return figure


def running_means(axes: Sequence[Axes], runs: Mapping[str, tuple[Array, float, float]]) -> None:
    """Mean of the first n counts with four standard errors, the identity and the bound; one pair of axes a function.

    runs: label -> (counts of all draws, right-hand side of the identity, bound V / l).
    """
    for ax, (label, (counts, expected, bound)) in zip(axes, runs.items(), strict=True):
        n = np.unique(np.geomspace(100, len(counts), 300).astype(int))
        mean = np.cumsum(counts)[n - 1] / n
        error = np.sqrt(np.maximum(np.cumsum(counts.astype(float) ** 2)[n - 1] / n - mean**2, 0) / n)
        ax.fill_between(n, mean - 4 * error, mean + 4 * error, color=ROUNDED, alpha=0.2, lw=0)
        ax.axhline(bound, ls="--", color=REFERENCE, label="bound $V(h)/l$")
        ax.axhline(expected, color=EXACT, label="identity")
        ax.plot(n, mean, color=ROUNDED, lw=1.5, label="mean of the draws")
        ax.set_xscale("log")
        ax.set(xlim=(100, len(counts)), ylabel="crossings")
        ax.text(0.99, 0.62, label, ha="right", transform=ax.transAxes, fontsize=10)
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    axes[-1].set_xlabel("number of random biases")


def crossings_by_layer(ax: Axes, layers: Sequence[int], steep: tuple[Sequence[float], Sequence[float]],
                       gentle: tuple[Sequence[float], Sequence[float]]) -> None:
    """Expected crossings and bound of one neuron in each layer; steep and gentle are (expected, bound)."""
    for (expected, bound), colour, marker, size, label in ((steep, GREEN, "s", 9, "steep twin"),
                                                           (gentle, EXACT, "o", 5, "gentle sawtooth")):
        ax.plot(layers, bound, "--", color=colour, lw=1.2, label=f"bound, {label}")
        ax.plot(layers, expected, marker, ls="-", color=colour, ms=size, label=f"expected, {label}")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="layer $j$ of the neuron", ylabel="crossings", xticks=layers)
    ax.legend(loc="upper left")
