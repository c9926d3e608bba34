"""Figures of the study: medians with the middle half of the runs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.style import CYCLE, EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, YELLOW
from affinepieces.figures.tables import table

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


# --- the chapter "Pieces during training"

def before_and_after(axes: Sequence[Axes], shapes: Sequence[tuple[int, int]],
                     panels: Mapping[str, Mapping[str, Samples]]) -> None:
    """Pieces against neurons, with the line of one piece for two neurons.  panels: title -> task -> runs by shape."""
    for ax, (title, several) in zip(axes, panels.items(), strict=True):
        by_shape(ax, shapes, several)
        ax.plot((25, 160), (12.5, 80), "--", color=REFERENCE)
        ax.set_title(title)
    axes[0].set_ylabel("affine pieces on [0, 1]")
    axes[-1].get_legend().remove()


def growths(shapes: Sequence[tuple[int, int]],
            found: Mapping[str, Sequence[tuple[float, Sequence[float]]]]) -> Markdown:
    """A table: task -> for each shape a median, and in brackets the ends of the medians of the blocks."""
    lines = [(task, *(f"{mid:.2f} ({min(blocks):.2f}, {max(blocks):.2f})" for mid, blocks in row))
             for task, row in found.items()]
    return table(["task", *(f"{depth} layers of {width}" for depth, width in shapes)], lines)


BOUNDS = {"after": ("regions after the step", EXACT), "depth_budget": ("depth budget", GREEN),
          "combinatorial": (r"product of $N_j + 1$", REFERENCE), "data_driven": ("data-driven bound", ROUNDED)}


def bounds(ax: Axes, shapes: Sequence[tuple[int, int]], found: Mapping[str, Samples]) -> None:
    """Regions after a perturbed step, and three bounds, shape by shape.  found: name -> runs by shape."""
    families(ax, range(len(shapes)), {label: (colour, found[name]) for name, (label, colour) in BOUNDS.items()},
             yscale="log", xlabel="hidden layers x width", xticks=range(len(shapes)),
             xticklabels=[f"{depth} x {width}" for depth, width in shapes])


def digit_regions(axes: Sequence[Axes], steps: Sequence[int], panels: Mapping[int, Mapping[str, NDArray[Any]]]) -> None:
    """Regions between images against the step.  panels: layers -> kind of labels -> counts (runs, steps)."""
    for ax, (depth, several) in zip(axes, panels.items(), strict=True):
        colours = zip(several.items(), (EXACT, YELLOW, PURPLE), strict=True)
        along(ax, steps, {label: (colour, runs) for (label, runs), colour in colours}, title=f"{depth} layers")
        ax.set_xticks((0, 10, 100, 1000), ("0", "10", "100", "1000"))
    axes[0].set_ylabel("regions between two images")
    axes[-1].get_legend().remove()


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
