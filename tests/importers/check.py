"""One seed: what is counted in an imported module against the walk through its own layers."""
from __future__ import annotations

from fractions import Fraction

import numpy as np

import affinepieces as ap
from affinepieces import from_torch
from importers.modules import random_module
from importers.rational import walk


def segment(seed, inputs):
    """Between arbitrary points, through the origin, or along small integers."""
    rng = np.random.default_rng([32, seed])
    start, direction = rng.standard_normal((2, inputs))
    if seed % 3 == 0:
        start, direction = np.round(start), np.round(2 * direction)
        direction[0] = direction[0] or 1.0
    if seed % 5 == 0:
        start = np.zeros(inputs)
    return ap.Segment(-2, 2, start=start, direction=direction)


def check(seed):
    """Raise AssertionError if the imported chain is not the module: pieces, breakpoints and values, all exact."""
    module, shape = random_module(seed)
    line = segment(seed, int(np.prod(shape)))
    breakpoints, values = walk(module, shape, line)
    chain = from_torch(module, shape)
    exact = ap.trace(chain, line, exact=True)
    kept = np.concatenate([[True], exact.kinks, [True]])
    assert exact.breakpoints[kept].tolist() == breakpoints
    assert exact.values[kept].tolist() == values
    assert ap.count_pieces(chain, line) == exact.pieces == len(breakpoints) - 1 <= exact.regions
    assert all(isinstance(t, Fraction) for t in breakpoints)
    return exact.pieces
