"""Figures of the study: medians with the middle half of the runs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import REFERENCE

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


def without_legend(ax: Axes) -> None:
    """For a panel beside one that has the same legend."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()


def along(ax: Axes, steps: Sequence[int], several: Mapping[str, tuple[str, NDArray[Any]]], **axes: Any) -> None:
    """Counts of shape (runs, steps) against the step."""
    families(ax, steps, {k: (c, list(np.asarray(v).T)) for k, (c, v) in several.items()}, **axes)
    ax.set_xscale("symlog", linthresh=max(1, steps[1]), base=2 if steps[1] in (1, 2, 64) else 10)
    ax.set(xlabel="step", xticks=steps, xticklabels=steps)


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
