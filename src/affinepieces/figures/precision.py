"""Figures of the chapter "The role of precision"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.chapters.precision import FORMATS, LAST
from affinepieces.figures.study import Samples, along, families, shares, without_legend
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED
from affinepieces.figures.tables import table
from affinepieces.study.comparisons import Comparison
from affinepieces.study.experiments.long_runs import RECORD

LOOKS = {"nearest": ("to nearest", ROUNDED), "stochastic": ("stochastic", GREEN)}


def by_precision(ax: Axes, sides: Mapping[str, Samples]) -> None:
    """Pieces at the end of a run against the bits of the significand.  sides: "nearest", ... -> runs by `FORMATS`."""
    looks = {**LOOKS, "control": ("float64 from the same start", EXACT)}
    bits = [int(fmt) for fmt in FORMATS]
    families(ax, bits, {looks[side][0]: (looks[side][1], samples) for side, samples in sides.items()}, xticks=bits,
             yscale="log", xlabel="bits $P$ of the significand", ylabel="affine pieces after 200 steps")


def other_starts(found: Mapping[tuple[str, int], Mapping[str, Comparison]]) -> Markdown:
    """A table: (start, log2 of the rate) -> bits -> comparison, as more / fewer and the median factor."""
    lines = [(start, f"$2^{{{rate}}}$", *(f"{c.more} / {c.less}, {2**c.effect:.2f}" for c in by_bits.values()))
             for (start, rate), by_bits in found.items()]
    return table(["start", "rate", *(f"{bits} bits" for bits in next(iter(found.values())))], lines)


def one_part(axes: Sequence[Axes], panels: Mapping[str, Mapping[str, Mapping[str, Comparison]]]) -> None:
    """Factors against float64, part by part.  panels: bits -> rounding -> part -> comparison."""
    for ax, (bits, several) in zip(axes, panels.items(), strict=True):
        names = ["sums" if part == "gradient" else part for part in next(iter(several.values()))]
        shares(ax, names, {LOOKS[rounding][0]: (LOOKS[rounding][1], [2**c.effect for c in found.values()])
                           for rounding, found in several.items()}, bottom=1, yscale="log", title=f"{bits} bits")
    axes[0].set_ylabel("pieces, relative to float64")
    without_legend(axes[-1])


def long_runs(axes: Sequence[Axes], panels: Mapping[str, Any]) -> None:
    """Pieces along 20 000 steps.  panels: bits -> a table with columns of counts (runs, steps)."""
    looks = {"nearest": ("to nearest", ROUNDED), "stochastic": ("all stochastic", GREEN),
             "update": ("update stochastic", PURPLE), "control": ("float64", EXACT)}
    for ax, (bits, runs) in zip(axes, panels.items(), strict=True):
        along(ax, RECORD, {label: (colour, runs[name]) for name, (label, colour) in looks.items()}, ylim=(0, 1750))
        ax.set(xscale="linear", xlabel="step", xticks=(0, 10000, 20000), title=f"{bits} bits",
               xticklabels=("0", "10 000", "20 000"))
    axes[0].set_ylabel("affine pieces")
    without_legend(axes[-1])


def wandering(axes: Sequence[Axes], predicted: Mapping[tuple[int, int], Mapping[int, NDArray[np.float64]]],
              measured: Mapping[tuple[int, int], Mapping[int, NDArray[np.float64]]]) -> None:
    """Steps until half of the pieces are gone.  Layers and log2 of the rate -> bits -> runs."""
    for ax, (n, rate) in zip(axes, predicted, strict=True):
        several = {label: (colour, list(found[n, rate].values()))
                   for label, colour, found in (("predicted", REFERENCE, predicted), ("measured", GREEN, measured))}
        bits = list(predicted[n, rate])
        families(ax, bits, several, yscale="log", xticks=bits, title=f"{n} layers, rate $2^{{{rate}}}$")
        ax.axhline(LAST, color=REFERENCE, lw=1, ls="--")
        if ax is not axes[0]:
            without_legend(ax)
    figure = axes[0].figure
    figure.supxlabel("bits after the binary point")
    figure.supylabel("steps until half of the pieces are gone")
