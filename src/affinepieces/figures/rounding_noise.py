"""Figures of the chapter "Is rounding like the model?"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.chapters.rounding_noise import Claims, Errors, matching, pooled
from affinepieces.figures.study import middle
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED
from affinepieces.figures.tables import table

Values = NDArray[np.float64]
BINS = 31
STARTS = {"he_biases": ("He", EXACT), "uniform": ("uniform", PURPLE)}
MOMENTS = {0: ("start", ":"), -1: ("trained", "-")}


def relative_errors(ax: Axes, theta: Values, delta: float, label: str) -> None:
    """Histogram of Theta beside the uniform noise on [-delta, delta]; lost updates, Theta = -1, have their own bar.

    What lies beyond 1.5 delta is in the outermost bars.
    """
    edges = np.linspace(-1.5 * delta, 1.5 * delta, BINS + 1)
    lost, step = theta == -1, edges[1] - edges[0]
    inside = np.clip(theta, edges[0], edges[-1])
    shares = np.histogram(inside[~lost], edges)[0] / len(theta)
    missing = np.histogram(inside[lost], edges)[0] / len(theta)
    ax.stairs(shares, edges, fill=True, color=ROUNDED, alpha=0.7)
    if lost.any():
        ax.stairs(shares + missing, edges, baseline=shares, fill=True, color=PURPLE)
        tallest = float((shares + missing)[missing > 0].max())
        ax.annotate(f"lost: {np.mean(lost):.0%}", (max(-1.0, edges[0]) + step, tallest), xytext=(3, 0),
                    textcoords="offset points", va="top", color=PURPLE, fontsize=10)
    height = step / (2 * delta)
    ax.plot([-delta, -delta, delta, delta], [0, height, height, 0], color=REFERENCE, lw=1.5)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
    size = f"{delta:.1e}" if delta < 0.01 else f"{delta:.2f}"
    ax.text(1, 1.02, f"{label}: $\\delta$ = {size}", ha="right", transform=ax.transAxes, fontsize=9)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 2))


def theta_by_network(axes: NDArray[Any], rows: Mapping[str, Mapping[str, Sequence[Errors]]],
                     machines: Sequence[str]) -> None:
    """A row for each network, a column for each of these machines.  rows: network -> machine -> errors of steps."""
    for row, (network, by_machine) in zip(axes, rows.items(), strict=True):
        for ax, machine in zip(row, machines, strict=True):
            theta = pooled(by_machine[machine], "theta")
            relative_errors(ax, theta, matching(theta), machine)
        row[0].set_ylabel(f"{network}: share of updates")
    for ax in axes[-1]:
        ax.set_xlabel("$\\Theta$")


def claims(found: Mapping[str, Mapping[str, Claims]]) -> Markdown:
    """The claims of the model and what was measured.  found: network -> machine -> claims."""
    lines = [(f"{network}, {machine}", f"{c.delta:.1e}", f"{c.slope:.1f}", f"{c.tiny:.0%}", f"{c.negative:.0%}",
              f"{c.lost:.0%}", f"{c.same:.2f} ({c.independent:.2f})")
             for network, by_machine in found.items() for machine, c in by_machine.items()]
    return table(["", "$\\delta$", "exponent", "within $\\delta/10$", "negative", "lost", "same sign"],
                 [("model", "", "1", "10%", "50%", "0%", "0.50 (0.50)"), *lines])


def distributions(ax: Axes, several: Mapping[str, Values], **axes: Any) -> None:
    """Distribution functions.  several: label -> values.  axes: for `Axes.set`."""
    looks = zip(several.items(), (GREEN, PURPLE, ROUNDED, EXACT), ("-", "--", ":", "-."), strict=False)
    for (label, values), colour, style in looks:
        ax.plot(np.sort(values), (np.arange(len(values)) + 0.5) / len(values), style, color=colour, label=label)
    ax.set(**axes)
    ax.legend(loc="upper left", fontsize=9)


def in_last_places(ax: Axes, errors: Mapping[str, Values]) -> None:
    """Errors of a step in units of the last place beside the error of rounding to nearest.  errors: label -> values."""
    ax.plot([-1.5, -0.5, 0.5, 1.5], [0, 0, 1, 1], color=REFERENCE, lw=5, alpha=0.4, label="uniform")
    distributions(ax, errors, xlabel="error of the stored bias, in units of its last place",
                  ylabel="share of the updates below", xlim=(-1.5, 1.5))


def computed_updates(ax: Axes, ratios: Mapping[str, Values]) -> None:
    """Computed over exact update.  ratios: label -> values."""
    for at, style in ((0, ":"), (1, "-")):
        ax.axvline(at, color=REFERENCE, lw=1, ls=style)
    distributions(ax, ratios, xlabel="computed update over exact update, before it is added",
                  ylabel="share of the updates below", xlim=(-4, 5))


def slopes(ax: Axes, layers: Sequence[int], found: Mapping[tuple[str, int], Values]) -> None:
    """Largest slopes by layer.  found: start and 0 (before) or -1 (after training) -> (layers, runs)."""
    for (start, when), by_layer in found.items():
        (label, colour), (moment, style) = STARTS[start], MOMENTS[when]
        middle(ax, layers, list(by_layer), colour, f"{label}, {moment}", "o" if when else "s")
        ax.lines[-1].set(linestyle=style)
    ax.set(xlabel="layer", ylabel="largest $|dz/dt|$", yscale="log", xticks=layers)
    ax.legend()
