"""Figures of the chapter "A whole run"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.study import along
from affinepieces.figures.style import EXACT, GREEN, REFERENCE, ROUNDED, YELLOW

Counts = NDArray[np.int64]
FLOOR = 1e-6  # of the axis of probabilities


def maintain(ax: Axes, steps: Sequence[int], bound: Sequence[float],
             measured: Mapping[str, NDArray[np.float64]]) -> None:
    """Probability to have had m after each of K steps; a curve ends where no run is left.

    bound: q^K.  measured: label -> share of the runs, its lower and upper limit, (3, len(steps)).
    """
    ax.plot(steps, bound, "--", color=REFERENCE, label="$q^K$")
    for (label, values), colour, marker in zip(measured.items(), (EXACT, ROUNDED, GREEN), "os^", strict=False):
        share, low, high = values[:, values[0] > 0]
        ax.errorbar(steps[:len(share)], share, [share - low, high - share], fmt=marker, ls="-", color=colour,
                    capsize=3, lw=1.5, label=label)
    ax.set_xscale("log", base=2)
    ax.set(yscale="log", xlabel="number of steps $K$", ylabel="probability to maintain $m$", xticks=steps,
           xticklabels=steps, ylim=(FLOOR, 2))
    ax.legend(loc="lower left", fontsize=9)


def what_is_left(ax: Axes, steps: Sequence[int], regions: Counts, pieces: Counts) -> None:
    """Regions and pieces along the same runs, medians and middle half.  Both (runs, len(steps))."""
    along(ax, steps, {"regions": (ROUNDED, regions), "pieces": (GREEN, pieces)}, ylabel="regions, pieces")
    ax.set_yscale("log", base=2)


def along_the_runs(ax: Axes, steps: Sequence[int], pieces: Mapping[float, Counts], bound: float) -> None:
    """Pieces along runs for three levels of perturbation, the last of them with a bound for its first step."""
    colours = zip(pieces.items(), (EXACT, YELLOW, ROUNDED), strict=True)
    along(ax, steps, {rf"$\delta = {delta}$": (colour, counts) for (delta, counts), colour in colours},
          ylabel="affine pieces")
    ax.axhline(bound, ls="--", color=REFERENCE)
    ax.annotate(rf"least bound for the first step, $\delta = {max(pieces)}$", (0, bound), (4, -12),
                textcoords="offset points", fontsize=9)
    ax.set_yscale("log", base=2)


def single_runs(ax: Axes, steps: Sequence[int], regions: Counts, pieces: Counts, bound: float) -> None:
    """One line for each run, and the bound for the first step.  Counts: (runs, len(steps))."""
    for counts, colour, label in ((regions, ROUNDED, "regions"), (pieces, GREEN, "pieces")):
        lines: Any = ax.plot(steps, counts.T, color=colour, lw=1, alpha=0.7)
        lines[0].set_label(label)
    ax.axhline(bound, ls="--", color=REFERENCE, label="bound for the first step")
    ax.set_xscale("symlog", linthresh=1, base=2)
    ax.set_yscale("log", base=2)
    ax.set(xlabel=f"step     (bound for the first step: {bound:.3g})", ylabel="regions, pieces", xticks=steps,
           xticklabels=steps, xlim=(0, max(steps)), ylim=(0.8, 2**19))
    ax.legend(loc="upper center", fontsize=9, ncols=3)
