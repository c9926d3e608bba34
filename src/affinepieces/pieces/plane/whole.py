"""All of a function on a polygon at once, or its numbers of regions and pieces, proved."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.arithmetic.exact import quotient
from affinepieces.layers import Layered
from affinepieces.pieces.kernels import FLOOR, SAFE
from affinepieces.pieces.level import norms, unscaled
from affinepieces.pieces.plane.cells import Cells, lexicographic
from affinepieces.pieces.plane.cutting import Cutting
from affinepieces.pieces.plane.kernels import around, components
from affinepieces.pieces.plane.kinks import kinks
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.prepared import Floats
from affinepieces.pieces.whole import switching

CLOSE = 2.0**-26  # of the polygon's size: vertices that are known less well are computed in rational arithmetic


def count(net: Layered, polygon: Polygon, pieces: bool) -> tuple[int, int]:
    """Regions and, if they are wanted, pieces."""
    cutting = Cutting(net, polygon).hidden()
    if not pieces:
        return cutting.cells, 0
    sides, cuts = cutting.inner()
    bent = kinks(cutting, cutting.forms(net.layers - 1).leading(), sides, cuts)
    return cutting.cells, int(components(cutting.cells, sides[~bent]).max()) + 1


def trace_certified(net: Layered, polygon: Polygon) -> Subdivision:
    """R(Phi) on the polygon in float64, with proved regions and kinks, and bounds of all errors."""
    cutting = Cutting(net, polygon).hidden()
    corners, lines, start = around(cutting.mesh)
    cells, order, vertices = Cells(corners, start, cutting.mesh.names[lines, :2], cutting.patterns).in_order()
    edges, sides, cuts = cells.edges()
    outputs = cutting.forms(net.layers - 1)
    g, e = outputs.leading()
    inside, bent = (sides >= 0).all(axis=1), np.zeros(len(sides), np.bool_)
    bent[inside] = kinks(cutting, (g, e), order[sides[inside]], cuts[inside])
    cutting.note(int(np.count_nonzero(inside)), outputs.words)
    points, radius = _points(cutting, vertices, polygon)
    owner = np.empty(len(points), np.int64)
    owner[cells.corners] = cells.owner
    values, value_radius = _values(g[order[owner]], e[order[owner]], points, radius)
    r, m = len(order), net.widths[-1]
    with np.errstate(over="ignore", under="ignore"):
        values, value_radius = unscaled(values, None, value_radius, -cutting.power)
        maps, map_radius = unscaled(g[order].reshape(r, 3 * m), None, SAFE * e[order].sum(axis=1),
                                    -cutting.power)
    return Subdivision(polygon, points, values, cells.corners, cells.start, cells.patterns[:, switching(net)],
                       maps.reshape(r, 3, m).transpose(0, 2, 1), edges, sides, cuts, bent, radius, value_radius,
                       map_radius, replace(cutting.certificate, net=net, domain=polygon))


def patterns(net: Layered, polygon: Polygon) -> NDArray[np.bool_]:
    """(regions, hidden neurons), in the order of a trace."""
    found = Cutting(net, polygon).hidden().patterns
    return found[lexicographic(found)][:, switching(net)]


def _points(cutting: Cutting, vertices: NDArray[np.int64], polygon: Polygon) -> tuple[Floats, Floats]:
    """Vertices, and how far in the plane each may be from the truth."""
    with np.errstate(over="ignore"):
        points, radius = cutting.mesh.points[vertices], SAFE * np.sqrt(2) * cutting.mesh.radius[vertices]
        half = np.abs(polygon.corners / 2 - polygon.corners[0] / 2).max()
    vague = np.flatnonzero(~((radius <= CLOSE * half) & (radius < np.inf)))
    for i in vague.tolist():
        check()
        p, q, h = cutting.doubts.place(int(vertices[i]), cutting.lines(int(vertices[i])))
        points[i] = quotient(p, h), quotient(q, h)
        radius[i] = 4 * U * np.abs(points[i]).max() + 1e-323
    return points, radius


def _values(g: Floats, e: Floats, points: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """The maps (V, 3, m) at their points, and how far that is from the truth at the true vertices (2-norm)."""
    with np.errstate(over="ignore", invalid="ignore"):
        s, t = points[:, :1], points[:, 1:]
        a, b, c = g[:, 0] * s, g[:, 1] * t, g[:, 2]
        size = norms(a) + norms(b) + norms(c)
        steep = norms(g[:, 0]) + norms(g[:, 1]) + e[:, 0] + e[:, 1]
        error = _times(e[:, 0], s[:, 0]) + _times(e[:, 1], t[:, 0]) + e[:, 2] + 4 * U * size + _times(steep, radius)
        exact = (size == 0) & (error == 0)
        return a + b + c, np.where(exact, 0.0, SAFE * error + FLOOR)


def _times(bound: Floats, factor: Floats) -> Floats:
    """Zero where the factor is, even if nothing is known of the bound."""
    return np.where(factor == 0, 0.0, bound * np.abs(factor))
