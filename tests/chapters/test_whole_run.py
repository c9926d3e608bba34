"""What the chapter "A whole run" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import whole_run
from affinepieces.constructions import gentle_sawtooth, he_random

UNIT = ap.Segment(0, 1)
GENTLE = gentle_sawtooth(4, 0.4)


@pytest.mark.parametrize("seed", range(20))
def test_a_silent_last_layer_has_no_hidden_gradient(seed):
    """And in a network of this kind nothing else is without any."""
    net, x = he_random([1, 2, 2, 2, 1], np.random.default_rng(seed), bias_std=1.0), np.linspace(0, 1, 9)[:, None]
    update = ap.exact_update(net, x, 3 + np.cos(9 * x), 0.25)
    hidden = [*update.weights, *update.biases[:-1]]  # the weights of the output too
    assert whole_run.silent(net, x) == (not any(part.any() for part in hidden))


def test_both_kinds_of_networks_are_met():
    x = np.linspace(0, 1, 9)[:, None]
    nets = [he_random([1, 2, 2, 2, 1], np.random.default_rng(seed), bias_std=1.0) for seed in range(20)]
    assert 1 < sum(whole_run.silent(net, x) for net in nets) < 19


@pytest.mark.parametrize("delta", [1.0, 100.0])
def test_counts_that_are_carried_forward_are_those_of_the_networks(delta):
    steps = [0, 1, 2, 3, 5, 9, 17]
    runs = whole_run.follow(GENTLE, delta, 2.0**-5, steps, [0, 0, 0, 1, 2])
    assert runs.still.any() == (delta > 1)
    for i, history in enumerate(runs.histories):
        counts = history.count(UNIT)
        assert runs.regions[i].tolist() == list(counts.regions)
        assert runs.pieces[i].tolist() == list(counts.pieces)
        assert runs.still[i].tolist() == [whole_run.silent(net, history.run.x) for net in history.networks]


def test_runs_with_one_seed_of_labels_differ_in_the_perturbation_alone():
    runs = whole_run.follow(GENTLE, 1.0, 2.0**-8, [0, 1], [3, 3, 4])
    first, second, other = (history.run for history in runs.histories)
    assert np.array_equal(first.y, second.y)
    assert not np.array_equal(first.y, other.y)
    assert runs.histories[0].networks[1] != runs.histories[1].networks[1]
    still = whole_run.follow(GENTLE, 0.0, 2.0**-8, [0, 1], [3, 3]).histories
    assert still[0].networks[1] == still[1].networks[1]


def test_nothing_is_left_after_divergence():
    runs = whole_run.follow(GENTLE, 1e200, 2.0**-8, [0, 1, 8], range(4))
    ended = [history.diverged_at is not None for history in runs.histories]
    assert any(ended)
    for i in np.flatnonzero(ended):
        assert runs.pieces[i, -1] == runs.regions[i, -1] == 0
        assert runs.pieces[i, 0] == ap.count_pieces(GENTLE, UNIT)


def test_maintained_is_for_every_step_so_far():
    counts = np.array([[3, 3, 3], [3, 2, 3], [1, 3, 3]])
    assert whole_run.maintained(counts, 3).tolist() == [2, 1, 1]
    assert whole_run.maintained(counts, 1).tolist() == [3, 3, 3]


def test_limits_of_clopper_and_pearson():
    share, low, high = whole_run.limits([0, 5, 10], 10)
    assert share.tolist() == [0, 0.5, 1]
    assert low == pytest.approx([0, 0.1871, 0.025 ** 0.1], abs=1e-4)
    assert high == pytest.approx([1 - 0.025 ** 0.1, 0.8129, 1], abs=1e-4)


def test_bounds_of_the_first_step():
    tiny, _ = whole_run.first_step_bounds(GENTLE, 1e-9, 2.0**-8, 0, 4)
    budget, plain = whole_run.first_step_bounds(GENTLE, 100.0, 2.0**-8, 0, 20)
    assert tiny == 3**4
    assert 1 < budget <= plain
    runs = whole_run.follow(GENTLE, 100.0, 2.0**-8, [0, 1], [0] * 40)
    assert 2 * runs.regions[:, 1].mean() - whole_run.upper_mean(runs.regions[:, 1]) <= budget
