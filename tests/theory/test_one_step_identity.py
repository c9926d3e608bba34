"""Expected regions are expected crossings: exactly where the noise covers every function, and on average elsewhere."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.assumptions import sign_changes
from affinepieces.theory.one_step import data_driven_terms
from theory.steps import UNIT, WIDE, carriers, excess, perturbed


def given_the_rest(before, after, updates, delta, line):
    """1 + sign changes without update + crossings expected of each neuron for new noise of its own, after one step."""
    total = 1.0 + sum(n[u == 0].sum() for n, u in zip(sign_changes(after, line), updates, strict=True))
    for z, b, old, move in zip(ap.preactivations(after, line), after.biases, before.biases, updates, strict=False):
        for k in np.flatnonzero(move):
            h = ap.PiecewiseAffine(z.breakpoints, z.values[:, [k]] - b[k], z.kinks)
            total += ap.expected_crossings(h, 2 * delta * abs(move[k]), old[k] + move[k])
    return total


def teeth(n):
    """n layers of the sawtooth without update, and one neuron whose noise is as long as its teeth are high."""
    below = ap.constructions.sawtooth(n)
    net = ap.ReLUNetwork([*below.weights, [[1.0]]], [*below.biases, [0.0]])
    return net, [*[np.zeros(2)] * n, np.array([-0.5])]


@pytest.mark.parametrize(("net", "updates"), [carriers(1, 2), carriers(3, 5), teeth(1), teeth(6)])
def test_every_draw_attains_the_identity_where_the_noise_covers_the_range(net, updates):
    """As many crossings whatever the noise, so nothing is left to chance; with and without zero updates."""
    for seed in range(5):
        after = perturbed(net, updates, 1.0, np.random.default_rng(seed))
        assert given_the_rest(net, after, updates, 1.0, UNIT) == pytest.approx(ap.count_regions(after, UNIT), rel=1e-9)


def pair_of_means(seed, draws=25):
    """Regions after a step minus the expected crossings given all other noise, for each draw.

    Neurons without update add their sign changes.  The noise is as long as the functions are high, or shorter.
    """
    rng = np.random.default_rng([35, seed])
    hidden, width = int(rng.integers(1, 5)), int(rng.integers(2, 9))
    net = ap.constructions.he_random([1, *[width] * hidden, 1], rng, bias_std=1.0)
    updates = [rng.standard_normal(width) * (rng.random(width) >= rng.choice([0.0, 0.4])) for _ in range(hidden)]
    delta, gaps, slack = 10.0 ** rng.uniform(-1, 1.5), [], []
    for _ in range(draws):
        after = perturbed(net, updates, delta, rng)
        regions, total = ap.count_regions(after, WIDE), given_the_rest(net, after, updates, delta, WIDE)
        assert regions == 1 + np.concatenate(sign_changes(after, WIDE)).sum()  # the hypothesis: no two at one point
        gaps.append(regions - total)
        slack.append(data_driven_terms([after], WIDE, updates, delta)[0] - total)
    return np.array(gaps), np.array(slack)


def test_expected_regions_are_expected_crossings():
    """40 random networks, with and without zero updates: deviations in standard errors as those of a normal number."""
    deviations = []
    for seed in range(40):
        gaps, slack = pair_of_means(seed)
        assert slack.min() >= -1e-6
        if gaps.std() > 1e-6:
            deviations.append(excess(gaps, 0.0))
    assert len(deviations) > 30
    assert np.abs(deviations).max() < 5
    assert 0.7 < np.sqrt(np.mean(np.square(deviations))) < 1.3
