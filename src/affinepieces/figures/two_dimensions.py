"""Figures of the chapter "Two dimensions and a real network"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from affinepieces.figures.study import along
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, pattern_colours
from affinepieces.pieces.plane.subdivision import Subdivision

Counts = NDArray[np.int64]


def beside_lines(ax: Axes, radii: Sequence[float], found: Mapping[tuple[int, int], ArrayLike]) -> None:
    """Mean regions over those of as many lines, against the size of the square; (layers, width) -> (seeds, radii)."""
    places = np.arange(len(radii))
    for ((depth, width), ratios), colour, marker in zip(found.items(), (EXACT, GREEN, ROUNDED, PURPLE), "os^D",
                                                        strict=True):
        ax.plot(places, np.mean(np.asarray(ratios), axis=0), marker=marker, color=colour, label=f"{depth} of {width}")
    ax.axhline(1, color=REFERENCE, lw=1, ls="--")
    ax.set(xlabel="half side of the square", ylabel="regions over those of 64 lines", ylim=(0, 1.7),
           xticks=places, xticklabels=[*(f"{r:.0f}" for r in radii[:-1]), "plane"])
    ax.legend(title="layers", ncols=2, loc="upper left")


def pieces_and_neighbours(left: Axes, right: Axes, found: Subdivision) -> None:
    """The regions in the colours of their pieces, and a graph with a line between regions that share an edge: solid at
    a kink, dashed within a piece."""
    found.plot(left, colour="piece")
    found.plot(right, colour="piece")
    for artist in (*right.collections, *right.patches):
        artist.set_alpha(0.35)
    centres = found.centroids.astype(float)
    for (i, j), kink in zip(found.sides, found.kinks, strict=True):
        if min(i, j) >= 0:
            right.plot(*centres[[i, j]].T, color="black", lw=1.5, ls="-" if kink else ":", zorder=3)
    first = np.unique(found.piece_of, return_index=True)[1]
    right.scatter(centres[:, 0], centres[:, 1], s=260, c=pattern_colours(found.patterns[first])[found.piece_of],
                  edgecolors="black", zorder=4)
    for r, (x, y) in enumerate(centres):
        right.text(x, y, str(r), ha="center", va="center", fontsize=9, zorder=5)


def descents(ax: Axes, record: Sequence[int], found: Mapping[str, Counts]) -> None:
    """Regions against the step, median and middle half of the runs."""
    names = {"noise": "float64 with noise", "rounded start": "float64, rounded start"}
    colours = (EXACT, PURPLE, GREEN, ROUNDED)
    along(ax, record, {names.get(name, name): (colour, counts)
                       for (name, counts), colour in zip(found.items(), colours, strict=True)},
          ylabel="regions", yscale="log")
    ax.set_yticks([250, 500, 1000, 2000], ["250", "500", "1000", "2000"])
    ax.minorticks_off()
    ax.set_xlim(-0.1, None)
    ax.legend(loc="lower left")


def film(found: Subdivision, points: tuple[NDArray[np.float32], NDArray[np.float32]]) -> Figure:
    """One moment of training: the regions, and the height of the function with the data."""
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.6))
    found.plot(axes[0])
    found.plot(axes[1], colour="height").collections[0].set_clim(-1, 1)  # the same shades in every frame
    x, y = points
    above = y[:, 0] > 0
    for chosen, marker, colour in ((above, "^", "white"), (~above, "o", "black")):
        axes[1].plot(*x[chosen].T, marker, ms=3, color=colour, mec="black", mew=0.4)
    axes[0].set_xlabel(f"$s$   ({found.regions} regions)")
    return fig


def three_images(left: Axes, right: Axes, found: Subdivision, digits: Sequence[int]) -> None:
    """Regions by their patterns, and by the digit with the largest score; a circle where each image is."""
    found.plot(left)
    found.plot(right, colour="class")
    for ax in (left, right):
        for (x, y), digit in zip(((0, 0), (1, 0), (0, 1)), digits, strict=True):
            ax.plot(x, y, "o", color="black", ms=6)
            ax.annotate(f"image of {digit}", (x, y), (0, 8), textcoords="offset points", fontsize=9, ha="center",
                        bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1})
