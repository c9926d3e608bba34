"""Would the checks of subdivisions notice what is wrong? On exact traces that were rounded, and spoilt."""
from dataclasses import replace
from fractions import Fraction
from math import inf, sqrt

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.arithmetic.exact import quotient
from pieces import plane_oracle
from pieces.plane_checks import check
from pieces.plane_families import NETWORKS, problem


def as_floats(array):
    return np.vectorize(lambda v: quotient(v.numerator, v.denominator), otypes=[float])(array)


def bounds(floats, exact):
    """For each row a bound of |floats - exact|, infinite where a float is."""
    out = []
    for row, truth in zip(floats.reshape(len(floats), -1), exact.reshape(len(exact), -1), strict=True):
        if not np.all(np.isfinite(row)):
            out.append(inf)
            continue
        square = sum((Fraction(v) - w) ** 2 for v, w in zip(row.tolist(), truth, strict=True))
        out.append(float(np.nextafter(sqrt(square), inf)) * (1 + 2.0**-40) if square > 2.0**-1000 else 1e-150)
    return np.array(out)


def rounded(found):
    """As a certified trace would hold it, with the least bounds."""
    held = {name: as_floats(getattr(found, name)) for name in ("points", "values", "maps")}
    radii = (bounds(held[name], getattr(found, name)) for name in held)
    return replace(found, **held, **dict(zip(("radius", "value_radius", "map_radius"), radii, strict=True)))


def test_rounded_traces_pass():
    for seed in range(8 * len(NETWORKS)):
        net, polygon = problem(seed)
        check(rounded(ap.trace(net, polygon, exact=True)), plane_oracle.answer(net, polygon), net)


SPOILT = {
    "point": lambda f: {"points": f.points + np.array([1e-3, 0])},
    "value": lambda f: {"values": f.values * (1 + 1e-9)},
    "map": lambda f: {"maps": f.maps * (1 + 1e-9)},
    "radius": lambda f: {"radius": f.radius / 2},
    "value_radius": lambda f: {"value_radius": f.value_radius / 2},
    "map_radius": lambda f: {"map_radius": f.map_radius / 2},
    "kink": lambda f: {"kinks": f.kinks ^ (np.arange(len(f.kinks)) == np.argmax(f.kinks))},
    "kinks": lambda f: {"kinks": np.ones_like(f.kinks)},
    "sides": lambda f: {"sides": f.sides[:, ::-1]},
    "edges": lambda f: {"edges": f.edges[:-1], "sides": f.sides[:-1], "cuts": f.cuts[:-1], "kinks": f.kinks[:-1]},
    "cuts": lambda f: {"cuts": f.cuts + np.array([0, 1])},
    "layers": lambda f: {"cuts": np.where(f.cuts[:, :1] < 0, f.cuts, f.cuts + np.array([1, 0]))},
    "patterns": lambda f: {"patterns": ~f.patterns},
    "order": lambda f: {"patterns": f.patterns[::-1]},
    "corners": lambda f: {"corners": f.corners[::-1]},
    "start": lambda f: {"start": f.start + (np.arange(len(f.start)) == 1)},
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_traces_do_not(name):
    rng = np.random.default_rng(5)
    net = ap.constructions.he_random([2, 4, 4, 1], rng, bias_std=0.5)
    polygon = ap.Polygon.square(2)
    found, truth = rounded(ap.trace(net, polygon, exact=True)), plane_oracle.answer(net, polygon)
    check(found, truth, net)
    with pytest.raises((AssertionError, KeyError, IndexError, ValueError)):
        check(replace(found, **SPOILT[name](found)), truth, net)
