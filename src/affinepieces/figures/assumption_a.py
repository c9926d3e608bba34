"""Figures of the chapter "Assumption (A) in practice"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from affinepieces.figures.study import Samples, band, middle
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, YELLOW, spread
from affinepieces.figures.tables import table

LOOKS = {"uniform": (PURPLE, "^"), "He, normal biases": (GREEN, "D"), "He, biases 0": (YELLOW, "v"),
         "gentle sawtooth": (ROUNDED, "o"), "steep twin": (EXACT, "s")}


def reciprocals(axes: Sequence[Axes], panels: Mapping[str, tuple[Sequence[int], Mapping[str, Samples]]]) -> None:
    """p against the depth, and against the width.  panels: label of the axis -> x, and name -> runs for each x."""
    for ax, (label, (x, several)) in zip(axes, panels.items(), strict=True):
        for name, samples in several.items():
            colour, marker = LOOKS[name]
            middle(ax, x, samples, colour, name, marker)
        ax.set(yscale="log", xlabel=label)
    axes[1].set_xscale("log")
    for ax, (x, _) in zip(axes, panels.values(), strict=True):
        ax.set_xticks(x, [str(n) for n in x])
        ax.minorticks_off()
    axes[0].set_ylabel("mean reciprocal $p$")
    axes[0].legend(fontsize=9, loc="upper left")


def by_layer(ax: Axes, several: Mapping[str, ArrayLike], factor: float) -> None:
    """Quantiles of the updates by the number of hidden layers above.  several: name -> (hidden layers, 3).

    The dashed line falls by `factor` with each layer above, from the first median of "uniform".
    """
    for name, rows in several.items():
        colour, marker = LOOKS[name]
        band(ax, np.arange(len(np.asarray(rows))), rows, colour, name, marker)
    above = np.arange(len(np.asarray(several["uniform"])))
    ax.plot(above, np.asarray(several["uniform"])[0, 1] / factor**above, "--", color=REFERENCE, label="predicted")
    ax.set(yscale="log", xlabel="hidden layers above", ylabel="$|\\Delta_b|$ / learning rate")
    ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))


def growth_of_the_mean(ax: Axes, sizes: Sequence[int], samples: ArrayLike, density: float) -> None:
    """Mean of M reciprocals against M, and the line 2 f(0) log M.  samples: (seeds, len(sizes))."""
    spread(ax, sizes, samples, EXACT, "median and range of the mean")
    ax.plot(sizes, 2 * density * np.log(np.asarray(sizes, float)), "--", color=REFERENCE, label="$2 f(0) \\log M$")
    ax.set(xscale="log", yscale="log", xlabel="number $M$ of updates", ylabel="mean of $1/|\\Delta|$")
    ax.legend(loc="upper left")


def slopes(head: Sequence[str], lines: Mapping[str, Sequence[tuple[float, Sequence[float]]]]) -> Markdown:
    """A table of slopes, with the least and the largest of the blocks of seeds in brackets.  lines: name -> slopes."""
    return table(head, [(name, *(f"{found:.2f} ({min(blocks):.2f} to {max(blocks):.2f})" for found, blocks in row))
                        for name, row in lines.items()])
