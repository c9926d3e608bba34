"""What training leaves of approximation: errors against depth, what samples cannot tell, and what rounding adds."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.formats import Format
from affinepieces.arithmetic.rounding import round_network, round_to
from affinepieces.chapters.why_pieces import lowered_square, pieces_and_error
from affinepieces.constructions import gentle_sawtooth, he_random, perturb_biases, rescale, square
from affinepieces.descent.machines import Native, Rounded
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.optimisers import Adam
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many
from affinepieces.study.comparisons import Comparison, paired
from affinepieces.study.summaries import summary
from affinepieces.study.tasks import UNIT, points
from affinepieces.theory.iteration import expected_error_bound
from affinepieces.theory.one_step import depth_budget_bound

Floats = NDArray[np.float64]
FORMATS = ("float32", "float16", "bfloat16")
DEPTH, WIDTH = 4, 16  # of the random networks that learn x^2 in the study


class Family(NamedTuple):
    """Networks beside each other for each depth: pieces and largest errors to x^2 on [0, 1], shape (draws, depths)."""

    pieces: Floats
    errors: Floats


def gentle_square(n: int) -> ReLUNetwork:
    """The network for x^2 of n layers with smaller teeth inside: slopes at most 2 in every layer, error 4^-(n+1).

    >>> pieces_and_error(gentle_square(3))
    (8, 0.00390625)
    """
    return rescale(square(n), [np.array([2.0**-j, 2.0**-j, 1.0]) for j in range(n)])


def with_noise(depths: Sequence[int], width: float, draws: int) -> tuple[Family, Floats]:
    """`gentle_square` with noise of this width in every hidden bias, and bounds of its expected pieces, (len(depths),).

    The bounds come from as many draws of their own.
    """
    found, bounds = [], []
    for n in depths:
        rng = np.random.default_rng([10, n])
        first, second = ([perturb_biases(gentle_square(n), width, rng) for _ in range(draws)] for _ in range(2))
        found.append([pieces_and_error(net) for net in first])
        bounds.append(depth_budget_bound(second, UNIT, [np.full(3, width)] * n, 0.5))
    return Family(*np.transpose(found, (2, 1, 0)).astype(np.float64)), np.array(bounds)


def least_errors(pieces: ArrayLike) -> Floats:
    """What these numbers of pieces, or bounds of their mean, allow as error to x^2 on [0, 1]: 1 / (8 m^2).

    >>> least_errors([1, 2])
    array([0.125  , 0.03125])
    """
    return np.asarray(np.vectorize(lambda m: expected_error_bound(2, 1, m), otypes=[float])(pieces))


def trained(width: int, depths: Sequence[int], dtype: str, seeds: int = 10) -> Family:
    """Fitted to x^2 at 129 points by 500 steps of Adam.  dtype: "float32" or "float64", from one start in float32."""
    x, found = np.linspace(0, 1, 129)[:, None], []
    for n in depths:
        starts = [he_random([1, *[width] * n, 1], np.random.default_rng([width, n, seed]), bias_std=0.5,
                            dtype=np.float32).astype(np.float64) for seed in range(seeds)]
        runs = train_many([Run(start, x, x**2, 2.0**-7, 500, Native(dtype), optimiser=Adam()) for start in starts])
        found.append([pieces_and_error(run.networks[-1]) for run in runs])
    return Family(*np.transpose(found, (2, 1, 0)).astype(np.float64))


def after_perturbed_descent(n: int, steps: int, draws: int) -> Family:
    """`square(n)` after so many perturbed steps, delta = 1, towards x^2 at 64 points; shape (draws, 1)."""
    x = np.linspace(0, 1, 64)[:, None]
    runs = train_many([Run(square(n), x, x**2, 2.0**-6, steps, seed=seed, noise=Perturbed(1.0))
                       for seed in range(draws)])
    found = [pieces_and_error(run.networks[-1]) for run in runs]
    return Family(*np.array(found, np.float64).T[:, :, None])


def unseen(xs: ArrayLike, doublings: int) -> ReLUNetwork:
    """A network that is 0 at all points xs in [0, 1], shape (D,), and elsewhere as high as slopes up to C allow.

    A tooth in the longest gap, or a ramp at an end of [0, 1] that is at least half as long.  doublings: n layers, each
    with the weight 2, make C = 2^n; all other weights are at most 2 too.  Together n + 1 hidden layers.

    >>> tooth = unseen([0.125, 0.75], doublings=1)
    >>> tooth([[0.125], [0.4375], [0.75]]).ravel().tolist()
    [0.0, 0.625, 0.0]
    """
    xs = np.unique(xs)
    gaps = np.diff(xs)
    left, right = xs[0], 1 - xs[-1]
    if 2 * max(left, right) >= gaps.max(initial=0):
        sign, end = (-1.0, xs[0]) if left >= right else (1.0, xs[-1])
        weights, kinks = [np.array([[sign]]), np.ones((1, 1))], np.array([sign * end])
    else:
        kinks = xs[gaps.argmax()] + gaps.max() * np.array([0, 0.5, 1])
        weights = [np.ones((3, 1)), np.array([[1.0, -2.0, 1.0]])]
    return ReLUNetwork([*weights, *[np.full((1, 1), 2.0)] * doublings], [-kinks, *[np.zeros(1)] * (doublings + 1)])


class Share(NamedTuple):
    """What is lost in float64, and what rounding adds, in doublings of an error or halvings of pieces.

    before: (pairs,).  beside: of rounded over float64.  added: median, below 0 where rounding gives something back.
    """

    before: Floats
    beside: Comparison
    added: float

    @property
    def of_rounding(self) -> float:
        """The part of the whole loss that is not in float64 yet, 0.1 for a tenth; medians."""
        return self.added / (float(np.median(self.before)) + self.added)


def share_of_error(fmt: str, remedy: str = "all") -> Share:
    """Root mean square errors to x^2 at the 32 data after 1000 steps, beside the construction of as many layers there.

    remedy: "all", every operation to nearest; where fmt is not float32 also "compensated".
    """
    if fmt == "float32":
        runs, control = (summary("training").where(task="square", start="he_biases", depth=DEPTH, width=WIDTH,
                                                   arithmetic=name) for name in (fmt, "float64"))
        losses, least = runs["losses"][:, -1], control["losses"][:, -1]
    else:
        runs = summary("rounded_updates").where(task="square", format=fmt)
        losses, least = runs[f"{remedy}_loss"], runs["none_loss"]
    built = [np.mean((lowered_square(DEPTH)(x) - y) ** 2) for x, y in (points("square", s) for s in runs.rows("seed"))]
    beside = paired(np.sqrt(losses), np.sqrt(least), runs["seed"])
    return Share(np.log2(least / built) / 2, beside, beside.effect)


def share_of_pieces(fmt: str) -> Share:
    """Pieces of the gentle sawtooth after 200 steps towards noisy labels at 32 points, beside those at the start."""
    runs = summary("precision").where(start="gentle 0.4", rate=-8, format=fmt)
    beside = paired(runs["nearest"], runs["control"], runs["seed"])
    return Share(np.log2(runs["start_pieces"] / runs["control"]), beside, -beside.effect)


def pieces_by_points(sizes: Sequence[int], fmt: Format, draws: int) -> NDArray[np.int64]:
    """Pieces of the gentle sawtooth after 200 steps towards its own values with noise 0.1.

    Shape (draws, len(sizes), 2).  sizes: numbers D of data points.  The last axis: float64, and
    every operation rounded to the format; both start at the same rounded network and see the same rounded data.
    """
    ideal, runs = gentle_sawtooth(10, 0.4), []
    net = round_network(ideal, fmt).astype(np.float64)
    for seed in range(draws):
        rng = np.random.default_rng([11, seed])
        x = rng.random((max(sizes), 1))
        y = ideal(x) + 0.1 * rng.standard_normal(x.shape)
        x, y = (np.asarray(round_to(values, fmt)) for values in (x, y))
        runs += [Run(net, x[:size], y[:size], 2.0**-8, 200, machine, seed=seed)
                 for size in sizes for machine in (Native(), Rounded(fmt))]
    counts = count_many([run.networks[-1] for run in train_many(runs)], UNIT).pieces
    return np.asarray(counts).reshape(draws, len(sizes), 2)
