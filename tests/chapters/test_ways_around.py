"""Compositions of triangles, descent in their peaks, planted regions."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import triangles, ways_around

UNIT = ap.Segment(0, 1)
FORMATS = (ap.FLOAT64, ap.FLOAT32, ap.BFLOAT16, ap.wide(5))


def networks(count, spread=0.4):
    for seed in range(count):
        rng = np.random.default_rng([18, seed])
        for fmt in FORMATS:
            yield triangles.random_triangles(int(rng.integers(2, 11)), spread, fmt, rng)


def test_heights_of_tops_predict_the_pieces():
    nets = list(networks(30))
    holds = [net for net in nets if triangles.doubling_layers(net) == net.layers - 1]
    counts = ap.count_many(holds, UNIT).pieces
    assert [triangles.predicted_pieces(net) for net in holds] == counts.tolist()
    powers = np.array([2 ** (net.layers - 1) for net in holds])
    assert (powers <= counts).all()
    assert (counts <= powers + powers // 4).all()
    assert len(nets) / 2 < len(holds) < len(nets)


@pytest.mark.parametrize(("peak", "share"), [(0.5, 1), (0.4, 1.25)])
def test_both_ends_of_the_range_are_attained(peak, share):
    for n in range(2, 9):
        net = ap.constructions.sawtooth(n, peak)
        assert ap.count_pieces(net, UNIT) == triangles.predicted_pieces(net) == share * 2**n


def test_recursion_counts_also_where_laps_are_lost():
    nets = list(networks(30))
    assert [triangles.pieces_of_triangles(net) for net in nets] == ap.count_many(nets, UNIT).pieces.tolist()
    assert any(ap.count_pieces(net, UNIT) < 2 ** (net.layers - 1) for net in nets)


def test_a_prediction_needs_its_hypothesis():
    net = triangles.random_triangles(60, 0.4, ap.BFLOAT16, np.random.default_rng(0))
    with pytest.raises(ValueError, match="of 60 layers double all laps"):
        triangles.predicted_pieces(net)


def test_layers_that_are_no_triangles_are_refused():
    flat = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0, -0.5], [0.0]])
    with pytest.raises(ValueError, match="layer 0 has peak 1/2, slope 1 and turn 1"):
        triangles.triangles_of(flat)


def test_derivatives_by_the_peaks_are_those_of_the_loss():
    rng = np.random.default_rng(5)
    theta = np.concatenate([rng.uniform(0.3, 0.7, 4), [0.2, -0.1]])
    x, y = rng.random((16, 1)), rng.random((16, 1))

    def loss(at):
        return np.mean((ways_around.gentle_triangles(at)(x) - y) ** 2)

    found = ways_around.pulled_back(theta, ap.gradients(ways_around.gentle_triangles(theta), x, y, ap.Native()))
    steps = 1e-6 * np.eye(len(theta))
    assert np.allclose(found, [(loss(theta + e) - loss(theta - e)) / 2e-6 for e in steps], atol=1e-7)


def test_gentle_triangles_are_scaled_triangles():
    peaks, x = np.array([0.3, 0.6, 0.45]), np.linspace(0, 1, 33)[:, None]
    gentle = ways_around.gentle_triangles(np.append(peaks, [0.125, 2.0]))
    values = x
    for a in peaks:
        values = np.where(values < a, values / a, (1 - values) / (1 - a))
    assert np.allclose(gentle(x), 0.125 * values + 2)


def test_descent_in_peaks_keeps_what_free_descent_loses():
    runs = ways_around.same_start(range(2))
    assert runs["peaks"].pieces.min() >= 2**10
    assert runs["peaks"].pieces.max() <= 2**10 + 2**8
    assert np.ptp(runs["peaks"].pieces, axis=1).min() > 0
    assert (runs["free"].pieces[:, -1] < 900).all()
    assert (runs["free"].pieces == runs["exact"].pieces).all()


def test_bits_of_an_exact_step_are_those_of_step():
    net, rng = ap.constructions.gentle_sawtooth(3, 0.4), np.random.default_rng(1)
    x, y = rng.random((8, 1)), rng.random((8, 1))
    after = ap.step(net, x, y, 2.0**-8, ap.Exact())
    longest = max(v.denominator for p in (*after.weights, *after.biases) for v in p.fractions().ravel())
    start, first, second = ways_around.bits_of_exact_descent(net, x, y, 2.0**-8, 2)
    assert first == longest.bit_length() > 5 * start
    assert 6 < second / first < 8  # the degree of the gradient is 7


def test_planted_regions_are_more_and_the_loss_still_falls():
    start = ways_around.random_batch(range(6), 2, 8)
    plain, seeded = (ways_around.planted(start, weight, steps=100) for weight in (0.0, 0.05))
    assert (ways_around.regions(seeded.networks) > ways_around.regions(plain.networks)).all()
    for net, before, (x, y) in zip(seeded.networks, start.networks, seeded.data, strict=True):
        assert np.mean((net(x) - y) ** 2) < np.mean((before(x) - y) ** 2)
    later = ways_around.after_planting(seeded, steps=5)
    assert list(later) == ["planted", "rounded", "float64", "bfloat16", "stochastic"]
