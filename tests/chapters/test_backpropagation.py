"""What the chapter "Backpropagation in floating point" computes, on cases that are known by other means."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import backpropagation as chapter
from affinepieces.constructions import gentle_sawtooth, sawtooth, square


def data_of(net, fmt, seed=0, labels=np.square):
    return chapter.problem(net, labels, fmt, chapter.uniform_points(seed, count=9))


def test_problems_are_in_the_format_and_have_their_own_points():
    nets = [chapter.random_network(4, 2, seed) for seed in range(3)]
    several = chapter.problems(nets, np.square, ap.BFLOAT16)
    assert len({x.tobytes() for _, x, _ in several}) == 3
    for net, x, y in several:
        ap.gradients(net, x, y, ap.Rounded(ap.BFLOAT16))  # refuses numbers that are not in the format
        assert np.array_equal(y, ap.round_to(x**2, ap.BFLOAT16))


def test_preactivations_are_those_of_the_gradient():
    net, x, y = data_of(chapter.random_network(5, 3, 1), ap.BFLOAT16)
    found = chapter.preactivations(net, x, ap.BFLOAT16)
    computed = ap.gradients(net, x, y, ap.Rounded(ap.BFLOAT16))
    assert all(np.array_equal(z.T > 0, mask) for z, mask in zip(found[:-1], computed.active, strict=True))
    assert float(computed.loss) == pytest.approx(np.mean((found[-1] - y) ** 2), rel=0.1)


def test_zero_preactivations_by_hand():
    """The hat at 0, 1/4, 1/2: z = x and x - 1/2, so 2 of 6 are zero."""
    points = np.array([0, 0.25, 0.5])
    assert chapter.zero_preactivations(sawtooth(1), ap.BFLOAT16, points) == pytest.approx(2 / 6)


def test_output_errors_are_those_of_fractions():
    net, x, _ = data_of(gentle_sawtooth(3, 0.4), ap.BFLOAT16)
    expected = []
    for point, computed in zip(x, chapter.preactivations(net, x, ap.BFLOAT16)[-1], strict=True):
        values = [Fraction(v) for v in point.tolist()]
        for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
            values = [sum(Fraction(w) * v for w, v in zip(row, values, strict=True)) + Fraction(c)
                      for row, c in zip(a.tolist(), b.tolist(), strict=True)]
            values = [max(v, Fraction(0)) for v in values] if j < 3 else values
        expected.append(float(abs(Fraction(float(computed[0])) - values[0]) / values[0]))
    assert chapter.output_errors(net, x, ap.BFLOAT16) == pytest.approx(expected)
    assert max(expected) > ap.BFLOAT16.unit_roundoff


def test_medians_of_errors_and_conditions():
    several = [data_of(square(3), ap.FLOAT32, seed) for seed in range(3)]
    output, residual, gradient, path = chapter.errors_and_conditions(several, ap.FLOAT32)
    assert output < 2 * ap.FLOAT32.unit_roundoff
    assert 100 < residual < path
    assert gradient == pytest.approx(np.median([np.median(chapter.gradient_errors(d, ap.FLOAT32)) for d in several]))


def test_bound_is_refused_where_a_neuron_flips():
    bound, error = chapter.bound_and_error(data_of(square(3), ap.FLOAT32), ap.FLOAT32)
    assert (error <= bound).all()
    with pytest.raises(ValueError, match=r"neurons flip in 5-bit: the bound does not apply"):
        chapter.bound_and_error(data_of(gentle_sawtooth(10, 0.4), ap.wide(5)), ap.wide(5))


def test_shares_by_part_sum_to_one_and_are_those_of_the_stages():
    data = data_of(chapter.random_network(4, 2, 0), ap.BFLOAT16)
    shares = chapter.shares_by_part(data, ap.BFLOAT16)
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    stages = dict(zip((found := ap.attribute(*data, ap.Rounded(ap.BFLOAT16))).stages, found.shares(), strict=True))
    assert shares[0, 2] == pytest.approx(stages["residual"])
    assert shares[0, 3] == pytest.approx(stages["backward 3"] + stages["backward 2"])
    assert shares[0, 4] == pytest.approx(sum(stages[f"gradient {j}"] for j in (1, 2, 3)))


def test_bits_per_layer_is_the_slope_of_the_medians():
    points = chapter.uniform_points(0, count=16)
    q = chapter.quantiles_by_layers(square, lambda n: np.square, (3, 7), ap.FLOAT32, points)
    slope = chapter.bits_per_layer(square, lambda n: np.square, 3, 7, ap.FLOAT32, points)
    assert 2 ** (4 * slope) == pytest.approx(q[1, 1] / q[0, 1])


def test_along_training_in_a_format():
    history = chapter.runs_in_formats((ap.BFLOAT16,), (0, 2), seeds=1)["bfloat16"][0]
    rows = chapter.along_training(history)
    assert rows.shape == (2, 5)
    residuals = history.networks[0](history.run.x) - history.run.y
    assert rows[1, 0] < rows[0, 0] == pytest.approx(float(np.mean(residuals**2)))
    assert (rows[:, 3:] <= 1).all()


def test_trained_networks_fit():
    start, end = (chapter.fitted_networks(np.square, 1, steps)[0] for steps in (1, 300))
    x = np.linspace(0, 1, 32)[:, None]
    losses = [np.mean((net(x) - x**2) ** 2) for net in (start, end)]
    assert losses[1] < losses[0] / 10


def test_torch_rounds_less_than_every_operation():
    """Sums over 32 neurons and 64 points, which torch accumulates in float32."""
    data = chapter.problems([chapter.random_network(32, 5, 0)], np.square, ap.BFLOAT16)[0]
    errors = chapter.errors_of_torch(data)
    assert 0 < np.median(errors) < np.median(chapter.gradient_errors(data, ap.BFLOAT16))
