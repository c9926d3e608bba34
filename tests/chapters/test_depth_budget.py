"""What the chapter "The depth budget" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import depth_budget
from affinepieces.constructions import gentle_sawtooth, sawtooth


def test_budgets_come_from_draws_of_their_own():
    found = depth_budget.twins_against_depth(2.0**-3, [1, 4], draws=3)
    assert set(found) == {"gentle", "steep"}
    for regions, budgets in found.values():
        assert regions.shape == (3, 2)
        assert budgets[0] == 3  # two neurons that read t, with noise below the length of the segment
    (_, gentle), (_, steep) = found.values()
    assert gentle[1] < steep[1] <= 3**4


def test_stored_levels_of_noise():
    runs = depth_budget.half_gone("noise", 4, "gentle")
    assert len(runs) == 48
    assert -4 < np.median(runs) < 0
    assert np.median(depth_budget.half_gone("delta", 4, "steep")) > 5


def test_rounded_parameters():
    assert depth_budget.pieces_when_rounded("gentle", 6, [4, 5], fixed=True)[0] == 1
    assert depth_budget.pieces_when_rounded("gentle", 6, [4, 5], fixed=True)[1] > 1
    expected = [ap.count_pieces(ap.round_network(sawtooth(6, 0.4), ap.wide(b)), ap.Segment(0, 1)) for b in (3, 8)]
    assert depth_budget.pieces_when_rounded("steep", 6, [3, 8], fixed=False) == expected


def test_rescaled_networks_are_one_function():
    x = np.linspace(0, 1, 99)[:, None]
    assert depth_budget.rescaled(1) == gentle_sawtooth(10, 0.4)
    for exponent in (0, 0.5, 2):
        assert np.array_equal(depth_budget.rescaled(exponent)(x), gentle_sawtooth(10, 0.4)(x))
    assert ap.max_slope(depth_budget.rescaled(0), ap.Segment(0, 1)) > 3000


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_the_rate_gives_the_change(exponent):
    net = depth_budget.rescaled(exponent)
    rng = np.random.default_rng(3)
    x = rng.random((32, 1))
    y = net(x) + 0.01 * rng.standard_normal(x.shape)
    rate = depth_budget.rate_for_change(net, x, y, 2.0**-10)
    after = ap.perturbed_network(net, ap.exact_update(net, x, y, rate), 0.0, rng)
    assert np.abs(after(depth_budget.GRID) - net(depth_budget.GRID)).max() == pytest.approx(2.0**-10, rel=0.02)
