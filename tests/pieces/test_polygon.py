"""Planes and polygons: taken exactly, or refused with an error that helps."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap

NET = ap.ReLUNetwork([[[1.0, 0.0, 2.0]], [[1.0]]], [[0.0], [0.0]])
TRIANGLE = [[0, 0], [2, 0], [0, 1]]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: ap.Polygon([[0, 0], [1, 0]]), ValueError, "corners holds 2 points, expected at least 3"),
    (lambda: ap.Polygon([[0, 0], [1, 0], [2, 0]]), ValueError, r"corners are no convex polygon at \["),
    (lambda: ap.Polygon([[0, 0], [1, 0], [2, 0], [0, 1]]), ValueError, r"convex polygon at \[1.0, 0.0\]: .*leave out"),
    (lambda: ap.Polygon([[0, 0], [0, 1], [2, 0], [1, 0]]), ValueError, r"no convex polygon at \[1.0, 0.0\]"),
    (lambda: ap.Polygon([[0, 0], [4, 0], [1, 1], [0, 4]]), ValueError, r"no convex polygon at \[1.0, 1.0\]"),
    (lambda: ap.Polygon([[0, 4], [1, 1], [4, 0], [0, 0]]), ValueError, r"no convex polygon at \[1.0, 1.0\]"),
    (lambda: ap.Polygon([[0, 0], [1, 1], [1, 0], [0, 1]]), ValueError, "give them in order"),
    (lambda: ap.Polygon([[0, 0], [1, 0], [1, 0], [0, 1]]), ValueError, r"no convex polygon at \[1.0, 0.0\]"),
    (lambda: ap.Polygon([[0, 3], [-2, -3], [3, 1], [-3, 1], [2, -3]]), ValueError, "give them in order"),  # a star
    (lambda: ap.Polygon([[0, 0], [1, 0], [0, np.nan]]), ValueError, "expected finite numbers"),
    (lambda: ap.Polygon([[0, 0], [np.inf, 0], [0, 1]]), ValueError, "expected finite numbers"),
    (lambda: ap.Polygon([[0, 0, 1], [1, 0, 1], [0, 1, 1]]), ValueError, r"corners has shape \(3, 3\), expected"),
    (lambda: ap.Polygon([0, 1, 2]), ValueError, r"corners has shape \(3,\), expected"),
    (lambda: ap.Polygon("square"), TypeError, "corners has dtype <U6 \\('square', for example"),
    (lambda: ap.Polygon([[0, 0], [2**53 + 1, 0], [0, 1]]), ValueError, "9007199254740993, beyond"),
    (lambda: ap.Polygon(TRIANGLE, "xy"), TypeError, "plane is a str, expected a Plane"),
    (lambda: ap.Polygon.square(0.0), ValueError, "no convex polygon"),
    (lambda: ap.Plane([0, 0], [1, 2], [2, 4]), ValueError, "first and second are parallel"),
    (lambda: ap.Plane([0, 0], [0, 0], [2, 4]), ValueError, "first and second are parallel"),
    (lambda: ap.Plane([0.0], [1.0], [1.0]), ValueError, "first and second are parallel"),
    (lambda: ap.Plane([0, 0], [1, 0, 0], [0, 1]), ValueError, r"shape \(2,\), first \(3,\) and second \(2,\)"),
    (lambda: ap.Plane([0, np.nan], [1, 0], [0, 1]), ValueError, "origin holds nan"),
    (lambda: ap.Plane.through([0, 0], [1, 1], [3, 3]), ValueError, "three points that are not on one line"),
    (lambda: ap.Plane.through([0, 0], [1, 1], [3]), ValueError, r"x has shape \(2,\), y \(2,\) and z \(1,\)"),
    (lambda: ap.Plane.through([1e308, 0], [-1e308, 1], [0, 3]), ValueError, "y - x exceeds the largest float64"),
    (lambda: ap.trace(NET, ap.Polygon.square()), ValueError, "inputs of dimension 3, the polygon lies in dimension 2"),
    (lambda: ap.count_pieces(NET, ap.Polygon.square()), ValueError, r"give a plane, for example Plane.through"),
    (lambda: ap.count_regions(NET, TRIANGLE), TypeError, "domain is .*, expected a Segment or a Polygon: make one"),
    (lambda: ap.trace(NET, None), TypeError, "domain is None, expected a Segment or a Polygon"),
    (lambda: ap.trace("net", ap.Polygon.square()), TypeError, "net is 'net', expected a ReLUNetwork"),
    (lambda: ap.trace(NET, ap.Polygon(TRIANGLE, ap.Plane([0, 0, 0], [1, 0, 0], [0, 1, 0])), exact="yes"), TypeError,
     "exact is 'yes', expected True or False"),
])
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_corners_given_clockwise_are_turned_round():
    assert ap.Polygon(TRIANGLE[::-1]).corners.tolist() == TRIANGLE
    assert ap.Polygon(TRIANGLE[::-1]).area == ap.Polygon(TRIANGLE).area == 1
    assert ap.Polygon([[0, 0], [0, 1], [1, 1], [1, 0]]).area == 1


def test_corners_of_every_format_are_taken_exactly():
    for dtype in (np.float16, np.float32, np.float64, np.int8):
        assert ap.Polygon(np.array(TRIANGLE, dtype)) == ap.Polygon(TRIANGLE)
    tenth = np.float16(0.1)
    assert ap.Polygon(np.array([[0, 0], [tenth, 0], [0, tenth]], np.float16)).area == Fraction(float(tenth)) ** 2 / 2


def test_a_polygon_below_the_spacing_of_floats():
    thin = ap.Polygon([[0, 0], [1, 0], [2, 5e-324]])
    assert thin.area == Fraction(5e-324) / 2
    assert ap.Polygon([[0, 0], [1, 1], [2, np.nextafter(2, 3)]]).area == Fraction(1, 2**52)


def test_the_plane_through_three_points_holds_them_exactly():
    rng = np.random.default_rng(0)
    for dim in range(2, 6):
        points = rng.normal(size=(3, dim)) * 10.0 ** rng.integers(-9, 9, (3, dim))
        plane = ap.Plane.through(*points)
        assert np.array_equal(plane.at([[0, 0], [1, 0], [0, 1]]), points)
        origin, first, second = plane.exact
        assert [o + d for o, d in zip(origin, first, strict=True)] == [*map(Fraction, points[1].tolist())]
        assert [o + e for o, e in zip(origin, second, strict=True)] == [*map(Fraction, points[2].tolist())]


def test_polygons_and_planes_do_not_change():
    corners = np.array(TRIANGLE, float)
    polygon = ap.Polygon(corners)
    corners[0] = 5
    assert polygon.corners[0].tolist() == [0, 0]
    assert polygon.plane == ap.Plane.coordinates()
    with pytest.raises(ValueError, match="read-only"):
        polygon.corners[0] = 1


def test_what_is_shown():
    assert repr(ap.Polygon(TRIANGLE)) == "Polygon([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])"
    angle = np.linspace(0, 6, 30)
    plane = ap.Plane.through([0, 1, 0], [1, 2, 0], [3, 0, 1])
    circle = ap.Polygon(np.stack([np.cos(angle), np.sin(angle)], axis=1), plane)
    assert repr(circle) == "Polygon(30 corners, Plane(in dimension 3))"
