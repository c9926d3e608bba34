"""Does low precision destroy pieces?  What the stored runs say, each beside its twin in float64."""
from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import fixed_point
from affinepieces.arithmetic.rounding import round_network
from affinepieces.constructions import gentle_sawtooth
from affinepieces.pieces.count import count_pieces
from affinepieces.study.comparisons import Comparison, halved, holm, paired
from affinepieces.study.experiments.long_runs import POWERS
from affinepieces.study.summaries import Summary, summary
from affinepieces.study.tasks import UNIT

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)

FORMATS = ("3", "5", "8", "11", "16", "24")  # significand bits, with the range of float64
FIXED = ("fixed 10", "fixed 12", "fixed 14", "fixed 18")  # bits after the binary point
ROUNDINGS = ("nearest", "stochastic")
OTHERS = (("gentle 0.4", -10), ("gentle 0.4", -12), ("gentle 0.3", -8), ("square", -8), ("steep 0.4", -8),
          ("random", -8))  # start, log2 of the rate
PARTS = ("forward", "backward", "gradient", "update", "all")
STEPS, LAST = (0, *POWERS), 2.0 ** 15  # of the runs that wander; LAST stands for: not within them
PROBLEMS = {(8, -12): (8, 10, 12), (10, -12): (10, 12, 14), (8, -10): (8, 10, 12),
            (6, -12): (6, 8, 10)}  # layers and log2 of the rate -> bits after the binary point


@cache
def _table(name: str) -> Summary:
    return summary(name)


def stored(fmt: str, start: str = "gentle 0.4", rate: int = -8) -> Summary:
    """Short runs, 200 steps with labels of noise 0.1.  fmt: bits, or a name.  rate: log2 of the learning rate."""
    return _table("precision").where(format=fmt, start=start, rate=rate)


def pieces_at_the_end(side: str, formats: Sequence[str] = FORMATS) -> list[NDArray[np.int64]]:
    """Of the gentle sawtooth.  side: "nearest", "stochastic" or "control", which is float64 from the same start."""
    return [stored(fmt)[side] for fmt in formats]


def against_float64(rounding: str, fmt: str, start: str = "gentle 0.4", rate: int = -8) -> Comparison:
    """Pieces after a short run with every operation rounded, beside float64 from the same rounded start."""
    runs = stored(fmt, start, rate)
    return paired(runs[rounding], runs["control"], runs["seed"])


def short_runs(formats: Sequence[str]) -> dict[tuple[str, str], Comparison]:
    """(rounding, format) -> comparison, for the gentle sawtooth."""
    return {(rounding, fmt): against_float64(rounding, fmt) for rounding in ROUNDINGS for fmt in formats}


def other_starts(formats: Sequence[str]) -> dict[tuple[str, int], dict[str, Comparison]]:
    """(start, log2 of the rate) -> format -> comparison to nearest, for each of `OTHERS`."""
    return {(start, rate): {fmt: against_float64("nearest", fmt, start, rate) for fmt in formats}
            for start, rate in OTHERS}


def corrected(found: Mapping[Key, Comparison]) -> dict[Key, float]:
    """The p-values of all these comparisons, corrected for their number as Holm (1979) does.

    >>> pair = Comparison(9, 5, 4, 0.1, 0.03)
    >>> corrected({"a": pair, "b": pair})
    {'a': 0.06, 'b': 0.06}
    """
    return dict(zip(found, holm([c.p for c in found.values()]).tolist(), strict=True))


def share_kept(side: str, fmt: str, rate: int = -8) -> float:
    """Median over the short runs of the gentle sawtooth of pieces at the end over pieces at the start."""
    runs = stored(fmt, rate=rate)
    return float(np.median(runs[side] / runs["start_pieces"]))


def lost_updates(fmt: str) -> float:
    """Mean share of the non-zero updates of hidden biases that rounding to nearest loses, at the last step."""
    return float(np.mean([shares[-1] for shares in stored(fmt).rows("nearest_lost")]))


def one_part_rounded(fmt: str, rounding: str) -> dict[str, Comparison]:
    """Part of a step -> pieces where it alone is rounded, beside float64; "all": every part."""
    runs = _table("ablation").where(format=fmt, stochastic=ROUNDINGS.index(rounding))
    return {part: paired(runs[part], runs["none"], runs["seed"]) for part in PARTS}


def long_runs(fmt: str) -> Summary:
    """Runs of 20 000 steps from the gentle sawtooth, rate 2^-12, labels of noise 0.01."""
    return _table("long_runs").where(format=fmt)


def ends_of_long_runs() -> dict[tuple[str, str], Comparison]:
    """(what is rounded, bits) -> pieces after 20 000 steps beside float64; "perturbed": noise with delta = 1."""
    keys = [(name, fmt) for fmt in ("6", "8", "11", "14", "24") for name in ("nearest", "stochastic", "update")]
    found = {}
    for name, fmt in [*keys, ("perturbed", "24")]:
        runs = long_runs(fmt)
        found[name, fmt] = paired(runs[name][:, -1], runs["control"][:, -1], runs["seed"])
    return found


def steps_until_half(side: str, n: int, rate: int, bits: int) -> Floats:
    """Steps until half of the pieces are gone, for each run in fixed point; `LAST` where they stay.

    side: "predicted" by the walk of the start, "measured" with a stochastically rounded update, "nearest", "control".
    """
    runs = _table("wandering").where(n=n, rate=rate, bits=bits)
    return np.minimum(halved(STEPS, runs[side]), LAST)


def collapses(side: str) -> dict[tuple[int, int], dict[int, Floats]]:
    """(layers, log2 of the rate) -> bits after the binary point -> `steps_until_half`, for each of `PROBLEMS`."""
    return {(n, rate): {bits: steps_until_half(side, n, rate, bits) for bits in several}
            for (n, rate), several in PROBLEMS.items()}


def pieces_of_the_start(n: int, bits: int) -> int:
    """Of the gentle sawtooth of n layers with its parameters rounded to multiples of 2^-bits."""
    return count_pieces(round_network(gentle_sawtooth(n, 0.4), fixed_point(3, bits)), UNIT)


def share_of_equal_counts(a: str, b: str, rate: int) -> float:
    """In which share of the runs rounded to nearest two formats end with the same number of pieces."""
    return float(np.mean(stored(a, rate=rate)["nearest"] == stored(b, rate=rate)["nearest"]))
