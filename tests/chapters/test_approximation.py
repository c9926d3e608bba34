"""What the chapter "What it means for approximation" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import approximation as chapter
from affinepieces.constructions import gentle_sawtooth, square
from affinepieces.study.comparisons import paired

UNIT = ap.Segment(0, 1)


def nearest(xs, values, t):
    """The value at the nearest of the points."""
    return np.asarray(values)[np.abs(np.subtract.outer(t, xs)).argmin(axis=1)]


def midpoints(count):
    return (2 * np.arange(count) + 1) / (2 * count)


@pytest.mark.parametrize("doublings", [0, 1, 7])
def test_samples_cannot_tell(doublings):
    """0 at all points, slopes 2^n from weights up to 2, and as high as the proposition says, for random points."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        xs = rng.integers(0, 2**12 + 1, rng.integers(1, 40)) / 2**12
        target = chapter.unseen(xs, doublings)
        function = ap.trace(target, UNIT)
        assert len(target.weights) == doublings + 2
        assert max(np.abs(a).max() for a in target.weights) <= 2
        assert max(target.widths) <= 3
        assert not target(xs[:, None]).any()
        assert np.abs(function.slopes).max() == 2.0**doublings
        assert function.values.min() == 0
        assert function.values.max() >= 2.0**doublings / (2 * len(xs))


def test_samples_at_midpoints_attain_the_bound():
    """There the unseen function is as high as the bound, and the nearest value is never further off for any target."""
    t = np.linspace(0, 1, 1001)
    for count in (1, 2, 8, 32):
        xs = midpoints(count)
        bound = 2.0**5 / (2 * count)
        assert ap.trace(chapter.unseen(xs, 5), UNIT).values.max() == bound
        for others in (xs, midpoints(2 * count), [0.0], [1.0], [0.3, 0.4]):
            target = chapter.unseen(others, 5)
            found = nearest(xs, target(xs[:, None])[:, 0], t)
            assert np.abs(found - target(t[:, None])[:, 0]).max() <= bound * (1 + 1e-12)
    assert chapter.unseen([0.25], 1)([[1.0]]) == 1.5  # a ramp at the longer end


def test_the_gentle_network_for_the_square_is_the_same_function():
    x = np.linspace(0, 1, 257)[:, None]
    for n in (1, 4, 8):
        assert np.array_equal(chapter.gentle_square(n)(x), square(n)(x))
        assert ap.max_slope(chapter.gentle_square(n), UNIT) <= 2 < 2**n + 1
    assert ap.max_slope(square(8), UNIT) > 100


def test_bounds_come_from_draws_of_their_own():
    noisy, bounds = chapter.with_noise([1, 3], 2.0**-40, draws=2)
    assert noisy.pieces.shape == noisy.errors.shape == (2, 2)
    assert noisy.errors[:, 1] == pytest.approx([4.0**-4] * 2, rel=1e-6)  # hardly any noise
    assert bounds.tolist() == [4, 64]  # so the budget is the product of N + 1


def test_what_pieces_allow():
    assert chapter.least_errors([1, 2, 10]).tolist() == [1 / 8, 1 / 32, 1 / 800]
    assert chapter.least_errors(np.full((2, 3), 4)).shape == (2, 3)


def test_trained_networks():
    found = {dtype: chapter.trained(6, [1, 2], dtype, seeds=2) for dtype in ("float32", "float64")}
    for family in found.values():
        assert family.pieces.shape == (2, 2)
        assert (family.errors >= chapter.least_errors(family.pieces)).all()
    assert (found["float32"].errors != found["float64"].errors).any()
    assert found["float32"].errors == pytest.approx(found["float64"].errors, rel=0.05)  # twins


def test_descent_from_the_construction_keeps_it():
    found = chapter.after_perturbed_descent(4, steps=5, draws=2)
    assert found.pieces.shape == (2, 1)
    assert found.pieces.min() >= 16
    assert found.errors.max() < 2 * 4.0**-5


@pytest.mark.parametrize(("fmt", "pairs"), [("float32", 30), ("float16", 36), ("bfloat16", 36)])
def test_shares_are_of_all_stored_pairs(fmt, pairs):
    error, pieces = chapter.share_of_error(fmt), chapter.share_of_pieces(fmt)
    assert (len(error.before), len(pieces.before)) == (error.beside.pairs, pieces.beside.pairs) == (pairs, 96)
    assert len(error.beside.blocks) == len(pieces.beside.blocks) == 6
    assert (error.added, pieces.added) == (error.beside.effect, -pieces.beside.effect)


def test_a_share():
    share = chapter.Share(np.array([3.0, 3.0]), paired([4, 4], [2, 2]), 1.0)
    assert share.of_rounding == 0.25
    assert share._replace(added=0.0).of_rounding == 0


def test_pieces_by_points():
    """Twins in float64 are equal, and 10 layers of the sawtooth start with 1280 pieces."""
    kept = chapter.pieces_by_points([8, 16], ap.FLOAT64, draws=2)
    assert kept.shape == (2, 2, 2)
    assert (kept >= 1).all()
    assert (kept <= 2 * ap.count_pieces(gentle_sawtooth(10, 0.4), UNIT)).all()
    assert (kept[..., 0] == kept[..., 1]).mean() >= 0.5  # only the order of sums differs
