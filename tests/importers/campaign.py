"""A campaign against the torch importer: `python tests/importers/campaign.py 2000 [FIRST]` checks so many seeds."""
from __future__ import annotations

import sys
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from importers.check import check


def outcome(seed):
    """(pieces, what went wrong)."""
    torch.set_num_threads(1)
    try:
        return check(seed), ""
    except Exception as error:  # of whatever kind: it is reported
        return 0, f"seed {seed}: {type(error).__name__}: {error!s:.300}"


def main(count, first=0):
    pieces, faults = Counter(), []
    with get_context("spawn").Pool() as pool:
        for found, fault in tqdm(pool.imap_unordered(outcome, range(first, first + count), 4), total=count):
            pieces[found] += 1
            if fault:
                faults.append(fault)
                tqdm.write(fault)
    many = sum(n for k, n in pieces.items() if k > 1)
    print(f"{count - len(faults)} of {count} modules agree; {many} have more than one piece, at most {max(pieces)}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
