"""Which trace answers: the questions of `pieces.count` on a polygon."""
from __future__ import annotations

from affinepieces.layers import Layered
from affinepieces.pieces.plane.exact import trace_exact
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.plane.subdivision import Subdivision


def traced(net: Layered, polygon: Polygon, exact: bool) -> Subdivision:
    """Everything: regions, values, maps."""
    return trace_exact(net, polygon)


def counted(net: Layered, polygon: Polygon, pieces: bool) -> tuple[int, int]:
    """How many regions, and how many pieces if they are asked for."""
    found = trace_exact(net, polygon)
    return found.regions, found.pieces if pieces else 0
