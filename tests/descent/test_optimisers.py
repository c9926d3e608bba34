"""Optimisers, losses, machines by part, noise, batches, scaling: against torch and against scalar machines."""
from dataclasses import replace
from fractions import Fraction
from math import isqrt, sqrt

import numpy as np
import pytest
import torch
from gmpy2 import mpfr

import affinepieces as ap
from affinepieces.arithmetic.functions import enclosed
from affinepieces.arithmetic.truth import round_fraction
from affinepieces.descent.gradients import rounded_rate
from affinepieces.parameters import flatten
from arithmetic.mpfr import context
from descent import backprop_oracle as oracle
from descent.test_training import bits, same

OPTIMISERS = [ap.GradientDescent(), ap.GradientDescent(0.125), ap.Momentum(), ap.Momentum(0.75, True),
              ap.Momentum(0.5, weight_decay=0.25), ap.Adam(), ap.Adam(0.75, 0.875, 2.0**-10, 0.125), ap.AdamW(),
              ap.AdamW(0.5, 0.75, 2.0**-8, 0.25)]
COMPENSATED = [replace(optimiser, compensated=True) for optimiser in OPTIMISERS]


def in_torch(optimiser, parameters, rate):
    match optimiser:
        case ap.AdamW():
            return torch.optim.AdamW(parameters, rate, (optimiser.beta1, optimiser.beta2), optimiser.epsilon,
                                     optimiser.weight_decay)
        case ap.Adam():
            return torch.optim.Adam(parameters, rate, (optimiser.beta1, optimiser.beta2), optimiser.epsilon,
                                    optimiser.weight_decay)
        case ap.Momentum():
            return torch.optim.SGD(parameters, rate, optimiser.momentum, nesterov=optimiser.nesterov,
                                   weight_decay=optimiser.weight_decay)
    return torch.optim.SGD(parameters, rate, weight_decay=optimiser.weight_decay)


def problem(seed, fmt=ap.FLOAT64, widths=None, points=6):
    rng = np.random.default_rng(seed)
    widths = widths or [*rng.integers(1, 5, rng.integers(2, 4)).tolist(), 2]
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=0.5), fmt)
    x = ap.round_to(rng.standard_normal((points, widths[0])), fmt)
    return net, x, ap.round_to(rng.standard_normal((points, widths[-1])), fmt), rng


def labels(y):
    return np.eye(y.shape[1])[y.argmax(axis=1)]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=repr)
def test_fifty_steps_are_those_of_torch(optimiser):
    """200 runs: batches too, both losses, rates by step.  torch fuses some products with sums, hence not bit by bit."""
    for seed in range(23):
        net, x, y, rng = problem(seed)
        loss = ap.Loss.CROSS_ENTROPY if seed % 2 else ap.Loss.SQUARED_ERROR
        y = labels(y) if seed % 2 else y
        rates = 2.0 ** -rng.integers(5, 8, 50) if seed % 3 else np.full(50, 2.0**-6)
        run = ap.Run(net, x, y, rates, 50, optimiser=optimiser, loss=loss, batch=[None, 4][seed % 2], seed=seed)
        module = torch.nn.Sequential(*(m for j in range(net.layers) for m in (
            torch.nn.Linear(*net.widths[j:j + 2], dtype=torch.float64), torch.nn.ReLU())))[:-1]
        with torch.no_grad():
            for j in range(net.layers):
                module[2 * j].weight.copy_(torch.from_numpy(net.weights[j].copy()))
                module[2 * j].bias.copy_(torch.from_numpy(net.biases[j].copy()))
        made = in_torch(optimiser, module.parameters(), 1.0)
        for k in range(50):
            made.param_groups[0]["lr"] = float(rates[k])
            made.zero_grad()
            rows = run.points(k)
            inputs, target = (torch.from_numpy(v[rows].copy()) for v in (x, y))
            if loss is ap.Loss.CROSS_ENTROPY:
                torch.nn.functional.cross_entropy(module(inputs), target).backward()
            else:
                ((module(inputs) - target) ** 2).sum(axis=1).mean().backward()
            made.step()
        found, expected = flatten(ap.train(run).networks[-1]), flatten(ap.ReLUNetwork.from_torch(module))
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-11), np.abs(found - expected).max()


def rounded_sqrt(v, rnd):
    """sqrt of a Fraction with so many bits that rounding decides: exact squares stay exact."""
    shift = 2 * (200 + v.denominator.bit_length())
    n, d = v.numerator << shift, v.denominator
    root = isqrt(n * d)
    exact = root * root == n * d
    return rnd(Fraction(2 * root + (not exact), (2 * d) << (shift // 2)))


class Scalar:
    """The optimisers of torch's documentation, number by number, with `rnd` after every operation."""

    def __init__(self, optimiser, rate, rnd, sqrt_of):
        self.o, self.rate, self.rnd, self.sqrt_of, self.n = optimiser, rate, rnd, sqrt_of, 0
        self.first, self.second, self.lost = {}, {}, {}

    def c(self, value):
        return self.rnd(Fraction(value))

    def step(self, i, p, g):
        o, r, zero = self.o, self.rnd, Fraction(0)
        if o.weight_decay and isinstance(o, ap.AdamW):
            p = r(self.c(1 - self.rate * o.weight_decay) * p)
        elif o.weight_decay:
            g = r(g + r(self.c(o.weight_decay) * p))
        if isinstance(o, ap.Adam):
            m, v = self.first.get(i, zero), self.second.get(i, zero)
            m = r(m + r(self.c(1 - o.beta1) * r(g - m)))
            v = r(r(self.c(o.beta2) * v) + r(r(self.c(1 - o.beta2) * g) * g))
            self.first[i], self.second[i] = m, v
            below = r(r(self.sqrt_of(v, r) / self.c(sqrt(1 - o.beta2**self.n))) + self.c(o.epsilon))
            u = r(r(self.c(self.rate / (1 - o.beta1**self.n)) * m) / below)
        elif isinstance(o, ap.Momentum):
            b = self.first[i] = r(r(self.c(o.momentum) * self.first.get(i, zero)) + g)
            u = r(self.c(self.rate) * (r(g + r(self.c(o.momentum) * b)) if o.nesterov else b))
        else:
            u = r(self.c(self.rate) * g)
        if not o.compensated:
            return r(p - u)
        y = r(u + self.lost.get(i, zero))
        s = r(p - y)
        self.lost[i] = r(y - r(p - s))
        return s


def entries(weights, biases):
    return [v for a, b in zip(weights, biases, strict=True) for v in [*(v for row in a for v in row), *b]]


@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT16, ap.FLOAT32, ap.wide(26), ap.wide(5)], ids=str)
@pytest.mark.parametrize("optimiser", [*OPTIMISERS, *COMPENSATED], ids=repr)
def test_rounded_steps_are_the_scalar_machine(optimiser, fmt):
    if isinstance(optimiser, ap.Adam) and fmt in (ap.FLOAT16,):
        optimiser = replace(optimiser, epsilon=2.0**-8)

    for seed, way in enumerate((ap.NEAREST, ap.NEAREST, ap.Toward.ZERO)):
        def rnd(v, way=way):
            return Fraction(round_fraction(v, fmt, way))

        net, x, y, _ = problem(seed, fmt, [1, 3, 2], 3)
        rate = rounded_rate(2.0**-4 * 1.125, ap.Rounded(fmt))
        history = ap.train(ap.Run(net, x, y, rate, 4, ap.Rounded(fmt, way), range(5), optimiser=optimiser))
        scalar, state = Scalar(optimiser, rate, rnd, rounded_sqrt), None
        scalar.c = lambda value: Fraction(round_fraction(Fraction(value), fmt))  # constants are rounded to nearest
        assert len(history.networks) == 5
        for before, after in zip(history.networks[:-1], history.networks[1:], strict=True):
            scalar.n += 1
            p, g = entries(*oracle.lists(before)), entries(*oracle.gradient(before, x, y, rnd))
            expected = [scalar.step(i, u, v) for i, (u, v) in enumerate(zip(p, g, strict=True))]
            assert entries(*oracle.lists(after)) == expected
            made = ap.step(before, x, y, rate, ap.Rounded(fmt, way), optimiser, state=state)
            state = made.state
            assert bits(made.network()) == bits(after)


@pytest.mark.parametrize("optimiser", [*OPTIMISERS, *COMPENSATED], ids=repr)
def test_exact_steps_enclose(optimiser):
    """Two steps in rational numbers; square roots and quotients have relative errors below 2^-256."""
    net, x, y, _ = problem(3, widths=[1, 3, 2], points=3)
    scalar = Scalar(optimiser, 0.125, lambda v: v, lambda v, r: enclosed("sqrt", v))
    first = ap.step(net, x, y, 0.125, ap.Exact(), optimiser)
    scalar.n = 1
    p, g = entries(*oracle.lists(net)), entries(*oracle.gradient(net, x, y))
    expected = [scalar.step(i, u, v) for i, (u, v) in enumerate(zip(p, g, strict=True))]
    found = entries(*([a.fractions().tolist() for a in arrays] for arrays in (first.weights, first.biases)))
    assert max(abs(u - v) for u, v in zip(found, expected, strict=True)) < Fraction(1, 2**240)
    near = ap.step(net, x, y, 0.125, ap.Native(), optimiser)
    assert np.allclose(flatten(near), [float(v) for v in expected], rtol=1e-9)


def test_cross_entropy_against_enclosed_numbers():
    """Rounded once from the formula: every machine's gradient lies where the formula says, to its accuracy."""
    for seed in range(20):
        net, x, y, _ = problem(seed, ap.BFLOAT16)
        y = labels(y)
        exact = ap.gradients(net, x, y, ap.Exact(), ap.Loss.CROSS_ENTROPY)
        native = ap.gradients(net, x, y, ap.Native(), ap.Loss.CROSS_ENTROPY)
        assert np.allclose(flatten(native), flatten(exact), rtol=1e-10, atol=1e-14)
        assert native.loss == pytest.approx(float(exact.loss), rel=1e-12)
        rounded = ap.gradients(net, x, y, ap.Rounded(ap.BFLOAT16), ap.Loss.CROSS_ENTROPY)
        scale = np.abs(flatten(exact)).max()
        assert np.allclose(flatten(rounded), flatten(exact), atol=0.3 * scale + 1e-6)


MACHINES = {
    "master weights": ap.Mixed(ap.Rounded(ap.BFLOAT16), update=ap.Native("float32")),
    "update alone": ap.Mixed(ap.Native(), update=ap.Rounded(ap.BFLOAT16)),
    "forward alone": ap.Mixed(ap.Native(), forward=ap.Rounded(ap.FLOAT16)),
    "gradient alone": ap.Mixed(ap.Native(), gradient=ap.Rounded(ap.FLOAT16, ap.Stochastic(3))),
    "exact gradient": ap.Mixed(ap.Exact(), update=ap.Rounded(ap.FLOAT16)),
    "everything different": ap.Mixed(ap.Native(), ap.Rounded(ap.BFLOAT16, accumulator=ap.FLOAT32),
                                     ap.Native("float32"), ap.Rounded(ap.FLOAT16, ap.Toward.UP), ap.Exact(),
                                     ap.Rounded(ap.FLOAT32)),
}


@pytest.mark.parametrize("name", MACHINES)
def test_mixed_machines_are_repeated_steps(name):
    machine = MACHINES[name]
    net, x, y, _ = problem(5, ap.E5M2, [1, 4, 3, 2])
    run = ap.Run(net, x, y, 2.0**-5, 12, machine, range(13), seed=3, optimiser=ap.Momentum())
    history, state, now = ap.train(run), None, net
    for k, recorded in enumerate(history.networks):
        assert flatten(recorded).astype(float).tolist() == flatten(now).astype(float).tolist()
        made = ap.step(now, x, y, 2.0**-5, run.machine_at(k), ap.Momentum(), state=state)
        now, state = made.network(), made.state
    assert history.complete


def test_a_mixed_machine_of_equal_parts_is_that_machine():
    for machine in (ap.Rounded(ap.BFLOAT16), ap.Native("float32"), ap.Native()):
        net, x, y, _ = problem(6, machine.format)
        both = [ap.train(ap.Run(net, x, y, 2.0**-5, 9, m, range(10))) for m in (machine, ap.Mixed(machine))]
        assert [flatten(n).tolist() for n in both[0].networks] == [flatten(n).tolist() for n in both[1].networks]


def test_one_rounded_part_makes_only_its_errors():
    """Rounded updates with exact gradients: the step is the exact one, rounded as the update rounds it."""
    net, x, y, _ = problem(7, ap.BFLOAT16)
    made = ap.step(net, x, y, 2.0**-5, MACHINES["update alone"].__class__(ap.Exact(), update=ap.Rounded(ap.BFLOAT16)))
    gradient = entries(*([a.fractions().tolist() for a in arrays]
                         for arrays in (made.gradients.weights, made.gradients.biases)))

    def rnd(v):
        return Fraction(round_fraction(v, ap.BFLOAT16))

    expected = [rnd(p - rnd(rnd(g) * Fraction(1, 32)))
                for p, g in zip(entries(*oracle.lists(net)), gradient, strict=True)]
    assert entries(*oracle.lists(made.network())) == expected


def test_uniform_noise_has_its_width_and_spares_the_others():
    net, x, y, _ = problem(8, widths=[1, 4, 2])
    runs = [ap.Run(net, x, y, 2.0**-9, 1, seed=seed, noise=ap.UniformNoise(0.5)) for seed in range(300)]
    moved = np.array([h.networks[-1].biases[0] for h in ap.train_many(runs)])
    plain = ap.train(replace(runs[0], noise=None)).networks[-1]
    away = moved - plain.biases[0]
    assert np.abs(away).max() <= 0.5 + 1e-12
    assert np.abs(away.mean(axis=0)).max() < 5 * 0.5 / np.sqrt(3 * 300)
    assert away.std(axis=0) == pytest.approx(np.full(4, 0.5 / np.sqrt(3)), rel=0.15)
    first = ap.train(runs[0]).networks[-1]
    assert np.array_equal(first.weights[0], plain.weights[0])
    assert np.array_equal(first.biases[1], plain.biases[1])


def test_noise_in_a_narrow_format_is_a_number_of_it():
    net, x, y, _ = problem(9, ap.BFLOAT16)
    for noise in (ap.Perturbed(0.5), ap.UniformNoise(0.5)):
        history = ap.train(ap.Run(net, x, y, 2.0**-5, 5, ap.Rounded(ap.BFLOAT16), range(6), noise=noise))
        for recorded in history.networks:
            assert ap.representable(flatten(recorded), ap.BFLOAT16).all()


def test_each_epoch_sees_every_point_once():
    net, x, y, _ = problem(10, points=11)
    run = ap.Run(net, x, y, 2.0**-5, 12, batch=4, seed=2)
    epochs = [np.concatenate([run.points(3 * e + k) for k in range(3)]).tolist() for e in range(4)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert run.points(5).tolist() == replace(run, start=net).points(5).tolist()
    assert epochs[0] != np.concatenate([replace(run, seed=3).points(k) for k in range(3)]).tolist()


@pytest.mark.parametrize("options", [
    {"optimiser": ap.Adam()}, {"optimiser": ap.Momentum(compensated=True), "batch": 4},
    {"machine": MACHINES["master weights"], "optimiser": ap.AdamW()}, {"noise": ap.Perturbed(0.5), "batch": 3},
    {"machine": ap.Rounded(ap.FLOAT16, ap.Stochastic(2)), "optimiser": ap.Momentum()},
    {"machine": ap.Rounded(ap.FLOAT16), "scaling": ap.LossScaling(2.0**15, True, 3)}], ids=str)
def test_what_is_interrupted_goes_on_bit_for_bit(options):
    net, x, y, _ = problem(11, ap.E5M2)
    whole = ap.train(ap.Run(net, x, y, 2.0**-5, 20, record=range(21), seed=4, **options))
    start = ap.train(replace(whole.run, steps=9, record=()))
    rest = ap.train(replace(whole.run, start=start.networks[-1], first=9, state=start.state, record=range(9, 21)))
    assert [bits(n) for n in rest.networks] == [bits(n) for n in whole.networks[9:]]
    assert rest.state == whole.state
    assert np.array_equal(rest.losses, whole.losses[9:])


def test_results_do_not_depend_on_the_number_of_workers():
    net, x, y, _ = problem(12, ap.BFLOAT16, [1, 9, 9, 2])
    runs = [ap.Run(net, x, y, 2.0**-5, 30, machine, seed=seed, batch=4, optimiser=ap.Adam())
            for machine in (ap.Native(), ap.Native("float32"), ap.Rounded(ap.BFLOAT16)) for seed in range(7)]
    alone, two, five = (ap.train_many(runs, workers=w) for w in (1, 2, 5))
    assert all(map(same, alone, two))
    assert all(map(same, alone, five))


def test_static_scaling_is_innocent_where_nothing_is_lost():
    net, x, y, _ = problem(13, ap.FLOAT16)
    run = ap.Run(net, x, y, 2.0**-5, 1, ap.Mixed(ap.Rounded(ap.FLOAT16), update=ap.Native("float32")))
    plain, scaled = (ap.train(r).networks[-1] for r in (run, replace(run, scaling=ap.LossScaling(16.0))))
    assert np.allclose(flatten(plain), flatten(scaled), atol=1e-6)
    small = (ap.round_to(v * 2.0**-12, ap.FLOAT16) for v in (x, y))
    tiny = replace(run, **dict(zip("xy", small, strict=True)))
    lost, kept, truth = (ap.train(r) for r in (tiny, replace(tiny, scaling=ap.LossScaling(1024.0)),
                                               replace(tiny, machine=ap.Native())))
    errors = [np.abs(flatten(h.networks[-1]) - flatten(truth.networks[-1])).max() for h in (lost, kept)]
    assert errors[1] <= errors[0]


def test_dynamic_scaling_leaves_out_what_is_not_finite():
    net, x, y, _ = problem(14, ap.FLOAT16)
    run = ap.Run(net, x, y, 2.0**-5, 12, ap.Rounded(ap.FLOAT16), range(13), scaling=ap.LossScaling(2.0**40, True, 4))
    history = ap.train(run)
    moved = [bits(a) != bits(b) for a, b in zip(history.networks[:-1], history.networks[1:], strict=True)]
    assert not moved[0]
    assert history.complete
    assert history.state.updates == sum(moved)
    assert history.state.scale < 2.0**40
    static = ap.train(replace(run, scaling=ap.LossScaling(2.0**40)))
    assert static.diverged_at == 1


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"scaling": ap.LossScaling()}, ValueError, "float64, in which the gradient is computed, reaches down"),
    ({"machine": ap.Rounded(ap.BFLOAT16), "scaling": ap.LossScaling()}, ValueError, "leave scaling out"),
    ({"scaling": 1024}, TypeError, r"write LossScaling\(scale\)"),
    ({"batch": 3}, ValueError, "batch is 3, expected an integer from 1 to 2: there are 2 data points"),
    ({"loss": ap.Loss.CROSS_ENTROPY}, ValueError, "needs two outputs at least, the network has one"),
    ({"loss": "mse"}, TypeError, "loss is 'mse', expected Loss.SQUARED_ERROR or Loss.CROSS_ENTROPY"),
    ({"optimiser": ap.Adam}, TypeError, r"write Adam\(\)"),
    ({"machine": ap.Rounded(ap.FLOAT16), "optimiser": ap.Adam()}, ValueError, "epsilon 1e-08 becomes 0 in float16"),
    ({"noise": 0.5}, TypeError, "noise is 0.5, expected Perturbed"),
    ({"machine": ap.Exact()}, TypeError, r"write Mixed\(Exact\(\), update=Native\(\)\)"),
    ({"learning_rate": [0.1, 0.1]}, ValueError, "learning_rate has 2 numbers for 3 steps"),
    ({"learning_rate": [0.1, 0.0, 0.1]}, ValueError, r"learning_rate\[1\] is 0.0"),
    ({"state": ap.OptimiserState(1, [np.ones(3)]), "optimiser": ap.Momentum()}, ValueError, "slots of"),
    ({"state": ap.OptimiserState(1, [np.ones(7)])}, ValueError, "keeps 0"),
])
def test_impossible_combinations_are_refused(changes, error, message):
    good = {"start": ap.constructions.hat(), "x": [[0.5], [1.0]], "y": [[1.0], [0.0]], "learning_rate": 0.125,
            "steps": 3}
    with pytest.raises(error, match=message):
        ap.Run(**(good | changes))


def test_labels_of_the_cross_entropy():
    net = ap.ReLUNetwork([np.ones((2, 1))], [np.zeros(2)])
    for y in ([[0.5, 0.25]], [[1.5, -0.5]], [[0.1, 0.9 + 1e-16 + 1e-15]]):
        with pytest.raises(ValueError, match=r"y\[0\] is .*, expected shares >= 0 that sum to exactly 1"):
            ap.gradients(net, [[0.5]], y, ap.Native(), ap.Loss.CROSS_ENTROPY)
    with pytest.raises(ValueError, match="epsilon is 0, expected a finite number > 0"):
        ap.Adam(epsilon=0)
    with pytest.raises(ValueError, match=r"momentum is 1\.0, expected a number in"):
        ap.Momentum(1.0)
    with pytest.raises(ValueError, match=r"scale is 3\.0, expected a power of two"):
        ap.LossScaling(3.0)


@pytest.mark.parametrize("way", [ap.NEAREST, *ap.Toward], ids=str)
@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT16, ap.FLOAT32, ap.wide(5), ap.wide(30)], ids=str)
def test_rounded_cross_entropy_is_that_of_mpfr(fmt, way):
    """One layer, so that the gradient is what the loss sends back; every operation by MPFR in the format."""
    do = context(fmt, way)
    for seed in range(6):
        net, x, y, _ = problem(seed, fmt, [2, 3], 4)
        y = labels(y)
        found = ap.gradients(net, x, y, ap.Rounded(fmt, way), ap.Loss.CROSS_ENTROPY)
        a, b, points, shares = ([[mpfr(float(v), 53) for v in row] for row in array]
                                for array in (net.weights[0], net.biases[0][:, None], x, y))
        total, deltas = None, []
        terms = [[None] * 4 for _ in range(3)]
        for i in range(4):
            z = [do.add(do.add(do.mul(u, points[i][0]), do.mul(v, points[i][1])), w)
                 for (u, v), (w,) in zip(a, b, strict=True)]
            s = [do.sub(v, max(z)) for v in z]
            e = [do.exp(v) for v in s]
            whole = do.add(do.add(e[0], e[1]), e[2])
            deltas.append([do.div(do.sub(do.div(e[c], whole), shares[i][c]), 4) for c in range(3)])
            for c in range(3):
                terms[c][i] = do.mul(shares[i][c], do.sub(do.log(whole), s[c]))
        for row in terms:
            for term in row:
                total = term if total is None else do.add(total, term)
        assert found.loss == float(do.div(total, 4))
        for c in range(3):
            bias = deltas[0][c]
            weights = [do.mul(deltas[0][c], points[0][k]) for k in range(2)]
            for i in range(1, 4):
                bias = do.add(bias, deltas[i][c])
                weights = [do.add(w, do.mul(deltas[i][c], points[i][k])) for k, w in enumerate(weights)]
            assert found.biases[0][c] == float(bias)
            assert found.weights[0][c].tolist() == [float(w) for w in weights]
