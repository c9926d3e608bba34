"""A polygon divided into the regions of a network."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import PathPatch
from matplotlib.patches import Polygon as Outline
from matplotlib.path import Path
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from affinepieces.arguments import refuse
from affinepieces.figures.style import pattern_colours
from affinepieces.pieces.plane.polygon import area_of, half

if TYPE_CHECKING:
    from affinepieces.pieces.plane.subdivision import Subdivision

Floats = NDArray[np.float64]
MOST = 1500  # regions that are drawn as vectors; more become an image
DOTS = 200  # of such an image, for each inch
WIDEST = 1.2  # pt, of the first layer
LINES = ("black", "#444444", "#777777", "#999999")  # of the first layer, and of deeper ones
# Tol's light colours, which can be told apart with every common colour blindness and carry black text
CLASSES = ("#77AADD", "#EE8866", "#EEDD88", "#FFAABB", "#99DDFF", "#44BB99", "#BBCC33", "#AAAA00", "#DDDDDD", "white")


def draw(found: Subdivision, ax: Axes | None = None, colour: str = "pattern") -> Axes:
    """The regions, filled, and their boundaries, wide and dark where a neuron of an early layer makes them.

    colour: what the filling says, "pattern": a colour that depends on the activation pattern alone; "piece": regions
    of the same piece have the same colour, and boundaries that are no kinks are faint; "height": the first output,
    exact on every region; "class": which output is largest, exact as well, with its number where it holds most.
    Where there are many regions the drawing is an image.
    """
    fills = {"pattern": _by_pattern, "piece": _by_piece, "height": _by_height, "class": _by_class}
    fill = fills.get(colour) if isinstance(colour, str) else None
    if fill is None:
        refuse("colour", colour, f"one of {', '.join(fills)}", kind=ValueError)
    axes: Axes = ax if ax is not None else plt.subplots()[1]
    as_image = found.regions > MOST
    if as_image:
        axes.figure.set_dpi(max(axes.figure.dpi, DOTS))
    fill(axes, found, as_image)
    boundaries(axes, found, faint=colour == "piece", as_image=as_image)
    _frame(axes, found)
    return axes


def boundaries(ax: Axes, found: Subdivision, faint: bool = False, as_image: bool = False) -> None:
    """All edges between regions.  faint: those that are no kinks can hardly be seen."""
    inner = (found.sides >= 0).all(axis=1)
    lines = found.points[found.edges[inner]].astype(np.float64)
    layers, seen = found.cuts[inner, 0], found.kinks[inner] | (not faint)
    narrow = min(1.0, 12 / np.sqrt(found.regions))  # as the regions are
    _lines(ax, lines[~seen], narrow, "white", as_image)
    for layer in np.unique(layers)[::-1]:
        width = narrow * WIDEST / (1 + 0.5 * layer)
        _lines(ax, lines[(layers == layer) & seen], width, LINES[min(layer, len(LINES) - 1)], as_image)


def classes(found: Subdivision) -> list[tuple[int, Floats]]:
    """Polygons that together fill the domain, and which output is largest on each; several in a region that a boundary
    of classes cuts."""
    owner = np.repeat(np.arange(found.regions), np.diff(found.start))
    points, maps = found.points[found.corners].astype(np.float64), found.maps.astype(np.float64)
    best = np.argmax(np.einsum("cki,ci->ck", maps[owner, :, :2], points) + maps[owner, :, 2], axis=1)
    one = np.minimum.reduceat(best, found.start[:-1]) == np.maximum.reduceat(best, found.start[:-1])
    out = []
    for region, corners in enumerate(_polygons(found)):
        if one[region]:
            out.append((int(best[found.start[region]]), corners))
            continue
        for k, own in enumerate(maps[region]):
            part = corners
            for other in np.delete(maps[region], k, axis=0):
                part = half(part, own - other)
            if len(part) > 2:
                out.append((k, part))
    return out


def _by_pattern(ax: Axes, found: Subdivision, as_image: bool) -> None:
    _filled(ax, _polygons(found), pattern_colours(found.patterns), as_image)


def _by_piece(ax: Axes, found: Subdivision, as_image: bool) -> None:
    first = np.unique(found.piece_of, return_index=True)[1]
    _filled(ax, _polygons(found), pattern_colours(found.patterns[first])[found.piece_of], as_image)


def _by_height(ax: Axes, found: Subdivision, as_image: bool) -> None:
    points, values = found.points.astype(np.float64), found.values[:, 0].astype(np.float64)
    counts = np.diff(found.start)
    owner = np.repeat(np.arange(found.regions), counts - 2)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts - 2) - (counts - 2), counts - 2)
    first = found.start[owner]
    fans = found.corners[np.stack([first, first + place + 1, first + place + 2], axis=1)]
    mesh = Triangulation(points[:, 0], points[:, 1], fans)
    shades = ax.tripcolor(mesh, values, shading="gouraud", cmap="cividis", rasterized=True)
    ax.figure.colorbar(shades, ax=ax, label="height of the function", shrink=0.8)


def _by_class(ax: Axes, found: Subdivision, as_image: bool) -> None:
    if found.values.shape[1] < 2:
        refuse("colour", "class", "another one for a function with one output", 'use "height"', kind=ValueError)
    parts = classes(found)
    _filled(ax, [corners for _, corners in parts], [CLASSES[k % len(CLASSES)] for k, _ in parts], as_image)
    for k in sorted({k for k, _ in parts}):
        of_class = [corners for j, corners in parts if j == k]
        largest = max(of_class, key=area_of)
        x, y = largest.mean(axis=0)
        ax.text(x, y, str(k), ha="center", va="center", fontweight="bold", zorder=4)


def _filled(ax: Axes, polygons: list[Floats], colours: Any, as_image: bool) -> None:
    ax.add_collection(PolyCollection(polygons, facecolors=colours, edgecolors="face", lw=0.2, rasterized=as_image),
                      autolim=False)


def _lines(ax: Axes, ends: Floats, width: float, colour: str, as_image: bool) -> None:
    """(n, 2, 2): n line segments, in one path."""
    if len(ends):
        codes = np.tile(np.array([Path.MOVETO, Path.LINETO], Path.code_type), len(ends))
        ax.add_artist(PathPatch(Path(ends.reshape(-1, 2), codes), fill=False, lw=width, ec=colour,
                                capstyle="round", rasterized=as_image))


def _polygons(found: Subdivision) -> list[Floats]:
    return np.split(found.points[found.corners].astype(np.float64), found.start[1:-1])


def _frame(ax: Axes, found: Subdivision) -> None:
    """The polygon around, equal units on both axes."""
    around = found.polygon.corners
    ax.add_patch(Outline(around, fill=False, lw=1))
    ax.set_aspect("equal")
    margin = 0.01 * np.ptp(around, axis=0)
    low, high = around.min(axis=0) - margin, around.max(axis=0) + margin
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="$s$", ylabel="$t$")
    ax.grid(False)

