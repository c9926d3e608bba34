"""A campaign on polygons: `python tests/campaign_plane.py 20000 [FIRST]` compares so many problems with the truth.

The certified trace, the counts and the patterns are held against the independent answer in rational arithmetic, and so
is the exact trace; both are looked at vertex by vertex.  Problems are those of `pieces.plane_families`.
"""
from __future__ import annotations

import sys
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

import affinepieces as ap
from pieces import plane_oracle
from pieces.plane_checks import check
from pieces.plane_families import NETWORKS, problem


def compare(seed):
    """What is wrong, or None, and how many regions there are."""
    net, polygon = problem(seed)
    truth = plane_oracle.answer(net, polygon)
    regions = len(truth.regions)
    for exact in (True, False):
        try:
            check(ap.trace(net, polygon, exact=exact), truth, net)
        except Exception:
            return f"{'exact' if exact else 'certified'}: {traceback.format_exc(limit=-1).strip()}", regions
    if (ap.count_regions(net, polygon), ap.count_pieces(net, polygon)) != (regions, truth.pieces):
        return "count", regions
    if not np.array_equal(ap.activation_patterns(net, polygon), sorted(truth.regions)):
        return "patterns", regions
    return None, regions


def main(number: int, first: int = 0) -> None:
    regions, wrong = Counter(), Counter()
    for seed in tqdm(range(first, first + number)):
        family = NETWORKS[seed % len(NETWORKS)].__name__
        problems, found = compare(seed)
        regions[family] += found
        if problems:
            wrong[family] += 1
            tqdm.write(f"{family} {seed} {problems}")
    print(f"{number} problems from {first}, {sum(regions.values())} regions, wrong: {dict(wrong) or 0}; "
          f"regions of each family: {dict(regions)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
