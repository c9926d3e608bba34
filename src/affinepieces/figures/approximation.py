"""Figures of the chapter "What it means for approximation"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.chapters.approximation import Share
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, YELLOW, spread

Array = NDArray[Any]
LOOKS = ((ROUNDED, "s"), (YELLOW, "^"), (GREEN, "D"))  # with noise, trained narrow and wide


def errors_by_depth(ax: Axes, depths: Sequence[int], lower: ArrayLike,
                    families: Mapping[str, tuple[Sequence[int], Array]]) -> None:
    """Largest errors to x^2, the constructed 4^-(n+1), and the lower bound of the expected error.

    families: label -> (depths, errors of shape (draws, depths)).
    """
    _by_depth(ax, depths, [4.0 ** -(n + 1) for n in depths], (lower, "$1/(8B^2)$"), families)
    ax.set(ylabel="largest error to $x^2$", ylim=(3e-9, 3))


def pieces_by_depth(ax: Axes, depths: Sequence[int], bound: ArrayLike,
                    families: Mapping[str, tuple[Sequence[int], Array]]) -> None:
    """Affine pieces: the constructed 2^n, other families as above, and the bound B of the expectation."""
    _by_depth(ax, depths, [2.0**n for n in depths], (bound, "bound $B$"), families)
    ax.set_yscale("log", base=2)
    ax.set_ylabel("affine pieces")


def _by_depth(ax: Axes, depths: Sequence[int], built: Sequence[float], bound: tuple[ArrayLike, str],
              families: Mapping[str, tuple[Sequence[int], Array]]) -> None:
    ax.semilogy(depths, built, "o-", color=EXACT, label="constructed")
    for (label, (xs, samples)), (colour, marker) in zip(families.items(), LOOKS, strict=False):
        spread(ax, xs, samples, colour, label, marker)
    ax.plot(depths, bound[0], "--", color=REFERENCE, label=bound[1])
    ax.set(xlabel="hidden layers", xticks=list(depths))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)


def chain(ax: Axes, depths: Sequence[int], members: Sequence[ArrayLike]) -> None:
    """The four members of the proof, largest first."""
    looks = (("mean error", ROUNDED, "o-"), ("mean of $1/(8m^2)$", PURPLE, "s-"),
             (r"$1/(8\,(\mathrm{mean}\ m)^2)$", EXACT, "^-"), ("$1/(8B^2)$", REFERENCE, "--"))
    for values, (label, colour, line) in zip(members, looks, strict=True):
        ax.semilogy(depths, values, line, color=colour, label=label)
    ax.set(xlabel="hidden layers", ylabel="error", xticks=list(depths))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)


def shares(axes: Sequence[Axes], panels: Mapping[str, Mapping[str, Share]]) -> None:
    """Bars of medians, in doublings: wide in float64, thin with rounding.

    panels: label of the axis -> format -> share.
    """
    for ax, (label, rows) in zip(axes, panels.items(), strict=True):
        before = np.array([np.median(share.before) for share in rows.values()])
        added = np.array([share.added for share in rows.values()])
        ax.barh(range(len(rows)), before, height=0.7, color=EXACT, label="float64")
        ax.barh(range(len(rows)), before + added, height=0.25, color=ROUNDED, label="rounded")
        ax.set(xlabel=label, yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5))
        ax.grid(axis="y", visible=False)
        ax.set_yticklabels(list(rows) if ax is axes[0] else [])
    axes[0].legend(loc="lower center", bbox_to_anchor=(1.05, 1), ncols=2)


def bound_and_error(ax: Axes, depths: Sequence[int], errors: Array, lower: ArrayLike) -> None:
    """Networks with noise against the construction and the lower bound; errors of shape (draws, len(depths))."""
    ax.semilogy(depths, [4.0 ** -(n + 1) for n in depths], "o-", color=EXACT, ms=3)
    spread(ax, depths, errors, ROUNDED, "")
    ax.plot(depths, lower, "--", color=REFERENCE)
    ax.set(xlabel="hidden layers", ylabel="largest error to $x^2$", ylim=(1e-9, 3), xticks=list(depths))
