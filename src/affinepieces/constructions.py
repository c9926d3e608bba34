"""Networks with known functions: hat, sawtooth, square, product, rescaled twins, random networks.

Every parameter is a dyadic rational held exactly, so the networks realise the functions of the text
exactly and not up to rounding (`hat` with a peak other than a power of two is the stated exception).
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import float_dtype
from affinepieces.arguments import generator, integer, items, network, number
from affinepieces.networks import ReLUNetwork

Array = NDArray[Any]


def hat(peak: float = 0.5) -> ReLUNetwork:
    """g on [0, 1]: rises from 0 to 1 at `peak`, falls back to 0; g(x) = 2 relu(x) - 4 relu(x - 1/2).

    For a `peak` in (0, 1) other than 1/2 the two slopes 1/peak and -1/(1 - peak) are rounded.
    Source: Telgarsky (2015).

    >>> hat()([[0.25], [0.5], [1.0]]).ravel()
    array([0.5, 1. , 0. ])
    """
    return sawtooth(1, peak)


def sawtooth(n: int, peak: float = 0.5) -> ReLUNetwork:
    """g composed n times: 2^n affine pieces on [0, 1] from n hidden layers of width 2.

    Source: Telgarsky (2015).

    >>> from affinepieces import Segment, count_pieces
    >>> count_pieces(sawtooth(5), Segment(0, 1))
    32
    """
    n = integer(n, "n", 1, remedy="the number of hidden layers")
    if not 0 < number(peak, "peak") < 1:
        raise ValueError(f"peak is {peak}, expected a number strictly between 0 and 1")
    up, turn = 1 / peak, -(1 / peak + 1 / (1 - peak))
    weights = [[[1.0], [1.0]]] + [[[up, turn], [up, turn]]] * (n - 1) + [[[up, turn]]]
    return ReLUNetwork(weights, [[0.0, -peak]] * n + [[0.0]])


def gentle_sawtooth(n: int, peak: float = 0.5) -> ReLUNetwork:
    """`sawtooth(n, peak)` scaled down: its teeth, 2^-(n-1) high, with slopes that hardly grow with the depth.

    The outputs of hidden layer j, counted from 0, are divided by 2^j and the output by 2^(n-1), so pieces and regions
    are those of the sawtooth.  With the peak 1/2 no preactivation is steeper than 1; with another peak the steepest of
    hidden layer j has the slope (1 / (2 a))^j, a the smaller one of peak and 1 - peak.
    Source: companion; the teeth Telgarsky (2015).

    >>> from affinepieces import Segment, count_pieces, max_slope
    >>> gentle, steep, unit = gentle_sawtooth(10, 0.4), sawtooth(10, 0.4), Segment(0, 1)
    >>> count_pieces(gentle, unit) == count_pieces(steep, unit)
    True
    >>> round(max_slope(gentle, unit), 2), round(max_slope(steep, unit))
    (7.45, 3815)
    """
    net = rescale(sawtooth(n, peak), [2.0**-j for j in range(n)])
    return ReLUNetwork([*net.weights[:-1], net.weights[-1] / 2.0 ** (n - 1)], net.biases)


def square(n: int) -> ReLUNetwork:
    """f_n, the interpolant of x^2 at k / 2^n: 2^n pieces and error 4^-(n+1) on [0, 1], n hidden layers of width 3.

    f_n(x) = x - sum_{s=1..n} g_s(x) / 4^s with the sawtooths g_s; the third neuron carries the
    partial sum, which is never negative on [0, 1].
    Source: Yarotsky (2017).

    >>> float(square(3)([[0.5]])[0, 0])
    0.25
    """
    n = integer(n, "n", 1, 500, "the number of hidden layers; beyond 500 the float64 4^-n is not exact")
    weights: list[list[list[float]]] = [[[1.0], [1.0], [1.0]]]
    for s in range(1, n + 1):
        carry = [-2.0 * 4.0**-s, 4.0 * 4.0**-s, 1.0]
        tooth = [2.0, -4.0, 0.0]
        weights.append([tooth, tooth, carry] if s < n else [carry])
    return ReLUNetwork(weights, [[0.0, -0.5, 0.0]] * n + [[0.0]])


def product(n: int) -> ReLUNetwork:
    """x y on [0, 1]^2 up to 2 * 4^-(n+1): three copies of `square` side by side, width 9, n hidden layers.

    Polarisation: x y = 2 ((x + y) / 2)^2 - x^2 / 2 - y^2 / 2.
    Source: Yarotsky (2017).

    >>> float(product(6)([[0.5, 0.25]])[0, 0])
    0.125
    """
    one = square(n)
    inputs = np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    first = np.vstack([one.weights[0] @ row[None, :] for row in inputs])
    hidden = [np.kron(np.eye(3), a) for a in one.weights[1:-1]]
    last = np.kron([[2.0, -0.5, -0.5]], one.weights[-1])
    return ReLUNetwork([first, *hidden, last], [np.tile(b, 3) for b in one.biases[:-1]] + [one.biases[-1]])


def rescale(net: ReLUNetwork, factors: Sequence[ArrayLike]) -> ReLUNetwork:
    """The same function with the outputs of hidden layer j multiplied by factors[j].

    factors: one entry for each hidden layer, a positive power of two or an array of shape (N_j,) of
    them, one for each neuron.  ReLU is positively homogeneous, so the next layer can divide again;
    with powers of two nothing is rounded.  Raises ValueError where the result would not be exact.

    >>> gentle = rescale(sawtooth(3), [1, 1/2, 1/4])  # every slope of a preactivation is at most 1
    >>> gentle.biases[2]
    array([ 0.   , -0.125])
    """
    net, factors = network(net), items(factors, "factors", "powers of two, one or one array for each hidden layer")
    if len(factors) != net.layers - 1:
        raise ValueError(f"{len(factors)} factors for {net.layers - 1} hidden layers: give one for each")
    scales = [_powers_of_two(c, n) for c, n in zip(factors, net.widths[1:], strict=False)]
    before = [np.ones(net.widths[0]), *scales]
    after = [*scales, np.ones(net.widths[-1])]
    weights = [_exact_product(a, c[:, None] / d[None, :], net.dtype)
               for a, c, d in zip(net.weights, after, before, strict=True)]
    biases = [_exact_product(b, c, net.dtype) for b, c in zip(net.biases, after, strict=True)]
    return ReLUNetwork(weights, biases)


def he_random(widths: Sequence[int], rng: np.random.Generator, bias_std: float = 0.0,
              dtype: Any = np.float64) -> ReLUNetwork:
    """A random network: weights N(0, 2 / N_{j-1}), biases N(0, bias_std^2), rounded to dtype.

    widths: (N_0, ..., N_L).  bias_std: >= 0.  dtype: float16, float32 or float64.
    Source: He et al. (2015).

    >>> he_random([1, 8, 8, 1], np.random.default_rng(0), bias_std=1.0)
    ReLUNetwork(1-8-8-1, float64)
    """
    widths = [integer(n, f"widths[{j}]", 1) for j, n in enumerate(items(widths, "widths", "layer widths"))]
    if len(widths) < 2:
        raise ValueError(f"widths are {widths}, expected at least two: those of input and output")
    generator(rng)
    number(bias_std, "bias_std", least=0)
    dtype = float_dtype(dtype, "dtype", "for other formats round the network with round_network(net, format)")
    pairs = list(itertools.pairwise(widths))
    weights = [(rng.standard_normal((n, m)) * np.sqrt(2 / m)).astype(dtype) for m, n in pairs]
    return ReLUNetwork(weights, [(rng.standard_normal(n) * bias_std).astype(dtype) for n in widths[1:]])


def perturb_biases(net: ReLUNetwork, width: float, rng: np.random.Generator) -> ReLUNetwork:
    """The network with every hidden bias moved by independent noise, uniform on [-width/2, width/2].

    >>> net = perturb_biases(hat(), 0.25, np.random.default_rng(1))
    >>> bool(abs(net.biases[0] - hat().biases[0]).max() <= 0.125)
    True
    """
    net, width = network(net), number(width, "width", least=0, remedy="the width of the noise")
    generator(rng)
    noisy = [b + rng.uniform(-width / 2, width / 2, b.shape).astype(net.dtype) for b in net.biases[:-1]]
    return ReLUNetwork(net.weights, [*noisy, net.biases[-1]])


def _powers_of_two(factor: ArrayLike, width: int) -> Array:
    c = np.asarray(factor, dtype=np.float64)
    if c.shape not in ((), (width,)):
        raise ValueError(f"factor of shape {c.shape}, expected a number or shape ({width},)")
    if not np.all(np.isfinite(c) & (c > 0)) or np.any(np.frexp(c)[0] != 0.5):
        raise ValueError(f"factor {factor!r} is not a positive power of two: only these rescale without rounding")
    return np.broadcast_to(c, (width,))


def _exact_product(values: Array, factor: Array, dtype: np.dtype[Any]) -> Array:
    wide = values.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        scaled = (wide * factor).astype(dtype)
        back = scaled.astype(np.float64) / factor
    if not np.array_equal(back, wide):
        raise ValueError(f"rescaling leaves the range of {dtype}: use factors nearer to 1 or a wider format")
    return scaled
