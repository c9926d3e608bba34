"""Figures of the study: medians with the middle half of the runs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import CYCLE, EXACT, REFERENCE, spread

Samples = Sequence[ArrayLike]  # one array of runs for each x


def middle(ax: Axes, x: ArrayLike, samples: Samples, colour: str, label: str, marker: str = "o") -> None:
    """Median as a line, the middle half of the runs as a band."""
    band(ax, x, [np.quantile(np.asarray(s, float), (0.25, 0.5, 0.75)) for s in samples], colour, label, marker)


def band(ax: Axes, x: ArrayLike, rows: ArrayLike, colour: str, label: str, marker: str = "o") -> None:
    """rows: lower end, middle and upper end for each x."""
    low, mid, high = np.array(rows).T
    ax.plot(x, mid, marker=marker, color=colour, label=label)
    ax.fill_between(np.asarray(x, dtype=float), low, high, color=colour, alpha=0.2, lw=0)


def families(ax: Axes, x: ArrayLike, several: Mapping[str, tuple[str, Samples]], **axes: Any) -> None:
    """Several families of runs.  several: label -> (colour, samples).  axes: for `Axes.set`."""
    for (label, (colour, samples)), marker in zip(several.items(), "os^Dvx", strict=False):
        middle(ax, x, samples, colour, label, marker)
    ax.set(**axes)
    ax.legend()


def along(ax: Axes, steps: Sequence[int], several: Mapping[str, tuple[str, NDArray[Any]]], **axes: Any) -> None:
    """Counts of shape (runs, steps) against the step."""
    families(ax, steps, {k: (c, list(np.asarray(v).T)) for k, (c, v) in several.items()}, **axes)
    ax.set_xscale("symlog", linthresh=max(1, steps[1]), base=2 if steps[1] in (1, 2, 64) else 10)
    ax.set(xlabel="step", xticks=steps, xticklabels=steps)


def by_shape(ax: Axes, shapes: Sequence[tuple[int, int]], several: Mapping[str, Samples]) -> None:
    """Medians with the middle half against the number of neurons, shapes with as many neurons side by side.

    shapes: (depth, width).  several: label -> counts of the runs of each shape.
    """
    neurons = [depth * width for depth, width in shapes]
    for i, ((label, samples), marker, colour) in enumerate(zip(several.items(), "os^D", CYCLE, strict=False)):
        for j, (count, runs) in enumerate(zip(neurons, samples, strict=True)):
            low, mid, high = np.quantile(np.asarray(runs), (0.25, 0.5, 0.75))
            side = i - (len(several) - 1) / 2 + len(several) * 1.3 * (neurons[:j].count(count) - 1)
            ax.errorbar(count * 1.025**side, mid, [[mid - low], [high - mid]], fmt=marker, color=colour, ms=4, lw=1,
                        label=None if j else label)
    ticks = sorted(set(neurons))
    ax.set(xscale="log", yscale="log", xlabel="hidden neurons")
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.set_yticks((16, 32, 64), ("16", "32", "64"))
    ax.minorticks_off()
    ax.legend()


def shares(ax: Axes, names: Sequence[str], several: Mapping[str, tuple[str, ArrayLike]], bottom: float = 0.0,
           **axes: Any) -> None:
    """Bars side by side.  several: label -> (colour, a number for each name)."""
    width = 0.8 / len(several)
    for i, (label, (colour, values)) in enumerate(several.items()):
        ax.bar(np.arange(len(names)) + (i - (len(several) - 1) / 2) * width, np.asarray(values, float) - bottom, width,
               bottom=bottom, color=colour, label=label)
    ax.axhline(bottom, color=REFERENCE, lw=1)
    ax.set_xticks(range(len(names)), names, rotation=30)
    ax.set(**axes)
    ax.legend()


def growth_of_the_mean(ax: Axes, sizes: Sequence[int], samples: ArrayLike, density: float) -> None:
    """Mean of M reciprocals against M, and the line 2 f(0) log M.  samples: (seeds, len(sizes))."""
    spread(ax, sizes, samples, EXACT, "median and range of the mean")
    ax.plot(sizes, 2 * density * np.log(np.asarray(sizes, float)), "--", color=REFERENCE, label="$2 f(0) \\log M$")
    ax.set(xscale="log", yscale="log", xlabel="number $M$ of updates", ylabel="mean of $1/|\\Delta|$")
    ax.legend(loc="upper left")
