"""The operations that models are made of, on arrays of numbers: each a few rows, a ReLU, or a rearrangement.

An array of numbers is an integer array of their ids (`lowering.Numbers`), in the shape that the tensor has in the
model.  What only moves numbers about (reshape, transpose, slice, concatenate) is numpy on this array.
"""
from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.importers.lowering import Ids, Numbers
from affinepieces.layers import Kind

OUTSIDE = -1  # of the padding, in windows
LARGEST = 2**27  # coefficients of an operation


def combination(numbers: Numbers, terms: Sequence[tuple[Ids, ArrayLike]], constant: ArrayLike, name: str,
                size: ArrayLike | None = None) -> Ids:
    """sum_k c_k x_k + constant, entry by entry, for terms (x_k, c_k); all are broadcast."""
    shape = np.broadcast_shapes(np.shape(constant), *(np.broadcast_shapes(x.shape, np.shape(c)) for x, c in terms))
    n = prod(shape)
    ids = np.concatenate([np.broadcast_to(x, shape).ravel() for x, _ in terms])
    values = np.concatenate([_spread(c, shape) for _, c in terms])
    rows = np.tile(np.arange(n), len(terms))
    found = numbers.affine(rows, ids, values, _spread(constant, shape), name,
                           None if size is None else _spread(size, shape))
    return found.reshape(shape)


def constant(numbers: Numbers, values: ArrayLike, name: str) -> Ids:
    """Numbers that do not depend on the input."""
    none: Ids = np.zeros(0, np.int64)
    found = numbers.affine(none, none, np.zeros(0), _spread(values, np.shape(values)), name)
    return found.reshape(np.shape(values))


def relu(numbers: Numbers, x: Ids, name: str, kind: Kind = Kind.NEURON) -> Ids:
    """max(x, 0)."""
    return numbers.relu(x.ravel(), name, kind).reshape(x.shape)


def leaky_relu(numbers: Numbers, x: Ids, slope: ArrayLike, name: str) -> Ids:
    """x where x > 0, slope x elsewhere: r + slope (x - r) with r = relu(x)."""
    r = relu(numbers, x, name)
    return combination(numbers, [(r, 1.0), (combination(numbers, [(x, 1.0), (r, -1.0)], 0.0, name), slope)], 0.0, name)


def absolute(numbers: Numbers, x: Ids, name: str) -> Ids:
    """|x| = 2 relu(x) - x."""
    return combination(numbers, [(relu(numbers, x, name), 2.0), (x, -1.0)], 0.0, name)


def clip(numbers: Numbers, x: Ids, low: ArrayLike | None, high: ArrayLike | None, name: str) -> Ids:
    """min(max(x, low), high): low + relu(x - low), and high - relu(high - x)."""
    if low is not None:
        shifted = x if not np.any(low) else combination(numbers, [(x, 1.0)], -np.asarray(low, np.float64), name)
        x = relu(numbers, shifted, name)
        x = x if not np.any(low) else combination(numbers, [(x, 1.0)], low, name)
    if high is not None:
        below = relu(numbers, combination(numbers, [(x, -1.0)], high, name), name)
        x = combination(numbers, [(below, -1.0)], high, name)
    return x


def maximum(numbers: Numbers, x: Ids, y: Ids, name: str) -> Ids:
    """max(x, y) = y + relu(x - y)."""
    return _compared(numbers, x, y, 1.0, name)


def minimum(numbers: Numbers, x: Ids, y: Ids, name: str) -> Ids:
    """min(x, y) = y - relu(y - x)."""
    return _compared(numbers, x, y, -1.0, name)


def _compared(numbers: Numbers, x: Ids, y: Ids, sign: float, name: str) -> Ids:
    difference = combination(numbers, [(x, sign), (y, -sign)], 0.0, name)
    return combination(numbers, [(y, 1.0), (relu(numbers, difference, name, Kind.COMPARISON), sign)], 0.0, name)


def linear(numbers: Numbers, x: Ids, weight: ArrayLike, bias: ArrayLike | None, name: str) -> Ids:
    """A x + b along the last axis: x (..., m), weight (n, m), bias (n,) or broadcast to (..., n) -> (..., n)."""
    a = np.asarray(weight, np.float64)
    n, m = a.shape
    shape, points = (*x.shape[:-1], n), x.reshape(-1, m)
    _affordable(len(points) * n * m)
    ids = np.broadcast_to(points[:, None, :], (len(points), n, m)).ravel()
    values = np.broadcast_to(a, (len(points), n, m)).ravel()
    rows = np.repeat(np.arange(len(points) * n), m)
    return numbers.affine(rows, ids, values, _spread(0.0 if bias is None else bias, shape), name).reshape(shape)


def batch_norm(numbers: Numbers, x: Ids, mean: ArrayLike, variance: ArrayLike, gamma: ArrayLike, beta: ArrayLike,
               epsilon: float, name: str) -> Ids:
    """scale x + shift with scale = gamma / sqrt(variance + epsilon) and shift = beta - mean scale as float64 numbers.

    x: (1, C, ...); the others (C,).
    """
    mean, variance, gamma, beta = (np.asarray(v, np.float64) for v in (mean, variance, gamma, beta))
    scale = gamma / np.sqrt(variance + epsilon)
    shape = (1, -1, *[1] * (x.ndim - 2))
    size = 4 * (np.abs(mean * scale) + np.abs(beta))  # of what the original may subtract and add in another order
    return combination(numbers, [(x, scale.reshape(shape))], (beta - mean * scale).reshape(shape), name,
                       size.reshape(shape))


def convolution(numbers: Numbers, x: Ids, weight: ArrayLike, bias: ArrayLike | None, name: str, *,
                stride: Sequence[int], padding: Sequence[tuple[int, int]], dilation: Sequence[int], groups: int) -> Ids:
    """x (1, C, *S), weight (D, C / groups, *K), bias (D,) -> (1, D, *O)."""
    w = np.asarray(weight, np.float64)
    seen = windows(x[0], w.shape[2:], stride, padding, dilation)  # (C, *O, K)
    out, size = seen.shape[1:-1], seen.shape[-1]
    each = w.shape[0] // groups
    w = w.reshape(groups, each, w.shape[1], size)
    seen = seen.reshape(groups, -1, prod(out), size).transpose(0, 2, 1, 3)  # groups, places, C / groups, K
    shape = (groups, each, prod(out), *w.shape[2:])
    _affordable(prod(shape))
    ids = np.broadcast_to(seen[:, None], shape).ravel()
    values = np.broadcast_to(w[:, :, None], shape).ravel()
    rows = np.repeat(np.arange(prod(shape[:3])), prod(shape[3:]))
    inside = ids != OUTSIDE
    b = np.zeros(w.shape[0] * each) if bias is None else np.asarray(bias, np.float64)
    found = numbers.affine(rows[inside], ids[inside], values[inside], np.repeat(b, prod(out)), name)
    return found.reshape(1, -1, *out)


def shift(numbers: Numbers, x: Ids, by: ArrayLike, name: str) -> Ids:
    """x + by, broadcast; where x is a row without bias, `by` becomes its bias."""
    shape = np.broadcast_shapes(x.shape, np.shape(by))
    return numbers.shifted(np.broadcast_to(x, shape).ravel(), _spread(by, shape), name).reshape(shape)


def average(numbers: Numbers, seen: Ids, name: str, divisor: ArrayLike | None = None) -> Ids:
    """Mean along the last axis of windows (..., K): times the float64 number nearest to 1 / (entries inside).

    divisor: what to divide by instead, broadcast to the windows.
    """
    inside = (seen != OUTSIDE).reshape(-1, seen.shape[-1])
    rows, _ = np.nonzero(inside)
    counts = inside.sum(axis=1) if divisor is None else _spread(divisor, seen.shape[:-1])
    found = numbers.affine(rows, seen.reshape(inside.shape)[inside], (1 / counts)[rows], np.zeros(len(inside)), name)
    return found.reshape(seen.shape[:-1])


def total(numbers: Numbers, seen: Ids, name: str) -> Ids:
    """Sum along the last axis."""
    return average(numbers, seen, name, 1)


def largest(numbers: Numbers, seen: Ids, name: str) -> Ids:
    """Maximum along the last axis of windows (..., K), as a tournament: neighbours first."""
    while seen.shape[-1] > 1:
        odd = seen.shape[-1] % 2
        left, right = seen[..., :seen.shape[-1] - odd:2], seen[..., 1::2]
        winner = np.where(left == OUTSIDE, right, left)
        both = (left != OUTSIDE) & (right != OUTSIDE) & (left != right)
        if both.any():
            winner[both] = maximum(numbers, left[both], right[both], name)
        seen = np.concatenate([winner, seen[..., -1:]], axis=-1) if odd else winner
    return seen[..., 0].copy()  # no view, also where a window sees one number


def windows(x: Ids, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[tuple[int, int]],
            dilation: Sequence[int]) -> Ids:
    """(C, *S) -> (C, *O, K): what each window sees, in the order of its entries; padding is OUTSIDE."""
    axes = tuple(range(1, x.ndim))
    padded = np.pad(x, [(0, 0), *padding], constant_values=OUTSIDE)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if any(r > n for r, n in zip(reach, padded.shape[1:], strict=True)):
        raise ValueError(f"windows of {tuple(reach)} are larger than the padded input {padded.shape[1:]}")
    seen = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=axes)
    seen = seen[(slice(None), *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]
    return np.ascontiguousarray(seen).reshape(*seen.shape[:x.ndim], -1)


def adaptive_windows(x: Ids, sizes: Sequence[int]) -> list[tuple[Any, Ids]]:
    """For adaptive pooling of (C, *S) to (C, *sizes): for each place of the output what its window sees, (C, K)."""
    ranges = [[(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(x.shape[1:], sizes, strict=True)]
    return [(place, x[(slice(None), *(slice(*ranges[axis][i]) for axis, i in enumerate(place)))].reshape(len(x), -1))
            for place in np.ndindex(*sizes)]


def along(x: Ids, axes: Sequence[int]) -> Ids:
    """These axes moved to the end, as one."""
    axes = [axis % x.ndim for axis in axes]
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    return x.transpose(*rest, *axes).reshape(*(x.shape[axis] for axis in rest), -1)


def _affordable(coefficients: int) -> None:
    if coefficients > LARGEST:
        raise ValueError(f"it has {coefficients} coefficients, expected {LARGEST} at most: so large a layer does not "
                         "fit into memory as rows; take smaller inputs")


def _spread(values: ArrayLike, shape: Sequence[int]) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, np.float64), tuple(shape)).ravel()
