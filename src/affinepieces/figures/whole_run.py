"""Figures of the chapter "A whole run"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import REFERENCE, spread

Array = NDArray[Any]


def along_the_run(ax: Axes, steps: Sequence[int], families: Mapping[str, tuple[str, Array]],
                  start: int, what: str = "affine pieces") -> None:
    """Pieces after each recorded step.  families: label -> (colour, counts of shape (seeds, len(steps)))."""
    ax.axhline(start, ls="--", lw=1.2, color=REFERENCE, label=f"at the start: {start}")
    for (label, (colour, counts)), marker in zip(families.items(), "os^Dv", strict=False):
        spread(ax, steps, counts, colour, label, marker)
    ax.set_xscale("symlog", linthresh=1, base=2)
    ax.set_yscale("log", base=2)
    ax.set(xlabel="step $k$", ylabel=what, xticks=steps, xticklabels=steps, xlim=(0, max(steps) * 1.1),
           ylim=(0.8, 2**13))
    ax.legend(loc="lower left")


def maintain(ax: Axes, steps: Sequence[int], bound: Sequence[float],
             measured: Mapping[str, tuple[str, Array]]) -> None:
    """Share of runs with at least m pieces after each of the steps 1, ..., K; bars are confidence limits.

    bound: (B / m)^K.  measured: label -> (colour, array (3, len) of share, lower and upper limit).
    """
    ax.plot(steps, bound, "--", color=REFERENCE, label="$(B/m)^K$")
    for (label, (colour, (share, low, high))), marker in zip(measured.items(), "os", strict=False):
        ax.errorbar(steps[:len(share)], share, [share - low, high - share], fmt=marker, ls="-", color=colour,
                    capsize=3, lw=1.5, label=label)
    ax.set_xscale("log", base=2)
    ax.set(yscale="log", xlabel="number of steps $K$", ylabel="probability to maintain $m$", xticks=steps,
           xticklabels=steps, ylim=(1e-7, 2))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3)


def practical(ax: Axes, steps: Sequence[int], families: Mapping[str, tuple[str, Array]],
              bounds: Mapping[str, tuple[str, Array]]) -> None:
    """Regions of trained networks and bounds of their expectation; counts and bounds of shape (seeds, len(steps))."""
    for (label, (colour, values)), marker in zip(bounds.items(), "dx", strict=False):
        spread(ax, steps, values, colour, label, marker)
    for (label, (colour, counts)), marker in zip(families.items(), "os^", strict=False):
        spread(ax, steps, counts, colour, label, marker)
    ax.set_xscale("symlog", linthresh=1, base=2)
    ax.set(yscale="log", xlabel="step $k$", ylabel="activation regions", xticks=steps, xticklabels=steps,
           xlim=(0, max(steps) * 1.1), ylim=(3, None))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), ncols=2)


def single_runs(ax: Axes, steps: Sequence[int], counts: Array, bound: float, colour: str) -> None:
    """One line for each run, and the bound for one step from the start."""
    ax.plot(steps, counts.T, color=colour, lw=1, alpha=0.7)
    if np.isfinite(bound):
        ax.axhline(bound, ls="--", color=REFERENCE)
    ax.set_xscale("symlog", linthresh=1, base=2)
    ax.set_yscale("log", base=2)
    ax.set(ylabel="affine pieces", xticks=steps, xticklabels=steps, xlim=(0, max(steps) * 1.1),
           ylim=(0.8, 2**20))
