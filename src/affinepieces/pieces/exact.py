"""Pieces and regions in exact rational arithmetic: slow, obviously right, the truth for every faster way.

A point t of the segment is held as a row of integers h * (x_1, ..., x_N, t, 1) with some h > 0.  An
affine layer is then an integer matrix, and the rows of two neighbouring breakpoints, combined with
positive integers, give the rows of all points between them: no division and no rounding anywhere.
"""
from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from flint import fmpq, fmpz, fmpz_mat
from numpy.typing import NDArray

from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment

Row = list[fmpz]


def trace_exact(net: ReLUNetwork, segment: Segment) -> PiecewiseAffine:
    """R(Phi) along the segment with every number a Fraction.

    Regions as the companion defines them: an interior breakpoint is a point where some hidden
    neuron is active (z > 0) on one side and not on the other.

    >>> from affinepieces.constructions import sawtooth
    >>> trace_exact(sawtooth(1), Segment(0, 1)).breakpoints
    array([Fraction(0, 1), Fraction(1, 2), Fraction(1, 1)], dtype=object)
    """
    rows = regions_exact(net, segment)[-1]
    outputs = net.widths[-1]
    breakpoints = np.array([_fraction(row[-2], row[-1]) for row in rows], dtype=object)
    values = np.array([[_fraction(v, row[-1]) for v in row[:outputs]] for row in rows], dtype=object)
    slopes = np.diff(values, axis=0) / np.diff(breakpoints)[:, None]
    return PiecewiseAffine(breakpoints, values, np.any(slopes[1:] != slopes[:-1], axis=1))


def regions_exact(net: ReLUNetwork, segment: Segment) -> list[list[Row]]:
    """Rows h * (z_1, ..., z_N, t, 1) of the preactivations at every breakpoint, layer by layer.

    The breakpoints of layer j are those of the layers below and the sign changes of its own neurons;
    the last entry belongs to the output layer.
    """
    segment.check(net)
    rows = [_input_row(segment, end) for end in (segment.a, segment.b)]
    layers = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        rows = _affine(a, b, rows)
        if j < net.layers - 1:
            rows = _insert_sign_changes(rows, len(b))
        layers.append(rows)
        rows = [[v if v > 0 else fmpz(0) for v in row[:-2]] + row[-2:] for row in rows]
    return layers


def patterns_exact(net: ReLUNetwork, segment: Segment) -> NDArray[np.bool_]:
    """(r, sum of hidden widths): which hidden neurons are active in each region, from its midpoint."""
    points = trace_exact(net, segment).breakpoints
    middle = (points[1:] + points[:-1]) / 2
    columns = []
    x = np.array([[Fraction(s) + t * Fraction(d) for s, d in zip(segment.start.tolist(), segment.direction.tolist(),
                                                                  strict=True)] for t in middle], dtype=object)
    for a, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        z = x @ _fractions(a).T + _fractions(b)
        columns.append(z > 0)
        x = z * (z > 0)
    return np.concatenate(columns, axis=1).astype(bool) if columns else np.zeros((len(middle), 0), bool)


def _input_row(segment: Segment, t: float) -> Row:
    x = [Fraction(s) + Fraction(t) * Fraction(d)
         for s, d in zip(segment.start.tolist(), segment.direction.tolist(), strict=True)]
    row = [*x, Fraction(t), Fraction(1)]
    scale = max(v.denominator for v in row)  # all are powers of two
    return [fmpz(int(v * scale)) for v in row]


def _affine(a: NDArray[Any], b: NDArray[Any], rows: list[Row]) -> list[Row]:
    """Rows of z = A x + b from rows of x."""
    numerators, scale = _dyadic(np.column_stack([a, b]))
    n, m = a.shape
    matrix = fmpz_mat(m + 2, n + 2)
    for i, line in enumerate(numerators):
        for k, v in enumerate(line[:-1]):
            matrix[k, i] = v
        matrix[m + 1, i] = line[-1]
    matrix[m, n] = matrix[m + 1, n + 1] = scale
    product = (fmpz_mat(len(rows), m + 2, [v for row in rows for v in row]) * matrix).entries()
    return [product[i:i + n + 2] for i in range(0, len(product), n + 2)]


def _dyadic(array: NDArray[Any]) -> tuple[list[list[int]], int]:
    """Integers and one power of two with array = integers / power."""
    ratios = [[v.as_integer_ratio() for v in line] for line in array.astype(np.float64).tolist()]
    scale = max(d for line in ratios for _, d in line)
    return [[p * (scale // d) for p, d in line] for line in ratios], scale


def _insert_sign_changes(rows: list[Row], width: int) -> list[Row]:
    refined = [rows[0]]
    for left, right in pairwise(rows):
        zeros: dict[fmpq, int] = {}
        for k in range(width):
            if left[k] < 0 < right[k] or right[k] < 0 < left[k]:
                u, v = abs(right[k]), abs(left[k])
                zeros[fmpq(u * left[-2] + v * right[-2], u * left[-1] + v * right[-1])] = k
        refined += [_zero_row(left, right, zeros[t]) for t in sorted(zeros)]
        refined.append(right)
    return refined


def _zero_row(left: Row, right: Row, k: int) -> Row:
    """The row of the point between two breakpoints where entry k vanishes, divided by its content."""
    u, v = abs(right[k]), abs(left[k])
    row = [u * p + v * q for p, q in zip(left, right, strict=True)]
    content = fmpz(0)
    for entry in row:
        content = content.gcd(entry)
        if content == 1:
            return row
    return [entry // content for entry in row]


def _fraction(p: fmpz, q: fmpz) -> Fraction:
    return Fraction(int(p), int(q))


def _fractions(array: NDArray[Any]) -> NDArray[Any]:
    return np.array([Fraction(v) for v in array.astype(np.float64).ravel().tolist()], dtype=object).reshape(array.shape)
