"""What the chapter "Pieces during training" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import trained_pieces
from affinepieces.constructions import gentle_sawtooth
from affinepieces.study.tasks import UNIT, noisy_labels, points, random_start


def test_descents_begin_at_the_network():
    net = gentle_sawtooth(6, 0.4)
    pieces, distance = trained_pieces.descents(net, 0.1, 2.0**-8, [0, 1, 20], range(3))
    assert pieces.shape == distance.shape == (3, 3)
    assert (pieces[:, 0] == ap.count_pieces(net, UNIT)).all()
    assert (distance[:, 0] == 0).all()
    assert (np.diff(distance, axis=1) > 0).all()


def test_one_step_of_a_descent_is_the_update():
    """The distance is the length of the update, the count that of the network after it."""
    net = gentle_sawtooth(5, 0.4)
    update = ap.exact_update(net, *noisy_labels(net, 0.1, 3), 2.0**-6)
    pieces, distance = trained_pieces.descents(net, 0.1, 2.0**-6, [0, 1], [3])
    entries = np.concatenate([np.ravel(part) for part in (*update.weights, *update.biases)])
    assert distance[0, 1] == pytest.approx(np.linalg.norm(entries), rel=1e-9)
    after = ap.perturbed_network(net, update, 0.0, np.random.default_rng(0))
    assert pieces[0, 1] == ap.count_pieces(after, UNIT)


def test_labels_without_noise_move_nothing():
    found = trained_pieces.descents(gentle_sawtooth(4, 0.5), 0.0, 2.0**-6, [0, 50], [0])
    assert (found.distance == 0).all()
    assert (found.medians() == [[found.pieces[0, 0]] * 2, [0, 0]]).all()


def test_rate_times_steps_is_the_same():
    """One step each of 1/4 would be: 1024, 256 and 64 of them."""
    runs = trained_pieces.after_equal_time([0])
    net = gentle_sawtooth(10, 0.4)
    assert list(runs) == [-12, -10, -8]
    expected = trained_pieces.descents(net, 0.1, 2.0**-8, [0, 64], [0]).pieces[:, -1]
    assert (runs[-8] == expected).all()


def test_patterns_say_who_is_active():
    net = ap.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 0.0]], [[1.0]]], [[-0.5, 0.25], [-0.25], [0.0]])
    assert trained_pieces.patterns(net, np.array([[0.0], [0.6], [1.0]])).tolist() == [
        [False, True, False], [True, False, False], [True, False, True]]


def test_settling_is_the_share_of_switches():
    """Ten steps from two starts, made by hand."""
    switched, moved = trained_pieces.settling("square", (4, 16), (0,), [0, 5])
    shares = []
    for seed in (0, 5):
        net, (x, y) = random_start("he_biases", "square", 4, 16, seed), points("square", seed)
        after = net
        for _ in range(10):
            made = ap.step(after, x, y, trained_pieces.RATE, trained_pieces.DOUBLE)
            after = ap.ReLUNetwork(made.weights, made.biases)
        different = trained_pieces.patterns(net, x) != trained_pieces.patterns(after, x)
        assert different.shape == (32, 64)
        shares.append(different.mean())
    assert switched[0] == np.mean(shares) > 0
    assert moved[0] > 0


def test_stored_runs_are_all_there():
    for step in trained_pieces.BOUNDED:
        assert trained_pieces.pieces_per_neuron(step).shape == (4, 6)
        for name, by_shape in trained_pieces.bounds_after("kink", step).items():
            assert [len(runs) for runs in by_shape] == [30] * 6, name
    found, p = trained_pieces.rounded_pairs()
    assert len(found) == 10
    assert all(c.pairs == 180 and p[key] >= c.p for key, c in found.items())
    assert all(len(blocks) == 6 for row in trained_pieces.growths().values() for _, blocks in row)
    product = trained_pieces.bounds_after("sine", 0)["combinatorial"]
    assert [runs[0] for runs in product] == [(w + 1.0) ** d for d, w in trained_pieces.SHAPES]


def test_vacuous_bounds_are_counted():
    found = trained_pieces.bounds_after("random", 1000)
    above = sum((a > b).sum() for a, b in zip(found["data_driven"], found["combinatorial"], strict=True))
    assert trained_pieces.vacuous("random", 1000) == pytest.approx(above / 180)


def test_digits_at_the_first_step_do_not_know_their_labels():
    """The same seeds start at networks of the same kind, whatever the labels."""
    for depth in (2, 4):
        runs = trained_pieces.regions_between_images(depth)
        assert [r.shape for r in runs.values()] == [(30, 7)] * 3
        assert trained_pieces.beside_true_labels(depth, 0.0).effect == 0
