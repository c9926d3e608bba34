"""Figures of the chapter "Optimisers and rounding"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes

from affinepieces.figures.style import CYCLE, EXACT, REFERENCE, ROUNDED
from affinepieces.figures.tables import compared
from affinepieces.study.comparisons import Comparison

LOOKS = {"bfloat16": (ROUNDED, "o"), "float16": (EXACT, "s")}


def remedies(axes: Sequence[Axes], labels: Mapping[str, str],
             panels: Mapping[str, Mapping[str, Mapping[str, Comparison]]]) -> None:
    """Median factors against float64, a row for each remedy, bars from the least to the largest block of seeds.

    labels: remedy -> text.  panels: label of the axis -> format -> remedy -> comparison.
    """
    rows = {name: row for row, name in enumerate(labels)}
    for ax, (label, by_format) in zip(axes, panels.items(), strict=True):
        for shift, (fmt, found) in zip((-0.15, 0.15), by_format.items(), strict=True):
            colour, marker = LOOKS[fmt]
            at = np.array([rows[name] + shift for name in found])
            effects = np.array([[c.effect, min(c.blocks), max(c.blocks)] for c in found.values()]).T
            ax.hlines(at, *2.0 ** effects[1:], color=colour, lw=2)
            ax.plot(2.0 ** effects[0], at, marker, color=colour, label=fmt)
        ax.axvline(1, color=REFERENCE, lw=1, ls="--")
        ax.set_xscale("log", base=2)
        ax.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)))
        ax.grid(axis="y", visible=False)
    axes[0].set_yticklabels(list(labels.values()))
    axes[-1].set_yticklabels([])
    axes[0].legend(fontsize=9, loc="lower right")


def stages(ax: Axes, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Shares of the error, one stacked bar a row.  rows: label -> stage -> share; tiny negative shares are drawn as 0.
    """
    left = np.zeros(len(rows))
    for stage, colour in zip(next(iter(rows.values())), CYCLE, strict=False):
        shares = np.maximum([row[stage] for row in rows.values()], 0)
        ax.barh(range(len(rows)), shares, left=left, color=colour, label=stage)
        left += shares
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlim=(0, 1.02))
    ax.set_xlabel("share of the error of the first step")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.legend(ncols=5, fontsize=9, loc="lower center", bbox_to_anchor=(0.45, 1.0))


def comparisons(labels: Mapping[str, str], found: Mapping[str, Mapping[str, Comparison]],
                p: Mapping[str, Mapping[str, float]]) -> Markdown:
    """A table of comparisons, format after format.  found, p: format -> remedy -> comparison, corrected p-value."""
    keys = [(fmt, name) for fmt, rows in found.items() for name in rows]
    return compared(["format", "remedy"], {(fmt, labels[name]): found[fmt][name] for fmt, name in keys},
                    {(fmt, labels[name]): p[fmt][name] for fmt, name in keys})
