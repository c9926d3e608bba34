"""How large would the answer be?  Before work on something that must hold all of it."""
from __future__ import annotations

import os

import numpy as np

from affinepieces.pieces.certificate import MOST
from affinepieces.pieces.certified import Search
from affinepieces.pieces.level import Pass

DRAWS = 4


def estimated_regions(search: Search, a: float, b: float) -> float:
    """About how many regions there are, from a few parts drawn at random; what is small is counted.

    Where a pass divides its columns, one of the parts stands for all (Knuth 1975, Estimating the
    efficiency of backtrack programs).
    """
    rng = np.random.default_rng(0)
    return float(np.mean([_one_path(search, a, b, rng) for _ in range(DRAWS)]))


def _one_path(search: Search, a: float, b: float, rng: np.random.Generator) -> float:
    share, words = 1.0, search.words

    def one_of(parts: list[Pass]) -> list[Pass]:
        nonlocal share
        share *= len(parts)
        return [parts[int(rng.integers(len(parts)))]]

    while words <= MOST:
        chunk, = Pass(search.line, a, b, words, search.wanted).chunks(one_of)
        if len(chunk.found.t) or not chunk.marks:
            return share * (len(chunk.found.t) + 1)
        share, words = 1.0, chunk.marks[0].words
    return share


def free_bytes() -> float:
    """Memory that can be had, infinite where the system does not say."""
    try:
        with open("/proc/meminfo") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024 * float(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def refuse_if_too_large(search: Search, a: float, b: float, bytes_each: int) -> None:
    """MemoryError, with the estimate, where so many bytes for each region exceed the memory."""
    regions, free = estimated_regions(search, a, b), free_bytes()
    if regions * bytes_each > free:
        needed = regions * bytes_each
        raise MemoryError(f"about {regions:.3g} regions are expected, which need {needed / 1e9:.3g} GB, and "
                          f"{free / 1e9:.3g} GB are free: count them with count_pieces or count_regions, which need "
                          "little memory, or take a part of the segment, for example segment.part(a, b)")
