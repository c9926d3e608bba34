"""What the chapter "Perturbed gradient descent" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import perturbed
from affinepieces.constructions import gentle_sawtooth, square
from affinepieces.parameters import Parameters

UNIT = ap.Segment(0, 1)
GENTLE = gentle_sawtooth(4, 0.4)


def test_biases_stay_in_their_intervals_and_fill_them():
    update, delta = perturbed.step_towards_noise(GENTLE, 0), 3.0
    low, high = np.concatenate(perturbed.interval_ends(update, delta)).T
    start = np.concatenate(GENTLE.biases[:-1])
    drawn = [ap.perturbed_network(GENTLE, update, delta, np.random.default_rng(seed)) for seed in range(300)]
    changes = np.array([np.concatenate(net.biases[:-1]) for net in drawn]) - start
    slack = 1e-15
    assert (changes >= low - slack).all()
    assert (changes <= high + slack).all()
    assert (np.ptp(changes, axis=0) > 0.9 * (high - low)).all()


def test_median_draw_has_the_median():
    update = perturbed.step_towards_noise(GENTLE, 1)
    net, pieces = perturbed.median_draw(GENTLE, update, 30.0, 11)
    everything = [ap.count_pieces(ap.perturbed_network(GENTLE, update, 30.0, np.random.default_rng(s)), UNIT)
                  for s in range(11)]
    assert len(set(everything)) > 2
    assert pieces == np.median(everything) == ap.count_pieces(net, UNIT)


def test_assumptions_of_an_exact_fit():
    x = np.arange(9)[:, None] / 8
    assert perturbed.assumptions(square(3), x, x**2, 1.0, 2) == (0, 0.0, 4.0, 7)


def test_the_first_random_network_that_violates_the_second_half():
    x = np.linspace(0, 1, 64)[:, None]
    assert perturbed.assumptions(perturbed.random_with_sign_changes(), x, x**2, 1.0, 1)[3] > 0


def test_sensitivities_are_differences():
    """Within a region f is affine in each bias."""
    x, h = np.array([[0.3], [0.55], [0.9]]), 2.0**-20
    found = perturbed.sensitivities(GENTLE, x)
    for k in range(8):
        biases = [b.copy() for b in GENTLE.biases]
        biases[k // 2][k % 2] += h
        moved = ap.ReLUNetwork(GENTLE.weights, biases)
        assert found[k] == pytest.approx(np.abs(moved(x) - GENTLE(x)).max() / h, abs=1e-6)


def test_residual_and_bound_scale_with_the_residuals():
    x = np.linspace(0.05, 0.95, 7)[:, None]
    few, many = (perturbed.residual_and_bound(GENTLE, x, GENTLE(x) + shift) for shift in (0.25, 0.5))
    assert 2 * np.array(few) == pytest.approx(many)
    assert few[0] == pytest.approx(0.25)
    assert 0 < few[1] <= few[0]


def test_training_with_own_labels_and_with_others():
    recorded = [0, 1, 20]
    own = perturbed.pieces_in_training(GENTLE, 1, 0.0, 1.0, recorded, [0, 1])
    noisy = perturbed.pieces_in_training(GENTLE, 1, 3.0, 1.0, recorded, [0, 1])
    assert own.tolist() == [[ap.count_pieces(GENTLE, UNIT)] * 3] * 2
    assert noisy[:, 0].tolist() == own[:, 0].tolist()
    assert (noisy[:, -1] < own[:, -1]).all()


def test_noise_is_read_off_from_the_biases():
    net = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, 1.0], [0.0]])
    update = Parameters((np.zeros((2, 1)), np.zeros((1, 2))), (np.array([0.5, 0.0]), np.zeros(1)))
    theta, unmoved = perturbed.drawn_noise(net, update, 0.25, 2000, np.random.default_rng(0))
    assert theta.shape == unmoved.shape == (2000, 1)
    assert (unmoved == 0).all()
    assert perturbed.distance_to_uniform(theta[:, 0], -0.25, 0.25) < 2.6 / np.sqrt(2000)


def test_distance_to_uniform_by_hand():
    assert perturbed.distance_to_uniform(np.array([0.0, 0.0]), -1, 1) == 0.5
    assert perturbed.distance_to_uniform(np.array([1.0]), 0, 1) == 1
