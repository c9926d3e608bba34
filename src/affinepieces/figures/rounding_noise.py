"""Figures of the chapter "Is rounding like the model?"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import GREEN, PURPLE, REFERENCE, ROUNDED

Values = NDArray[np.float64]
BINS = 31


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
    ax.text(1, 1.02, f"{label}: $\\delta$ = {size}", ha="right", transform=ax.transAxes, fontsize=10)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 2))


def theta_by_format(axes: Sequence[Axes], panels: Mapping[str, tuple[Values, float]]) -> None:
    """One histogram for each format.  panels: name -> (Theta of all updates, delta of the noise beside it)."""
    for ax, (name, (theta, delta)) in zip(axes, panels.items(), strict=True):
        relative_errors(ax, theta, delta, name)
        ax.set_xlabel("$\\Theta$")
    for ax in axes[::2]:
        ax.set_ylabel("share of the updates")


def in_last_places(ax: Axes, errors: Mapping[str, Values]) -> None:
    """Distribution functions of the error of a step in units of the last place, and that of rounding to nearest."""
    ax.plot([-1, -0.5, 0.5, 1], [0, 0, 1, 1], color=REFERENCE, lw=5, alpha=0.4, label="uniform")
    for (name, values), colour, style in zip(errors.items(), (GREEN, PURPLE, ROUNDED), ("-", "--", ":"), strict=True):
        ordered = np.sort(values)
        ax.plot(ordered, (np.arange(len(ordered)) + 0.5) / len(ordered), style, color=colour, label=name)
    ax.set(xlabel="error of the stored bias, in units of its last place", ylabel="share of the updates below",
           xlim=(-1, 1))
    ax.legend(loc="upper left")
