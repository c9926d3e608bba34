"""Pieces and regions in exact rational arithmetic: slow, obviously right, the truth for every faster way.

A point t of the segment is held as a row of integers h * (x_1, ..., x_N, t, 1) with some h > 0.  An
affine layer is then an integer matrix, and the rows of two neighbouring breakpoints, combined with
positive integers, give the rows of all points between them: no division and no rounding anywhere.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from flint import fmpq, fmpz, fmpz_mat
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces import environment
from affinepieces._interrupts import check
from affinepieces.arithmetic.exact import quotient
from affinepieces.layers import Layered
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.sparse import SparseMatrix

Row = list[fmpz]


def trace_exact(net: Layered, segment: Segment) -> PiecewiseAffine:
    """R(Phi) along the segment with every number a Fraction.

    Regions as the companion defines them: an interior breakpoint is a point where some hidden
    neuron is active (z > 0) on one side and not on the other.

    >>> from affinepieces.constructions import sawtooth
    >>> trace_exact(sawtooth(1), Segment(0, 1)).breakpoints
    array([Fraction(0, 1), Fraction(1, 2), Fraction(1, 1)], dtype=object)
    """
    decided = 0
    for j, rows in enumerate(tqdm(layers_exact(net, segment), total=net.layers, delay=3, leave=False)):
        decided += len(rows) * len(neurons_of(net, j)) if j < net.layers - 1 else len(rows) - 2
    outputs = net.widths[-1]
    breakpoints = np.array([as_fraction(row[-2], row[-1]) for row in rows], dtype=object)
    values = np.array([[as_fraction(v, row[-1]) for v in row[:outputs]] for row in rows], dtype=object)
    return PiecewiseAffine(breakpoints, values, kinks_exact(rows),
                           certificate=Certificate(exact=decided, net=net, domain=segment))


def layers_exact(net: Layered, segment: Segment) -> Iterator[list[Row]]:
    """Layer by layer, rows h * (z_1, ..., z_N, t, 1) of the preactivations at every breakpoint so far.

    The breakpoints of layer j are those of the layers below and the sign changes of its own neurons;
    the last item belongs to the output layer.
    """
    segment.check(net)
    environment.check()
    rows = [_input_row(segment, *map(fmpz, end.as_integer_ratio())) for end in (segment.a, segment.b)]
    parameters = zip(net.weights, net.biases, strict=True)
    for j, (a, b) in enumerate(parameters):
        rows = affine(a, b, rows)
        if j < net.layers - 1:
            rows = _insert_sign_changes(rows, neurons_of(net, j))
        yield rows
        if j < net.layers - 1:
            rows = relu(rows, neurons_of(net, j))


def kinks_exact(rows: list[Row]) -> NDArray[np.bool_]:
    """For each interior row, whether some output leaves the line through its neighbours: a 3 x 3 determinant."""
    out = np.zeros(len(rows) - 2, np.bool_)
    for i in range(1, len(rows) - 1):
        (*y0, t0, h0), (*y1, t1, h1), (*y2, t2, h2) = rows[i - 1:i + 2]
        c0, c1, c2 = t1 * h2 - t2 * h1, t2 * h0 - t0 * h2, t0 * h1 - t1 * h0
        out[i - 1] = any(c0 * u + c1 * v + c2 * w != 0 for u, v, w in zip(y0, y1, y2, strict=True))
    return out


def floats(rows: list[Row], start: int, stop: int) -> NDArray[np.float64]:
    """Entries start to stop of each row over its last one, every quotient rounded once (infinite beyond float64)."""
    return np.array([[quotient(int(v), int(row[-1])) for v in row[start:stop]] for row in rows])


def slopes_exact(rows: list[Row]) -> NDArray[np.float64]:
    """(r, N_L): slopes of the outputs between neighbouring rows, each rounded once."""
    out = []
    for (*x, s, g), (*y, t, h) in pairwise(rows):
        run = int(t * g - s * h)
        out.append([quotient(int(v * g - u * h), run) for u, v in zip(x, y, strict=True)])
    return np.array(out)


def patterns_exact(net: Layered, segment: Segment) -> NDArray[np.bool_]:
    """(r, sum of hidden widths): which hidden neurons are active in each region, from its midpoint."""
    return patterns_between(net, segment, deque(layers_exact(net, segment), maxlen=1).pop())


def patterns_between(net: Layered, segment: Segment, ends: list[Row]) -> NDArray[np.bool_]:
    """The same between given breakpoints, the last item of `layers_exact`."""
    rows = [_input_row(segment, left[-2] * right[-1] + right[-2] * left[-1], 2 * left[-1] * right[-1])
            for left, right in pairwise(ends)]
    columns = [np.zeros((len(rows), 0), np.bool_)]
    for j, (a, b) in enumerate(zip(net.weights[:-1], net.biases[:-1], strict=True)):
        rows, neurons = affine(a, b, rows), neurons_of(net, j)
        on = np.ones((len(rows), len(b)), np.bool_)
        on[:, neurons] = [[row[k] > 0 for k in neurons] for row in rows]
        columns.append(on)
        rows = relu(rows, neurons)
    return np.concatenate(columns, axis=1)


def _input_row(segment: Segment, t: fmpz, h: fmpz) -> Row:
    """The row of the point t / h of the segment."""
    (start, direction, rest), scale = dyadic(np.stack([segment.start, segment.direction, segment.direction_low]))
    return [s * h + (d + e) * t for s, d, e in zip(start, direction, rest, strict=True)] + [scale * t, scale * h]


def neurons_of(net: Layered, j: int) -> list[int]:
    """Rows of a hidden layer that have a ReLU."""
    carried = net.carried[j]
    return list(range(len(net.biases[j]))) if carried is None else np.flatnonzero(~carried).tolist()


def relu(rows: list[Row], neurons: list[int]) -> list[Row]:
    """Rows of relu(z) in these entries and of z in the others, from rows of z."""
    zero, out = fmpz(0), []
    for row in rows:
        new = list(row)
        for k in neurons:
            if new[k] < 0:
                new[k] = zero
        out.append(new)
    return out


def affine(a: Any, b: NDArray[Any], rows: list[Row]) -> list[Row]:
    """Rows h * (z, ..., 1) of z = A x + b from rows h * (x, ..., 1); what stands between x and 1 is kept."""
    return layer_of(a, b)(rows)


def layer_of(a: Any, b: NDArray[Any]) -> Callable[[list[Row]], list[Row]]:
    """The same as a function of the rows, for layers that are applied often."""
    return _Sparse(a, b) if isinstance(a, SparseMatrix) else _Dense(a, b)


class _Sparse:
    """Entry by entry."""

    def __init__(self, a: SparseMatrix, b: NDArray[Any]) -> None:
        (entries,), self.scale = dyadic(np.concatenate([a.values, b])[None, :])
        self.weights, self.biases = [fmpz(v) for v in entries[:a.size]], [fmpz(v) for v in entries[a.size:]]
        self.bounds, self.columns, self.width = a.start.tolist(), a.columns.tolist(), a.width

    def __call__(self, rows: list[Row]) -> list[Row]:
        weights, columns, out = self.weights, self.columns, []
        for row in rows:
            check()
            z = [sum((weights[p] * row[columns[p]] for p in range(first, last)), v * row[-1])
                 for v, first, last in zip(self.biases, self.bounds[:-1], self.bounds[1:], strict=True)]
            out.append([*z, *(self.scale * v for v in row[self.width:])])
        return out


class _Dense:
    """A product of matrices of integers."""

    def __init__(self, a: NDArray[Any], b: NDArray[Any]) -> None:
        self.numerators, self.scale = dyadic(np.column_stack([a, b]))
        self.shape, self.matrix = a.shape, fmpz_mat(0, 0)

    def __call__(self, rows: list[Row]) -> list[Row]:
        n, m = self.shape
        width = len(rows[0])
        if self.matrix.nrows() != width:
            self.matrix = self._matrix(width - m)
        product = (fmpz_mat(len(rows), width, [v for row in rows for v in row]) * self.matrix).entries()
        n += width - m
        return [product[i:i + n] for i in range(0, len(product), n)]

    def _matrix(self, kept: int) -> fmpz_mat:
        """For rows with so many coordinates that are kept, h among them."""
        n, m = self.shape
        matrix = fmpz_mat(m + kept, n + kept)
        for i, line in enumerate(self.numerators):
            for k, v in enumerate(line[:-1]):
                matrix[k, i] = v
            matrix[m + kept - 1, i] = line[-1]
        for i in range(kept):
            matrix[m + i, n + i] = self.scale
        return matrix


def dyadic(array: NDArray[Any]) -> tuple[list[list[int]], int]:
    """Integers and one power of two with array = integers / power."""
    ratios = [[v.as_integer_ratio() for v in line] for line in array.astype(np.float64).tolist()]
    scale = max(d for line in ratios for _, d in line)
    return [[p * (scale // d) for p, d in line] for line in ratios], scale


def _insert_sign_changes(rows: list[Row], neurons: list[int]) -> list[Row]:
    refined = [rows[0]]
    for left, right in pairwise(rows):
        check()
        found = [k for k in neurons if left[k] < 0 < right[k] or right[k] < 0 < left[k]]
        if len(found) > 1:  # in order, and neurons that vanish at the same point only once
            zeros = {fmpq(abs(left[k]), abs(right[k])): k for k in found}
            found = [zeros[ratio] for ratio in sorted(zeros)]
        refined += [zero_row(left, right, k) for k in found]
        refined.append(right)
    return refined


def zero_row(left: Row, right: Row, k: int) -> Row:
    """The row of the point between two others where entry k vanishes, divided by its content."""
    u, v = abs(right[k]), abs(left[k])
    row = [u * p + v * q for p, q in zip(left, right, strict=True)]
    content = fmpz(0)
    for entry in row:
        content = content.gcd(entry)
        if content == 1:
            return row
    return [entry // content for entry in row]


def as_fraction(p: fmpz, q: fmpz) -> Fraction:
    """p / q."""
    return Fraction(int(p), int(q))

