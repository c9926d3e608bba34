"""How wrong can a gradient computed in floating point be?  A bound for every entry."""
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from affinepieces.arguments import integer, network, number
from affinepieces.arithmetic.formats import Format, required
from affinepieces.descent.errors import Terms, condition_number
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters


def gamma(n: int, fmt: Format) -> float:
    """gamma_n = n u / (1 - n u), a bound of |product of n factors (1 + eta)^(+-1) - 1|; infinite from n u = 1 on.

    Source: Higham (2002), Lemma 3.1.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> gamma(64, BFLOAT16)
    0.3333333333333333
    """
    share = integer(n, "n", 0, remedy="the number of roundings") * required(fmt).unit_roundoff
    return share / (1 - share) if share < 1 else float("inf")


def probable_gamma(n: int, fmt: Format, deviations: float) -> float:
    """exp(d sqrt(n) u + n u^2 / (1 - u)) - 1 for d = deviations: the same bound for errors that are random.

    If the n relative errors eta are random with mean 0, each whatever the others are, it holds with probability at
    least 1 - 2 exp(-d^2 (1 - u)^2 / 2).  So it is for stochastic rounding; for rounding to nearest it is a model.
    deviations: finite and > 0.
    Source: Higham, Mary (2019), A new approach to probabilistic rounding error analysis, Theorem 2.4, in the form of
    Connolly, Higham, Mary (2021), Stochastic rounding and its probabilistic backward error analysis.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round(probable_gamma(64, BFLOAT16, 4.0), 3), round(gamma(64, BFLOAT16), 3)
    (0.134, 0.333)
    """
    n, u = integer(n, "n", 0, remedy="the number of roundings"), required(fmt).unit_roundoff
    d = float(number(deviations, "deviations", above=0))
    with np.errstate(over="ignore"):
        return float(np.expm1(d * np.sqrt(n) * u + n * u**2 / (1 - u)))


def roundings(widths: tuple[int, ...], points: int) -> tuple[list[int], list[int]]:
    """Largest number of roundings that a term of the gradient of A_j, and of b_j, goes through; j = 1, ..., L.

    One for each product, n - 1 for a sum of n terms in any order, one for a bias; doubling is exact.
    Source: companion, chapter "Backpropagation in floating point".

    >>> roundings((1, 2, 1), points=4)
    ([12, 13], [11, 10])
    """
    below = np.concatenate([[0], np.cumsum(np.array(widths[:-1]) + 1)]).tolist()  # up to x^(0), x^(1), ...
    delta = [below[-1] + 2 + sum(widths[j + 1:]) for j in range(1, len(widths))]
    return ([d + b + points for d, b in zip(delta, below, strict=False)], [d + points - 1 for d in delta])


def gradient_error_bound(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, fmt: Format,
                         deviations: float | None = None) -> Parameters:
    """|computed - exact| / |exact| <= gamma_n kappa for every entry of the gradient.

    kappa: condition number over all paths; n: `roundings`.  Hypotheses: every operation is rounded to
    nearest, sums are formed in any order, no result overflows or underflows, and the computed
    preactivations of hidden neurons have the signs of the exact ones (`flips` is 0).
    deviations: if given, `probable_gamma` takes the place of gamma_n, which grows with sqrt(n) only; its probability
    is that of one term of the sum.
    Source: companion, chapter "Backpropagation in floating point"; after Higham (2002), Section 3.1.

    >>> import affinepieces as ap
    >>> net = ap.constructions.hat()
    >>> bool(gradient_error_bound(net, [[0.75]], [[0.0]], ap.FLOAT32).entries().max() < 1e-4)
    True
    """
    net, fmt = network(net), required(fmt)
    kappa = condition_number(net, x, y, Terms.PATHS)
    weights, biases = roundings(net.widths, len(np.asarray(x)))

    def factor(n: int) -> float:
        return gamma(n, fmt) if deviations is None else probable_gamma(n, fmt, deviations)

    def bounds(counts: list[int], numbers: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        with np.errstate(invalid="ignore"):
            return tuple(np.where(k == 0, 0.0, factor(n) * k) for n, k in zip(counts, numbers, strict=True))

    return Parameters(bounds(weights, kappa.weights), bounds(biases, kappa.biases))
