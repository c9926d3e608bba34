"""Figures of the chapter "Exponentially many"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import CYCLE, EXACT, GREEN, REFERENCE, ROUNDED, spread
from affinepieces.pieces.piecewise import PiecewiseAffine


def graph(ax: Axes, function: PiecewiseAffine, label: str) -> None:
    """The graph of a scalar function, its breakpoints marked where they can be told apart."""
    marker = "o" if function.regions <= 64 else ""
    ax.plot(function.breakpoints, function.values[:, 0], color=EXACT, marker=marker, ms=4, label=label,
            lw=2 if function.regions <= 64 else 0.6)
    ax.set(xlabel="$x$", xlim=(float(function.breakpoints[0]), float(function.breakpoints[-1])))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16))


def built_bounded_random(ax: Axes, depths: Sequence[int], built: Sequence[int], bound: Sequence[int],
                         random: NDArray[np.int_]) -> None:
    """Pieces against depth at width 2: the sawtooth, the combinatorial bound, random networks (seeds, depths)."""
    ax.plot(depths, bound, "--", color=REFERENCE, label="combinatorial bound $3^n$")
    ax.plot(depths, built, "o", color=EXACT, ls="-", label="sawtooth: $2^n$")
    spread(ax, depths, random, ROUNDED, "random weights", "s")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="hidden layers $n$ of width 2", ylabel="activation regions", xticks=list(depths))
    ax.legend()


def twins_under_noise(axes: Sequence[Axes], traces: Mapping[str, tuple[PiecewiseAffine, PiecewiseAffine]],
                      window: tuple[float, float]) -> None:
    """One panel for each twin: a few teeth before and after noise.  traces: name -> (before, after), on [0, 1]."""
    for ax, (name, pair) in zip(axes, traces.items(), strict=True):
        for when, function, colour in zip(("before", "after"), pair, (EXACT, ROUNDED), strict=True):
            label = f"{when}: {function.pieces} pieces"
            ax.plot(function.breakpoints, function.values[:, 0], color=colour, label=label)
        ax.set(xlabel="$x$", xlim=window)
        inside = [function(np.linspace(*window, 2000)) for function in pair]
        low, high = min(y.min() for y in inside), max(y.max() for y in inside)
        ax.set(ylabel="$f(x)$", ylim=(low - 0.05 * (high - low), high + 0.3 * (high - low)))
        ax.legend(loc="upper center")
        ax.annotate(name, (0.5, 1.03), xycoords="axes fraction", ha="center", color=REFERENCE)


def regions_against_neurons(ax: Axes, counts: Mapping[int, tuple[Sequence[int], NDArray[np.int_]]]) -> None:
    """Regions of random networks against their number of neurons.  counts: width -> (neurons, (seeds, len))."""
    largest = max(max(neurons) for neurons, _ in counts.values())
    ax.plot([4, largest], [4, largest], "--", color=REFERENCE, label="regions = neurons")
    for (width, (neurons, samples)), colour in zip(counts.items(), (GREEN, EXACT, ROUNDED, *CYCLE), strict=False):
        spread(ax, neurons, samples, colour, f"width {width}")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set(xlabel="hidden neurons", ylabel="activation regions on [-5, 5]")
    ax.legend()
