"""Pairs of runs compared: how often, by how much, and whether chance explains it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._extras import wanted
from affinepieces.study.tasks import BLOCK


@dataclass(frozen=True)
class Comparison:
    """Of pairs (a, b): in how many a is less and more; the median of log2(a / b); p of Wilcoxon's signed ranks.

    blocks: the medians of log2(a / b) in each block of seeds; a finding that replicates has one sign in all of them.
    """

    pairs: int
    less: int
    more: int
    effect: float
    p: float
    blocks: tuple[float, ...] = ()

    def __str__(self) -> str:
        return (f"less in {self.less}, more in {self.more} of {self.pairs} pairs, median factor {2**self.effect:.3g}, "
                f"p = {self.p:.2g}")


def paired(a: ArrayLike, b: ArrayLike, seeds: ArrayLike | None = None) -> Comparison:
    """Positive numbers a and b, shape (m,), of m pairs, and their seeds.

    The two-sided test is that of Wilcoxon (1945), on log2(a / b).

    >>> paired([1, 2, 4], [2, 4, 8]).less, paired([1, 2, 4], [2, 4, 8], [0, 1, 1000]).blocks
    (3, (-1.0, -1.0))
    """
    with wanted("study"):
        from scipy.stats import wilcoxon
    logs = np.log2(np.asarray(a, np.float64)) - np.log2(np.asarray(b, np.float64))
    p = float(wilcoxon(logs).pvalue) if np.any(logs) else 1.0
    blocks = tuple(float(np.median(x)) for x, in by_block(seeds, logs)) if seeds is not None else ()
    return Comparison(len(logs), int(np.sum(logs < 0)), int(np.sum(logs > 0)), float(np.median(logs)), p, blocks)


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """The p-values of m comparisons, corrected for their number as Holm (1979) does.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    found = np.empty(len(values))
    found[order] = np.minimum(stepped, 1)
    return found


def by_block(seeds: ArrayLike, *columns: ArrayLike) -> list[tuple[NDArray[Any], ...]]:
    """The columns block of seeds by block: a finding that replicates holds in each.

    >>> [x.tolist() for x, in by_block([0, 1, 1000], [5, 6, 7])]
    [[5, 6], [7]]
    """
    blocks = np.asarray(seeds) // BLOCK
    return [tuple(np.asarray(c)[blocks == k] for c in columns) for k in np.unique(blocks)]


def halved(steps: Sequence[int], counts: ArrayLike) -> NDArray[np.float64]:
    """The first recorded step from which on at most half of the pieces are left; inf where there is none.

    steps: the recorded ones, from 0.  counts: shape (runs, len(steps)).

    >>> halved([0, 10, 20], [[8, 5, 4], [8, 4, 6]])
    array([20., inf])
    """
    found = []
    for row in np.asarray(counts):
        gone = np.maximum.accumulate(row[::-1])[::-1] <= row[0] / 2
        found.append(float(steps[int(np.argmax(gone))]) if gone.any() else np.inf)
    return np.array(found)
