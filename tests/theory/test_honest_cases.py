"""Where the assumptions of Theorem 3.4 fail, and what happens then: networks that keep their pieces."""
import numpy as np
import pytest

import affinepieces as ap

UNIT = ap.Segment(0, 1)


@pytest.mark.parametrize("n", [2, 5])
def test_the_network_for_squares_keeps_its_pieces(n):
    """On data where it interpolates nothing is updated: (A) fails, the bound says nothing, the pieces stay."""
    net, x = ap.constructions.square(n), np.arange(2**n + 1)[:, None] / 2**n
    update = ap.exact_update(net, x, x**2, 0.0625).biases[:-1]
    assert ap.nonzero_updates(update) == 0
    assert ap.zero_update_crossings(net, UNIT, update) == 2**n - 1  # the second half of (A) is violated
    assert ap.expected_regions_bound(ap.max_slope(net, UNIT), 1.0, update, 1.0) == 1  # and whoever forgets it is wrong
    assert ap.data_driven_bound([net], UNIT, update, 1.0) >= 2**n
    history = ap.train(ap.Run(net, x, x**2, 0.0625, 50, record=range(0, 51, 10), noise=ap.Perturbed(1.0)))
    assert set(history.count(UNIT).pieces) == {2**n}


def test_beside_the_nodes_its_updates_nearly_vanish():
    net, x = ap.constructions.square(6), (np.arange(32)[:, None] + 0.37) / 32
    update = ap.exact_update(net, x, x**2, 0.0625).biases[:-1]
    assert ap.nonzero_updates(update) > 0
    assert ap.mean_reciprocal(update) > 1e6
    assert ap.data_driven_bound([net], UNIT, update, 1.0) > 2**6


def test_the_steep_sawtooth_survives_noise_and_its_gentle_twin_does_not():
    n, width = 12, 2.0**-6
    steep = ap.constructions.sawtooth(n)
    gentle = ap.constructions.rescale(steep, [2.0**-j for j in range(n)])
    assert ap.max_slope(steep, UNIT) == 2.0 ** (n - 1)
    assert ap.max_slope(gentle, UNIT) == 1
    pieces = [ap.count_many([ap.constructions.perturb_biases(net, width, np.random.default_rng(seed))
                             for seed in range(10)], UNIT).pieces for net in (steep, gentle)]
    assert pieces[0].min() > 2 ** (n - 1)
    assert np.median(pieces[1]) < 2**n / 16
