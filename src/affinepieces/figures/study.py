"""Figures of the study: medians with the middle half of the runs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED

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


# --- the chapter "The role of precision"

def by_precision(ax: Axes, bits: Sequence[int], nearest: Samples, stochastic: Samples, control: Samples) -> None:
    """Pieces at the end of a run against the bits of the significand."""
    families(ax, bits, {"to nearest": (ROUNDED, nearest), "stochastic": (GREEN, stochastic),
                        "float64 from the same start": (EXACT, control)}, xticks=bits, yscale="symlog",
             xlabel="bits $P$ of the significand", ylabel="affine pieces after 200 steps")


def one_part(axes: Sequence[Axes], panels: Mapping[str, Mapping[str, ArrayLike]]) -> None:
    """Factors against float64, part by part.  panels: bits -> "nearest" and "stochastic" -> factors of five parts."""
    looks = {"nearest": ("to nearest", ROUNDED), "stochastic": ("stochastic", GREEN)}
    for ax, (bits, several) in zip(axes, panels.items(), strict=True):
        shares(ax, ("forward", "backward", "sums", "update", "all"),
               {looks[name][0]: (looks[name][1], factors) for name, factors in several.items()}, bottom=1,
               yscale="log", title=f"{bits} bits")
    axes[0].set_ylabel("pieces, relative to float64")
    axes[-1].get_legend().remove()


def long_runs(axes: Sequence[Axes], steps: Sequence[int], panels: Mapping[str, Any]) -> None:
    """Pieces along 20 000 steps.  panels: bits -> a table with columns of counts (runs, steps)."""
    looks = {"nearest": ("to nearest", ROUNDED), "stochastic": ("all stochastic", GREEN),
             "update": ("update stochastic", PURPLE), "control": ("float64", EXACT)}
    for ax, (bits, runs) in zip(axes, panels.items(), strict=True):
        along(ax, steps, {label: (colour, runs[name]) for name, (label, colour) in looks.items()}, ylim=(0, 1500))
        ax.set(xscale="linear", xlabel="step", xticks=(0, 10000, 20000), title=f"{bits} bits",
               xticklabels=("0", "10 000", "20 000"))
    axes[0].set_ylabel("affine pieces")
    axes[-1].get_legend().remove()


def wandering(axes: Sequence[Axes], panels: Mapping[tuple[int, int], tuple[Sequence[int], Samples, Samples]],
              last: float) -> None:
    """Steps until half of the pieces are gone.  panels: layers and log2 rate -> bits, predicted, measured."""
    for ax, ((n, rate), (bits, predicted, measured)) in zip(axes, panels.items(), strict=True):
        families(ax, bits, {"predicted": (REFERENCE, predicted), "measured": (GREEN, measured)}, yscale="log",
                 xticks=bits, title=f"{n} layers, rate $2^{{{rate}}}$")
        ax.axhline(last, color=REFERENCE, lw=1, ls="--")
        if ax is not axes[0]:
            ax.get_legend().remove()
    figure = axes[0].figure
    figure.supxlabel("bits after the binary point")
    figure.supylabel("steps until half of the pieces are gone")
