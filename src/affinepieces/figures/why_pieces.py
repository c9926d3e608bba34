"""Figures of the chapter "Why pieces matter"."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from affinepieces.figures.style import EXACT, GREEN, REFERENCE, ROUNDED
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.theory.approximation import error_lower_bound

Points = list[tuple[int, float]]


def error_against_pieces(ax: Axes, families: Mapping[str, Points]) -> None:
    """Sup-error to x^2 against the number of pieces, and the bound 1 / (8 m^2) that nothing crosses."""
    most = max(m for points in families.values() for m, _ in points)
    m = np.array([1, most], dtype=float)
    bound = [error_lower_bound(curvature=2, length=1, pieces=k) for k in m]
    ax.fill_between(m, 1e-9, bound, color=REFERENCE, alpha=0.15, lw=0)
    ax.plot(m, bound, color=REFERENCE, label="lower bound $1/(8m^2)$")
    for (label, points), (colour, marker) in zip(families.items(), ((ROUNDED, "s"), (GREEN, "^"), (EXACT, "o")),
                                                 strict=False):
        ax.plot(*zip(*points, strict=True), marker, color=colour, label=label)
    ax.set(xscale="log", yscale="log", xlabel="affine pieces $m$ on [0, 1]", ylabel="largest error to $x^2$",
           ylim=(bound[-1] / 3, 1))
    ax.set_xscale("log", base=2)
    ax.legend(loc="lower left")


def best_pieces(ax: Axes, m: int) -> None:
    """The best approximation of x^2 with m equal pieces, the interpolant lowered by half of its error, minus x^2."""
    x, t = np.linspace(0, 1, 400), np.linspace(0, 1, m + 1)
    bound = error_lower_bound(curvature=2, length=1, pieces=m)
    error = np.interp(x, t, t**2) - bound - x**2
    ax.plot(x, error, color=EXACT)
    ax.axhline(bound, color=REFERENCE, ls="--")
    ax.axhline(-bound, color=REFERENCE, ls="--")
    ax.set(xlabel="$x$", ylabel="approximation minus $x^2$", ylim=(-0.14, 0.14), xlim=(0, 1))
    ax.annotate(f"$m = {m}$:  error $\\pm 1/(8m^2) = \\pm{bound:.4g}$", (0.5, 1.03), xycoords="axes fraction",
                ha="center", color=REFERENCE)


def second_difference(ax: Axes, function: PiecewiseAffine) -> None:
    """One affine piece under a parabola: the gaps at its ends and at its middle cannot all be small."""
    x = np.linspace(-0.1, 1.1, 200)
    ax.plot(x, x**2, color=REFERENCE, label="$f(x) = x^2$")
    ends = np.array([0.0, 0.5, 1.0])
    line = function(ends)[:, 0]
    ax.plot(ends, line, color=EXACT, label="one affine piece $g$")
    for u, v in zip(ends, line, strict=True):
        ax.annotate("", (u, u**2), (u, v), arrowprops={"arrowstyle": "<->", "color": ROUNDED, "lw": 1.5})
    ax.set(xlabel="$x$", xticks=ends, xticklabels=["$x_0 - w/2$", "$x_0$", "$x_0 + w/2$"], ylabel="value")
    ax.legend(loc="upper left")
