"""What the chapter "Assumption (A) in practice" computes."""
from itertools import product

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import assumption_a


@pytest.mark.parametrize("x", [0.5, -0.75, 3.0])
def test_second_moments_are_those_of_all_signs(x):
    """Independent signs on fixed sizes are symmetric, and so many that their mean is the expectation."""
    sizes = [(0.5, 0.3), (1.5, 0.7), (0.25, 0.0)]  # of weights and biases, layer by layer; no preactivation is zero
    widths, squares = [1, 2, 2, 1], []
    for signs in product((-1.0, 1.0), repeat=12):
        a1, a2, a3, b1, b2 = np.split(np.array(signs), [2, 6, 8, 10])
        net = ap.ReLUNetwork([0.5 * a1[:, None], 1.5 * a2.reshape(2, 2), 0.25 * a3[None]],
                             [0.3 * b1, 0.7 * b2, np.zeros(1)])
        squares.append(np.square(assumption_a.derivatives(net, x)))
    exact = assumption_a.second_moments(widths, [size**2 for size, _ in sizes])
    assert np.mean(squares, axis=0) == pytest.approx(np.repeat(exact, 2).reshape(2, 2), rel=1e-12)


def test_second_moments_of_layers_of_different_width():
    """Two layers above the first: N_2 v_2 / 2 and N_3 v_3 / 2."""
    assert assumption_a.second_moments([1, 5, 3, 7, 1], [9.0, 0.5, 0.25, 2.0]) == pytest.approx(
        [3 * 0.5 / 2 * 7 * 0.25 / 2, 7 * 0.25 / 2, 1.0])


def test_derivatives_are_difference_quotients():
    net = assumption_a.uniform_network(2.0, 3, 4, 0)
    found = assumption_a.derivatives(net, 0.3)
    for j, layer in enumerate(found):
        for k, derivative in enumerate(layer):
            moved = [b.copy() for b in net.biases]
            moved[j][k] += 2.0**-20
            after = ap.ReLUNetwork(net.weights, moved)
            assert (after([[0.3]]) - net([[0.3]])).item() * 2**20 == pytest.approx(derivative, abs=1e-8)


def test_updates_of_the_sawtooth_are_in_proportion_to_its_derivatives():
    """The residual is the noise: of one layer, and of the twins where no layer is above."""
    gentle, steep = (assumption_a.sawtooth_updates(twin, 5, [3, 4]) for twin in ("gentle", "steep"))
    assert gentle.shape == (2, 5, 2)
    assert steep == pytest.approx(gentle * 2.0 ** np.arange(4, -1, -1)[:, None], rel=1e-9)
    assert assumption_a.sawtooth_reciprocals("gentle", 5, [3, 4]) == pytest.approx((1 / gentle).mean(axis=(1, 2)))
    quantiles = assumption_a.sawtooth_quantiles("steep", 5, [3, 4])
    assert quantiles[0, 1] == np.median(steep[:, -1])
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_slopes_are_those_of_the_medians():
    """Of two points a straight line, of all runs and of each block."""
    settings = [{"start": "uniform", "task": "square", "width": 16, "depth": d} for d in (2, 4)]
    slope, blocks = assumption_a.slope_of_medians([0, 1], settings)
    few, many = (np.log2(assumption_a.reciprocals("uniform", d, 16)) for d in (2, 4))
    assert slope == pytest.approx(np.median(many) - np.median(few))
    assert len(few) == len(many) == 30
    assert len(blocks) == 6
    assert min(blocks) <= slope <= max(blocks)


def test_runs_in_which_no_bias_moves_have_no_reciprocal():
    still = assumption_a.without_any_update("he", 20, 4)
    assert len(assumption_a.reciprocals("he", 20, 4)) == round(30 * (1 - still)) < 30


def test_sizes_by_layer_begin_at_the_output():
    sizes = assumption_a.sizes_by_layer("uniform", 8, 64)
    assert sizes.shape == (8, 3)
    assert (np.diff(sizes[:, 1]) < 0).all()
    assert (np.diff(sizes, axis=1) > 0).all()


def test_factors():
    assert assumption_a.factor_of_normal_numbers() == pytest.approx(0.67449 / 0.062707, rel=1e-4)
    assert assumption_a.means_of_reciprocals([1, 10], 3).shape == (3, 2)


def test_revived_is_a_share_in_percent():
    found = assumption_a.runs().where(start="he", task="square", width=[16, 64])
    neurons = found["depth"] * found["width"]
    share = np.mean([row[0] / n for row, n in zip(found.rows("revived"), neurons, strict=True)])
    assert assumption_a.revived("he", 0) == pytest.approx(100 * share)


def test_more_sign_changes_on_the_longer_segment():
    found = assumption_a.crossings([0, 3], seeds=2)
    assert found.shape == (2, 2, 2)
    assert (found[:, :, 0] <= found[:, :, 1]).all()
