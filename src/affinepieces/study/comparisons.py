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
    """Of pairs (a, b): in how many a is less, more, equal; the median of log2(a / b); p of Wilcoxon's signed ranks."""

    pairs: int
    less: int
    more: int
    effect: float
    p: float

    def __str__(self) -> str:
        return (f"less in {self.less}, more in {self.more} of {self.pairs} pairs, median factor {2**self.effect:.3g}, "
                f"p = {self.p:.2g}")


def paired(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Positive numbers a and b, shape (m,), of m pairs; the two-sided test is that of Wilcoxon (1945), on log2(a / b).

    >>> paired([1, 2, 4], [2, 4, 8]).less, paired([1, 2, 4], [2, 4, 8]).effect
    (3, -1.0)
    """
    with wanted("study"):
        from scipy.stats import wilcoxon
    logs = np.log2(np.asarray(a, np.float64)) - np.log2(np.asarray(b, np.float64))
    p = float(wilcoxon(logs).pvalue) if np.any(logs) else 1.0
    return Comparison(len(logs), int(np.sum(logs < 0)), int(np.sum(logs > 0)), float(np.median(logs)), p)


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
