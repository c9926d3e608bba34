"""From the parameters of many small networks to their counts in one call, which holds no lock of the interpreter.

The first level of accuracy of `certified` for one network after the other, with the same kernels: whatever is in doubt
there, if only a single sign, leaves the network undecided.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from affinepieces.arithmetic.double_double import U
from affinepieces.arithmetic.kernels.compiler import inline, jit
from affinepieces.pieces.kernels.affine import (
    affine_double_double,
    finish_affine,
    has_sharper_norm,
    line_coefficients,
    scale_rows,
    spectral_norm,
)
from affinepieces.pieces.kernels.common import DOUBT
from affinepieces.pieces.kernels.insertion import ends_of, hidden_layer
from affinepieces.pieces.kernels.slopes import kinks
from affinepieces.pieces.kernels.words import count, leading, on_line

MOST = 2**23  # multiplications for one network, one or two milliseconds, so that a chunk ends soon after an interrupt
COLUMN = 500  # what else there is to do for a column takes about as long as so many of them
SHALLOW = 7  # up to so many widths the errors grow little enough with Frobenius norms, which are at hand


class Scaled(NamedTuple):
    """A layer after `scale_rows`: weights transposed, (M, N), bias (N,), and the bounds that belong to them.

    norm: at least the spectral norm.
    """

    transposed: Any
    bias: Any
    norm: float
    frobenius: float
    bias_norm: float
    dropped: float


@jit
def count_each(parameters: Any, network: Any, widths: Any, ends: Any, lines: Any, segment: Any, precise: Any) -> Any:
    """(m, 2): regions and pieces of m pairs; zeros where that is not certain.

    parameters: (networks, number of parameters), all weights and then all biases.
    network: (m,) which of them.  widths: (N_0, ..., N_L).  ends: (segments, 2), a and b.
    lines: (segments, 3, N_0), start, direction and direction_low.  segment: (m,) which of them.
    precise: None for float64; for double-double an array (N, 0), of which nothing but the type is used.
    """
    out = np.zeros((len(network), 2), np.int64)
    layers = _scaled(parameters[network[0]], widths)
    for i in range(len(network)):
        if i > 0 and network[i] != network[i - 1]:
            layers = _scaled(parameters[network[i]], widths)
        out[i, 0], out[i, 1] = _count(layers, ends[segment[i]], lines[segment[i]], precise)
    return out


@jit
def count_prepared(weights: Any, biases: Any, bounds: Any, widths: Any, ends: Any, line: Any, precise: Any) -> Any:
    """Regions and pieces of one network that is scaled already, or zeros.

    weights, biases: of all layers one after the other, each matrix transposed.  bounds: (L, 4), norm, frobenius,
    bias_norm and dropped of each.  ends, line, precise: as those of one pair in `count_each`.
    """
    layers, at, then = [], 0, 0
    for j in range(1, len(widths)):
        n, m = widths[j], widths[j - 1]
        b = bounds[j - 1]
        layers.append(Scaled(weights[at:at + n * m].reshape(m, n), biases[then:then + n], b[0], b[1], b[2], b[3]))
        at, then = at + n * m, then + n
    return _count(layers, ends, line, precise)


@jit
def _scaled(parameters: Any, widths: Any) -> Any:
    """The layers of one network."""
    layers, below = [], np.zeros(widths[0], np.int64)
    at, then = 0, len(parameters) - widths[1:].sum()
    for j in range(1, len(widths)):
        n, m = widths[j], widths[j - 1]
        w, b = parameters[at:at + n * m].reshape(n, m), parameters[then:then + n]
        at, then = at + n * m, then + n
        weights, bias, below, frobenius, bias_norm, dropped = scale_rows(w, b, below, j == len(widths) - 1)
        transposed, norm = np.ascontiguousarray(weights.T), frobenius + dropped
        if len(widths) > SHALLOW and j > 1 and has_sharper_norm(n, m, norm):
            power = _product(weights, transposed) if n <= m else _product(transposed, weights)
            norm = spectral_norm(power, 1, max(n, m), U, norm)
        layers.append(Scaled(transposed, bias, norm, frobenius, bias_norm, dropped))
    return layers


@inline
def _count(layers: Any, ends: Any, line: Any, precise: Any) -> Any:
    """Regions and pieces of one network, or zeros."""
    z, zlo, e = _first(layers[0], line, ends, precise)
    place = ends_of(ends[0], ends[1], np.zeros(2), count(zlo))
    zones, used, work = np.empty((1, 2)), np.zeros(2, np.int64), 0
    for depth in range(len(layers) - 1):
        held, place, _, _ = hidden_layer(z, zlo, e, None, None, None, None, None, place, depth, zones, used, False)
        work += len(held[2]) * (layers[depth + 1].transposed.size + COLUMN)
        if used[0] > 0 or work > MOST or not _finite(held[2]):
            return 0, 0
        z, zlo, e = _affine(layers[depth + 1], held[0], held[1], held[2], held[5])
    pieces = _pieces(z, zlo, e, place) if _finite(e) else 0
    return (len(e) - 1, pieces) if pieces > 0 else (0, 0)


@jit
def _finite(e: Any) -> bool:
    """Whether every bound is a number below infinity."""
    largest = 0.0
    for v in e:
        largest = max(largest, v) if v == v else np.inf
    return largest < np.inf


@jit
def _first(layer: Any, line: Any, ends: Any, precise: Any) -> Any:
    """The first preactivations at both ends."""
    p, q = line_coefficients(layer.transposed, layer.bias, line[0:1], line[1:2], line[2:3], layer.dropped)
    z, low, e = on_line(p[0], p[1], p[2][0], q[0], q[1], q[2][0], ends)
    if precise is None:
        return z, precise, leading(z, low, e)[2]
    else:
        return z, low, e


@jit
def _affine(layer: Any, x: Any, xlo: Any, e: Any, weight: Any) -> Any:
    """The preactivations of the next layer, from four fields of `Activations`."""
    if xlo is None:
        z = _product(x, layer.transposed)
        return z, xlo, finish_affine(z, layer.bias, e, weight, layer.norm, layer.frobenius, layer.bias_norm,
                                     layer.dropped, len(layer.transposed))
    else:
        return affine_double_double(layer.transposed, layer.bias, x, xlo, e, layer.norm, layer.dropped)


@jit
def _product(x: Any, wt: Any) -> Any:
    """x W^T for small matrices: (R, M) times (M, N)."""
    z = np.zeros((len(x), wt.shape[1]))
    for i in range(len(x)):
        for j in range(len(wt)):
            if x[i, j] != 0:
                for k in range(wt.shape[1]):
                    z[i, k] += x[i, j] * wt[j, k]
    return z


@jit
def _pieces(z: Any, zlo: Any, e: Any, place: Any) -> int:
    """1 + the number of kinks, or 0 where one is in doubt."""
    t, tlo, eta, tau, dark, _, _ = place
    pieces = 1
    for state in kinks(z, np.zeros_like(z) if zlo is None else zlo, e, t, tlo, eta, tau, dark):
        if state == DOUBT:
            return 0
        pieces += state
    return pieces
