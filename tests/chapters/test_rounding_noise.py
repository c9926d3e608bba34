"""What the chapter "Is rounding like the model?" computes."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import rounding_noise as noise

EXACT = np.array([1.0, -2.0, 4.0, -8.0])


def errors(theta, gradient=0.0):
    """Of a step with the exact updates `EXACT`, errors in proportion to them."""
    return noise.Errors(np.arange(4), EXACT, EXACT * theta, EXACT * gradient, np.full(4, 0.5))


@pytest.mark.parametrize("fmt", [ap.FLOAT64, ap.FLOAT32, ap.FLOAT16, ap.BFLOAT16, ap.wide(5)], ids=str)
def test_the_last_operation_is_attained_in_every_format(fmt):
    """b = 1 and an update of u: the sum lies half way between two numbers and goes back, Theta = -1."""
    u = Fraction(fmt.unit_roundoff)
    rate = float(u) / 2
    net = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[1.0], [0.0]])
    step = net, [[0.0]], [[2.0]], rate, ap.Rounded(fmt)  # residual -1, so the update is 2 * rate = u
    assert Fraction(ap.exact_update(*step[:4]).biases[0][0]) == u
    assert ap.step(*step).biases[0][0] == 1
    assert ap.effective_perturbation(*step).step.biases[0][0] == u / (1 + u) * (1 + u) / u == 1


def test_errors_of_a_step_are_those_of_fractions():
    net, x, y = noise.problem("gentle", 3)
    net, x, y = ap.round_network(net, ap.BFLOAT16), *(ap.round_to(v, ap.BFLOAT16) for v in (x, y))
    machine = ap.Rounded(ap.BFLOAT16)
    run = ap.Run(net, x, y, 2.0**-10, 1, machine)
    found, made = noise.errors_of_step(net, run, machine), ap.step(net, x, y, 2.0**-10, machine)
    exact = np.concatenate([g.fractions().ravel() for g in ap.gradients(net, x, y, ap.Exact()).biases[:-1]])
    moved = noise.hidden(made.biases) - noise.hidden(net.biases)
    theta = [Fraction(m) / (-g / 2**10) - 1 for m, g in zip(moved, exact, strict=True) if g]
    assert found.theta == pytest.approx([float(t) for t in theta], rel=1e-12)
    assert ((found.theta == -1) == (moved == 0)).all()
    assert 0 < np.sum(moved == 0) < len(moved)
    level = ap.effective_perturbation(net, x, y, 2.0**-10, machine).step.hidden_biases()
    assert np.abs(found.theta) == pytest.approx(level, rel=1e-12)


def test_an_exact_machine_of_many_bits_has_no_noise():
    steps = noise.errors_of_steps("gentle", ap.Rounded(ap.FLOAT64), [0], after=1)
    assert len(steps[0].exact) == 20
    assert np.abs(steps[0].theta).max() < 1e-10
    assert steps[0].computed == pytest.approx(np.ones(20))


def test_runs_that_diverge_are_left_out(monkeypatch):
    assert len(noise.trained("random", ap.Rounded(ap.FLOAT16), range(3), (5,))) == 3
    monkeypatch.setitem(noise.RATES, "random", 2.0**12)
    assert noise.trained("random", ap.Rounded(ap.FLOAT16), range(3), (5,)) == []


def test_claims_of_noise_that_keeps_them():
    rng = np.random.default_rng(0)
    updates = rng.choice([-1, 1], (50, 40)) * 2.0 ** rng.uniform(-10, 0, (50, 40))
    thetas = rng.uniform(-0.3, 0.3, (50, 40))
    found = noise.claims([noise.Errors(np.arange(40), e, e * t, e * t, e)
                          for e, t in zip(updates, thetas, strict=True)])
    assert found.delta == pytest.approx(0.3, rel=0.03)
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.tiny == pytest.approx(0.1, abs=0.03)
    assert found.negative == pytest.approx(0.5, abs=0.05)
    assert found.lost == 0
    assert abs(found.same - found.independent) < 0.01


def test_claims_of_lost_updates():
    found = noise.claims([errors(-1.0), errors(-1.0)])
    assert (found.slope, found.tiny, found.negative, found.lost, found.same, found.independent) == (
        pytest.approx(1), 0, 1, 1, 1, 1)
    assert found.delta == pytest.approx(1 / 0.9)


def test_steps_that_err_together_agree_more_often_than_independent_ones():
    same, error, independent = noise.same_sign_in_steps([errors(0.5), errors(-0.5)] * 4)
    assert (same, error, independent) == (1, 0, 0.5)
    same, _, independent = noise.same_sign_in_steps([errors(0, gradient=1.0)], "gradient")
    assert (same, independent) == (1, 1)  # relative to the updates, whose signs differ


@pytest.mark.parametrize(("values", "share"), [([1, 1], 1), ([1, -1], 0), ([1, 1, -1, -1], 1 / 3)])
def test_same_sign(values, share):
    assert noise.same_sign(values) == pytest.approx(share)


def test_one_sign_has_no_pair():
    assert np.isnan(noise.same_sign([1.0]))
    one = noise.Errors(np.array([0]), *(np.array([v]) for v in (1.0, -1.0, 0.0, 1.0)))
    assert noise.same_sign_in_steps([one, errors(1.0), errors(1.0)])[0] == 1


@pytest.mark.parametrize("value", [1.0, 1.5, -1.9921875, 0.75, -3.0, 2.0**-20])
def test_last_place_is_the_gap_of_the_format(value):
    away = value * (1 + 0.75 * 2.0**-7)  # further than half a gap at every value, nearer than one and a half
    found = noise.last_places(np.array([value]), ap.BFLOAT16)[0]
    assert abs(ap.round_to(away, ap.BFLOAT16) - value) == found


def test_below_the_range_the_last_place_is_the_smallest_number():
    smallest = float(np.nextafter(np.float16(0), np.float16(1)))
    assert noise.last_places(np.array([0.0, smallest, -3 * smallest, 2.0**-14]), ap.FLOAT16).tolist() == [smallest] * 4


def test_a_zero_bias_has_no_range_in_last_places():
    net = ap.ReLUNetwork([[[1.0], [3.0]], [[1.0, 1.0]]], [[0.0, -1.0], [0.0]])
    assert noise.ranges_in_last_places(net, ap.BFLOAT16).tolist() == [3 * 2**7]


def test_twins_have_the_same_ranges_in_last_places():
    """Powers of two scale variations and last places alike."""
    gentle, steep = (noise.ranges_in_last_places(twin(6, 0.4), ap.BFLOAT16)
                     for twin in (ap.constructions.gentle_sawtooth, ap.constructions.sawtooth))
    assert np.array_equal(gentle, steep)
    assert len(gentle) == 6


def test_more_bits_get_more_signs_right():
    few, some, many = (noise.right_signs(bits, range(4)) for bits in (4, 11, 30))
    assert few < 0.8
    assert few < some + 0.2
    assert many == 1


def test_stochastic_rounding_is_right_on_average_where_the_gradient_is():
    found = noise.averaged("random", [1], draws=100)
    assert found.nearest > 0.5
    assert 0 < found.lost < 1
    assert abs(found.mean) < 0.3


def test_slopes():
    along = noise.slopes_in_training(ap.Rounded(ap.FLOAT32), (0, 2), range(2))
    assert along[:, 0] == pytest.approx(7.45, abs=0.01)
    assert along.shape == (2, 2)
    before, after = (noise.slopes_by_layer("uniform", when) for when in (0, -1))
    assert before.shape == after.shape == (4, 30)
    assert np.median(after / before) > 1
    assert noise.largest_slope("uniform") < noise.largest_slope("he_biases")


def test_zeros_are_asked_for_in_few_bits_only():
    assert noise.zeros_asked("float64") == (0, 0)
    low, high = noise.zeros_asked("bfloat16")
    assert 0 < low <= high <= 1
