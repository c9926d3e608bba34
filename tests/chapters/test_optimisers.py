"""What the chapter "Optimisers and rounding" computes."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import optimisers


@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT16, ap.wide(5), ap.wide(3)])
def test_compensated_updates_are_within_the_bound(fmt):
    """Random signs and sizes, no update larger than the parameter."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sizes = 2.0 ** -rng.integers(3, 14, 60)
        updates = np.asarray(ap.round_to(rng.choice([-1, 1], 60) * sizes * rng.uniform(0.05, 0.12, 60), fmt))
        kept, bound = optimisers.compensated_updates(2.0, updates, fmt)
        exact = 2 - sum(map(Fraction, updates))
        assert abs(Fraction(kept) - exact) <= bound


def test_the_bound_is_attained_by_an_update_that_is_lost():
    kept, bound = optimisers.compensated_updates(1.0, np.array([2.0**-12]), ap.BFLOAT16)
    assert kept == 1.0
    assert bound == Fraction(2.0**-12) * (1 + Fraction(1, 2**8))  # what is kept for later, and one unit roundoff of it


def test_plain_updates_are_lost():
    assert optimisers.plain_updates(1.0, np.full(500, 2.0**-10), ap.BFLOAT16) == 1.0
    assert optimisers.plain_updates(1.0, np.full(4, 2.0**-3), ap.BFLOAT16) == 0.5


def test_every_stored_remedy_is_compared():
    for fmt, number in (("bfloat16", 9), ("float16", 10)):
        found = optimisers.against_float64("gentle", fmt, "pieces")
        assert list(found) == optimisers.remedies_of(fmt)
        assert len(found) == number
        assert all(len(c.blocks) == 6 for c in found.values())
    p = optimisers.corrected({"a": found})
    assert all(p["a"][name] >= c.p for name, c in found.items())


def test_shares_sum_to_one():
    for start in ("gentle", "random"):
        assert sum(optimisers.stages_of_the_error(start, "float16", "nearest").values()) == pytest.approx(1, abs=0.02)
