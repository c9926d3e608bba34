"""Figures of the chapter "The depth budget"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.study import families
from affinepieces.figures.style import CYCLE, EXACT, PURPLE, REFERENCE, ROUNDED, spread

LOOKS = {"gentle": (ROUNDED, "o"), "steep": (EXACT, "s")}


def against_depth(axes: Sequence[Axes], depths: Sequence[int],
                  twins: Mapping[str, tuple[NDArray[Any], ArrayLike]]) -> None:
    """Regions after noise, the depth budget, and what there was without noise, one panel a twin.

    twins: name -> (regions of shape (draws, len(depths)), budgets).
    """
    for ax, (name, (regions, budgets)) in zip(axes, twins.items(), strict=True):
        ax.plot(depths, 2.0 ** np.asarray(depths), ":", color=REFERENCE, label="$2^n$")
        ax.plot(depths, budgets, "-.", color=PURPLE, label="depth budget")
        spread(ax, depths, regions, *LOOKS[name][:1], "measured", LOOKS[name][1])
        ax.set_yscale("log", base=2)
        ax.set(xlabel=f"hidden layers $n$ ({name})", xticks=list(depths)[1::2])
        ax.legend(loc="upper left", fontsize=9)
    axes[0].set_ylabel("activation regions")


def noise_against_depth(axes: Sequence[Axes], depths: NDArray[Any],
                        panels: Sequence[tuple[str, Mapping[str, Any], ArrayLike]]) -> None:
    """log2 of the noise at which half of the pieces are gone.  panels: label, twin -> runs for each depth, the law."""
    for ax, (label, several, law) in zip(axes, panels, strict=True):
        families(ax, depths, {name: (LOOKS[name][0], runs) for name, runs in several.items()},
                 xlabel="hidden layers $n$", ylabel=f"half of the pieces gone, {label}", xticks=depths)
        ax.plot(depths, law, "--", color=REFERENCE)


def rounded_parameters(axes: Sequence[Axes], bits: Sequence[int],
                       panels: Mapping[str, Mapping[int, ArrayLike]]) -> None:
    """Share of 2^n pieces against the bits of the parameters.  panels: label of the axis -> depth -> pieces."""
    for ax, (label, by_depth) in zip(axes, panels.items(), strict=True):
        for (n, pieces), colour, marker in zip(by_depth.items(), CYCLE, "os^Dv", strict=False):
            ax.plot(bits, np.asarray(pieces) / 2.0**n, marker=marker, color=colour, label=f"$n = {n}$")
        ax.set(xlabel=label, ylim=(0, 1.4), xticks=list(bits)[::2])
    axes[0].set_ylabel("pieces / $2^n$")
    axes[-1].legend(loc="lower right", fontsize=9)


def rescalings(ax: Axes, exponents: Sequence[float], found: NDArray[Any]) -> None:
    """Bounds and regions against the exponent of the rescaling.  found: (seeds, len(exponents), 3)."""
    names = (("data-driven bound", REFERENCE, "^"), ("depth budget", PURPLE, "s"), ("measured", ROUNDED, "o"))
    for k, (label, colour, marker) in enumerate(names):
        spread(ax, exponents, found[:, :, k], colour, label, marker)
    ax.set(yscale="log", xlabel="exponent $s$: layer $j$ scaled by $2^{-s(j-1)}$", ylabel="activation regions",
           xticks=list(exponents))
    ax.legend(fontsize=9)
