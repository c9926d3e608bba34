"""Gradient of the mean squared error with every operation rounded, in the order of `descent.specification`.

Parameters and gradients are flat: for each layer the weights, row by row, then the biases.  Points are
columns.  The arguments f, careful, seed say how to round, as in `scalar`, and wider
how sums of products do, as in `products`.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.kernels.compiler import jit
from affinepieces.arithmetic.kernels.products import matmul
from affinepieces.arithmetic.kernels.scalar import add, divide, multiply


@jit
def gradient(widths: Any, parameters: Any, x: Any, y: Any, f: Any, careful: Any, seed: Any, start: Any,
             pairwise: Any, wider: Any, scale: Any) -> Any:
    """scale times the gradient of (1/m) sum |f(x_i) - y_i|^2, that loss, and the activations of all hidden layers.

    scale: a power of two.  widths: (N_0, ..., N_L).  x: (N_0, m), y: (N_L, m), C-contiguous.
    """
    hidden, z, at = forward(widths, parameters, x, f, careful, seed, start, pairwise, wider)
    points, out, n = x.shape[1], np.empty_like(parameters), y.size
    squares, delta = np.empty((n, 1), x.dtype), np.empty_like(y)
    m, twice = x.dtype.type(points), x.dtype.type(2 * scale)
    for i in range(y.shape[0]):
        for s in range(points):
            k = i * points + s
            residual = add(z[i, s], -y[i, s], f, careful, seed, at + k)
            squares[k, 0] = multiply(residual, residual, f, careful, seed, at + n + k)
            double = multiply(residual, twice, f, careful, seed, at)
            delta[i, s] = divide(double, m, f, careful, seed, at + 4 * n + 1 + k)
    total = column_sums(squares, f, careful, seed, at + 2 * n, pairwise, wider)[0]
    loss = divide(total, m, f, careful, seed, at + 4 * n)
    at += 5 * n + 1
    deltas, end = [delta], len(parameters)
    for j in range(len(widths) - 1, 1, -1):
        begin = end - widths[j] * (widths[j - 1] + 1)
        a = parameters[begin:begin + widths[j] * widths[j - 1]].reshape((widths[j], widths[j - 1]))
        delta = matmul(a.T.copy(), delta, f, careful, seed, at, pairwise, wider)
        at += 2 * a.size * points
        gate(delta, hidden[j - 1])
        deltas.append(delta)
        end = begin
    begin = 0
    for j in range(1, len(widths)):
        delta, below = deltas[len(widths) - 1 - j], hidden[j - 1]
        end = begin + widths[j] * widths[j - 1]
        out[begin:end] = matmul(delta, below.T.copy(), f, careful, seed, at, pairwise, wider).ravel()
        at += 2 * (end - begin) * points
        begin = end + widths[j]
        out[end:begin] = column_sums(delta.T.copy(), f, careful, seed, at, pairwise, wider)
        at += 2 * delta.size
    return out, loss, hidden[1:]


@jit
def forward(widths: Any, parameters: Any, x: Any, f: Any, careful: Any, seed: Any, start: Any, pairwise: Any,
            wider: Any) -> Any:
    """Activations of layers 0, ..., L - 1, the output, and how many random numbers were used."""
    hidden, z, at, begin, points = [x], x, start, 0, x.shape[1]
    for j in range(1, len(widths)):
        n, m = widths[j], widths[j - 1]
        a = parameters[begin:begin + n * m].reshape((n, m))
        b = parameters[begin + n * m:begin + n * (m + 1)]
        begin += n * (m + 1)
        z = matmul(a, z, f, careful, seed, at, pairwise, wider)
        at += 2 * n * m * points
        for i in range(n):
            for s in range(points):
                z[i, s] = add(z[i, s], b[i], f, careful, seed, at + i * points + s)
        at += n * points
        if j < len(widths) - 1:
            rectify(z)
            hidden.append(z)
    return hidden, z, at


@jit
def rectify(z: Any) -> None:
    """max(z, 0) in place; what is not a number stays so."""
    values = z.ravel()
    for i in range(len(values)):
        values[i] = z.dtype.type(0) if values[i] <= 0 else values[i]


@jit
def gate(delta: Any, active: Any) -> None:
    """delta set to zero where the neuron is not active."""
    d, x = delta.ravel(), active.ravel()
    for i in range(len(d)):
        d[i] = delta.dtype.type(0) if x[i] <= 0 else d[i]


@jit
def column_sums(columns: Any, f: Any, careful: Any, seed: Any, counter: Any, pairwise: Any, wider: Any) -> Any:
    """Sum over the rows, in the stated order; multiplying with 1 rounds nothing."""
    ones = np.ones((1, columns.shape[0]), columns.dtype)
    return matmul(ones, columns, f, careful, seed, counter, pairwise, wider)[0]
