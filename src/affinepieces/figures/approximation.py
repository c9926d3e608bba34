"""Figures of the chapter "What it means for approximation"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, spread

Array = NDArray[Any]
Family = tuple[str, Sequence[int], Array]  # colour, depths, samples of shape (seeds, len(depths))


def errors_by_depth(ax: Axes, families: Mapping[str, Family], depths: Sequence[int], bound: Sequence[float],
                    allowed: tuple[Sequence[int], Sequence[float]]) -> None:
    """Sup-error to x^2 against depth, the constructed 4^-(n+1), and the lower bound of the expected error.

    allowed: depths and 1 / (8 p^2) at the pieces of the wider trained networks.
    """
    ax.semilogy(depths, [4.0 ** -(n + 1) for n in depths], "o-", color=EXACT, label="constructed")
    _families(ax, families)
    ax.plot(depths, bound, "--", color=REFERENCE, label="$1/(8B^2)$")
    ax.plot(*allowed, ":", color=GREEN, label="$1/(8p^2)$, width 12")
    ax.set(xlabel="hidden layers", ylabel="largest error to $x^2$", xticks=list(depths))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3)


def pieces_by_depth(ax: Axes, families: Mapping[str, Family], depths: Sequence[int], bound: Sequence[float]) -> None:
    """Affine pieces against depth: constructed, other families, and the bound B of the expectation."""
    ax.semilogy(depths, [2.0**n for n in depths], "o-", color=EXACT, label="constructed")
    _families(ax, families)
    ax.plot(depths, bound, "--", color=REFERENCE, label="bound $B$")
    ax.set_yscale("log", base=2)
    ax.set(xlabel="hidden layers", ylabel="affine pieces", xticks=list(depths))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3)


def chain(ax: Axes, depths: Sequence[int], error: Sequence[float], each: Sequence[float], jensen: Sequence[float],
          bound: Sequence[float]) -> None:
    """The four members of the proof, largest first."""
    lines = (("mean error", error, ROUNDED, "o-"), (r"mean of $1/(8p^2)$", each, PURPLE, "s-"),
             (r"$1/(8\,(\mathrm{mean}\ p)^2)$", jensen, EXACT, "^-"), ("$1/(8B^2)$", bound, REFERENCE, "--"))
    for label, values, colour, line in lines:
        ax.semilogy(depths, values, line, color=colour, label=label)
    ax.set(xlabel="hidden layers", ylabel="error", xticks=list(depths))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2)


def bound_and_error(ax: Axes, depths: Sequence[int], errors: Array, bound: Sequence[float]) -> None:
    """Perturbed networks against the construction and the lower bound; errors of shape (draws, len(depths))."""
    ax.semilogy(depths, [4.0 ** -(n + 1) for n in depths], "o-", color=EXACT, ms=3)
    spread(ax, depths, errors, ROUNDED, "")
    ax.plot(depths, bound, "--", color=REFERENCE)
    ax.set(ylabel="largest error to $x^2$", ylim=(1e-9, 3), xticks=list(depths))


def _families(ax: Axes, families: Mapping[str, Family]) -> None:
    for (label, (colour, depths, samples)), marker in zip(families.items(), "s^D", strict=False):
        spread(ax, depths, np.asarray(samples), colour, label, marker)
