"""What the chapter "Floating point" and the page "Formats in detail" compute."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import FLOAT64, Format, bit_fields, wide
from affinepieces.arithmetic.operations import Order, add, matmul
from affinepieces.arithmetic.rounding import Stochastic, representable, round_network, round_to
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_pieces, trace
from affinepieces.pieces.segment import Segment

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Operation = Callable[[ArrayLike, ArrayLike, Format], Floats]
UNIT = Segment(0, 1)


def random_sums(fmt: Format, count: int, terms: int, rng: np.random.Generator) -> Floats:
    """Rows of numbers of the format, (count, terms), whose sums have condition numbers up to about 100 / u.

    All but three terms are normal; the last three bring each sum close to an aim, and then the terms are shuffled.
    """
    rows = np.asarray(round_to(rng.normal(size=(count, terms)), fmt))
    rows[:, -3:] = 0
    aim = np.abs(rows).sum(axis=1) * 2.0 ** -rng.uniform(0, fmt.precision + 7, count)
    for k in (-3, -2, -1):
        rows[:, k] = round_to([a - fsum(row) for a, row in zip(aim, rows, strict=True)], fmt)
    return rng.permuted(rows, axis=1)


def condition_and_error(rows: Floats, fmt: Format, order: Order = Order.SEQUENTIAL) -> tuple[Floats, Floats]:
    """For each row its condition number and the relative error of its rounded sum, both against exact sums.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> condition_and_error(np.array([[256.0, 1.0, 1.0]]), BFLOAT16)[1] == 2 / 258  # both ones are absorbed
    array([ True])
    """
    computed = matmul(rows, np.ones((rows.shape[1], 1)), fmt, order=order)[:, 0]
    exact = ExactArray.of(rows).row_sums()
    condition = ExactArray.of(np.abs(rows)).row_sums().ratio(exact)
    return condition, (ExactArray.of(computed) - exact).ratio(exact)


def why_below_the_bound(rows: Floats, fmt: Format) -> tuple[float, float, float]:
    """Three reasons why a sum from left to right is more accurate than its bound, as factors; medians over the rows.

    With partial sums S_1, ..., S_k and their spacings d, random roundings give an error of sqrt(sum d^2 / 12).
    Over the bound k u sum |s_i| this is the product of 1 / sqrt(k) (the errors have random signs),
    rms S / sum |s_i| (partial sums are smaller than all terms together), and the error of one rounding over u.
    """
    sums = np.cumsum(rows, axis=1)[:, 1:]
    gaps = 2.0 * fmt.unit_roundoff * 2.0 ** np.floor(np.log2(np.abs(sums), where=sums != 0, out=np.zeros_like(sums)))
    size, one = np.sqrt((sums**2).mean(axis=1)), np.sqrt((gaps**2).mean(axis=1) / 12)
    return (1 / np.sqrt(sums.shape[1]), float(np.median(size / np.abs(rows).sum(axis=1))),
            float(np.median(one / size) / fmt.unit_roundoff))


def pieces_when_rounded(net: ReLUNetwork, precisions: Iterable[int]) -> Counts:
    """Pieces on [0, 1] of the network with its parameters rounded to so many bits.

    >>> from affinepieces.constructions import gentle_sawtooth
    >>> pieces_when_rounded(gentle_sawtooth(10, 0.4), (6, 24, 53)).tolist()
    [904, 1024, 1280]
    """
    return np.array([count_pieces(round_network(net, wide(p)), UNIT) for p in precisions])


def rounding_ratios(net: ReLUNetwork, fmt: Format) -> Floats:
    """fl(p) / p for every parameter p that is not zero, layer by layer, weights first.

    >>> from affinepieces.constructions import hat
    >>> bool((rounding_ratios(hat(), wide(3)) == 1).all())  # powers of two
    True
    """
    own, rounded = (np.concatenate([p.ravel() for pair in zip(n.weights, n.biases, strict=True) for p in pair])
                    for n in (net, round_network(net, fmt)))
    return np.asarray(rounded[own != 0] / own[own != 0])


def distance_when_rounded(net: ReLUNetwork, precisions: Iterable[int]) -> Floats:
    """Largest distance on [0, 1] between the network and the rounded one, over the network's largest value."""
    def breakpoints_and_values(some: ReLUNetwork) -> tuple[Floats, Floats]:
        found = trace(some, UNIT)
        return found.breakpoints.astype(np.float64), found.values[:, 0].astype(np.float64)

    own, values = breakpoints_and_values(net)
    distances = []
    for p in precisions:
        others, rounded = breakpoints_and_values(round_network(net, wide(p)))
        both = np.union1d(own, others)
        distances.append(np.abs(np.interp(both, own, values) - np.interp(both, others, rounded)).max())
    return np.asarray(distances, dtype=np.float64) / float(np.abs(values).max())


def same_term_added(term: float, steps: int, fmt: Format, runs: int, seed: int) -> tuple[Floats, Floats]:
    """Partial sums of equal terms: to nearest, (steps + 1,), and stochastically rounded, (runs, steps + 1)."""
    nearest, stochastic = [np.zeros(1)], [np.zeros(runs)]
    for k in range(steps):
        nearest.append(add(nearest[-1], [term], fmt))
        stochastic.append(add(stochastic[-1], [term], fmt, Stochastic(seed, start=runs * k)))
    return np.ravel(nearest), np.transpose(stochastic)


def nonnegative_numbers(fmt: Format) -> Floats:
    """All numbers of a small format from zero up.

    >>> nonnegative_numbers(Format("tiny", 2, 0, 1))
    array([0. , 0.5, 1. , 1.5, 2. , 3. ])
    """
    grid = np.arange(0, fmt.largest + fmt.spacing, fmt.spacing)
    return np.asarray(grid[representable(grid, fmt)])


def all_pairs(fmt: Format) -> tuple[Floats, Floats]:
    """All pairs (a, b) of numbers of a small format with b != 0, as two columns."""
    positive = nonnegative_numbers(fmt)
    numbers = np.concatenate([-positive[:0:-1], positive])
    left, right = (v.ravel() for v in np.meshgrid(numbers, numbers[numbers != 0]))
    return left, right


def wrong_by_precision(operation: Operation, precision: int) -> dict[int, int]:
    """Q -> how many results are wrong if they are rounded to Q bits first, and then to the precision.

    Of all pairs of numbers, up to scaling and signs, whose exponents differ by at most eight.
    """
    significands = np.arange(2.0 ** (precision - 1), 2.0**precision)
    scaled = np.concatenate([significands * 2.0**-k for k in range(9)])
    a, b = np.meshgrid(significands, np.concatenate([scaled, -scaled]))
    once, fmt = operation(a, b, wide(precision)), wide(precision)
    return {q: int(np.sum(round_to(operation(a, b, wide(q)), fmt) != once))
            for q in range(precision + 1, 2 * precision + 3)}


def stored_bits(x: float, formats: Sequence[Format]) -> tuple[Mapping[Format, tuple[str, str, str]], list[str]]:
    """The bits in which each format stores x, rounded, and the rounded numbers as text."""
    rounded = {fmt: float(round_to(x, fmt)) for fmt in formats}
    return {fmt: bit_fields(value, fmt) for fmt, value in rounded.items()}, [f"{v:.5g}" for v in rounded.values()]


def table_of_formats(formats: Sequence[Format] = (FLOAT64,)) -> str:
    """Precision, exponents, unit roundoff and range of formats, as a table in Markdown."""
    head = "| | $P$ | $e_{\\min}$ | $e_{\\max}$ | $u$ | smallest normal | largest |\n" + "|---" * 7 + "|\n"
    return head + "\n".join(f"| {f} | {f.precision} | {f.emin} | {f.emax} | {f.unit_roundoff:.3g} "
                            f"| {f.smallest_normal:.3g} | {f.largest:.5g} |" for f in formats)
