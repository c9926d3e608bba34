"""The error of a gradient as a sum over the stages, against hybrid passes written out with Fractions."""
from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.descent.arithmetics import RoundedOperations
from affinepieces.descent.attribution import Replacing
from affinepieces.descent.gradients import UPDATE, checked, rounded_rate, taped
from affinepieces.descent.optimisers import GradientDescent, update
from affinepieces.parameters import flatten, layers_of
from descent.backprop_oracle import exact, lists, total

FORMATS = [ap.wide(t) for t in range(3, 25)]


def problem(seed, fmt):
    """A small network, its data in the format, and a machine."""
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 5, rng.integers(2, 5)).tolist()
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=0.5), fmt)
    points = int(rng.integers(1, 6))
    x, y = (ap.round_to(rng.standard_normal((points, n)), fmt) for n in (widths[0], widths[-1]))
    stochastic = ap.Stochastic(seed, int(rng.integers(5)), rng.choice([None, 2])) if fmt.precision <= 26 else ap.NEAREST
    rounding = rng.choice([ap.NEAREST, ap.NEAREST, stochastic, stochastic, *ap.Toward])
    if rng.random() < 0.2:
        return net, x, y, ap.Rounded(fmt, rounding, ap.Grain.TENSOR)
    wider = rng.choice([None, None, ap.wide(fmt.precision + 3), ap.FLOAT64]) if fmt.precision < 50 else None
    return net, x, y, ap.Rounded(fmt, rounding, order=rng.choice(list(ap.Order)), accumulator=wider)


def exact_entries(arrays):
    return [v for pair in layers_of(arrays) for p in pair
            for v in (p.fractions() if isinstance(p, ap.ExactArray) else np.vectorize(Fraction, otypes=[object])(
                p)).ravel()]


def check(seed, rate=None):
    """Both orders sum to computed minus exact, as fractions, and so do the shares."""
    net, x, y, machine = problem(seed, FORMATS[seed % len(FORMATS)])
    found = ap.attribute(net, x, y, machine, rate)
    if rate is None:
        computed, truth = ap.gradients(net, x, y, machine), ap.gradients(net, x, y, ap.Exact())
    else:
        computed = ap.step(net, x, y, rate, machine)
        truth = ap.step(net, x, y, rounded_rate(rate, machine), ap.Exact())
    difference = [a - b for a, b in zip(exact_entries(computed), exact_entries(truth), strict=True)]
    assert exact_entries(found.difference) == difference
    for parts in (found.forward, found.reverse):
        assert len(parts) == len(found.stages) == 3 * net.layers + (rate is not None)
        assert [sum(column) for column in zip(*map(exact_entries, parts), strict=True)] == difference
    for replacing in Replacing:
        assert found.shares(replacing).sum() == pytest.approx(1.0 if any(difference) else 0.0)


@pytest.mark.parametrize("block", range(8))
def test_parts_sum_to_the_difference(block):
    for seed in range(40 * block, 40 * (block + 1)):
        check(seed, None if seed % 2 else 0.25)


def hybrid(net, x, y, rounded, rnd):
    """Gradient where the stages named in `rounded` round what enters them, and every operation."""

    def stage(name):
        return rnd if name in rounded else exact

    weights, biases = lists(net)
    points, depth = [[Fraction(float(v)) for v in p] for p in x], len(weights)
    hs, zs = [points], []
    for j in range(depth):
        r, z = stage(f"forward {j + 1}"), []
        for h in hs[-1]:
            h = [r(v) for v in h]
            z.append([r(total([r(r(w) * v) for w, v in zip(row, h, strict=True)], r) + r(c))
                      for row, c in zip(weights[j], biases[j], strict=True)])
        zs.append(z)
        hs.append([[max(v, Fraction(0)) for v in row] for row in z])
    r = stage("residual")
    deltas = [[[r(2 * r(r(v) - r(Fraction(float(t)))) / len(x)) for v, t in zip(row, labels, strict=True)]
               for row, labels in zip(zs[-1], y, strict=True)]]
    for j in range(depth, 1, -1):
        r = stage(f"backward {j}")
        deltas.append([[total([r(r(weights[j - 1][i][k]) * r(d[i])) for i in range(len(d))], r)
                        if zs[j - 2][s][k] > 0 else Fraction(0) for k in range(len(zs[j - 2][s]))]
                       for s, d in enumerate(deltas[-1])])
    found = []
    for j, delta in enumerate(deltas[::-1], 1):
        r = stage(f"gradient {j}")
        found += [total([r(r(delta[s][i]) * r(hs[j - 1][s][k])) for s in range(len(x))], r)
                  for i in range(len(delta[0])) for k in range(len(hs[j - 1][0]))]
        found += [total([r(delta[s][i]) for s in range(len(x))], r) for i in range(len(delta[0]))]
    return found


@pytest.mark.parametrize("seed", range(60))
def test_parts_are_differences_of_hybrid_passes(seed):
    fmt = FORMATS[seed % len(FORMATS)]
    net, x, y, _ = problem(seed, fmt)
    found, machine = ap.attribute(net, x, y, ap.Rounded(fmt)), ap.Rounded(fmt)

    def rnd(v):
        return Fraction(ap.round_fraction(v, fmt))

    for parts, prefixes in ((found.forward, [found.stages[:k] for k in range(len(found.stages) + 1)]),
                            (found.reverse, [found.stages[k:] for k in range(len(found.stages) + 1)])):
        passes = [hybrid(net, x, y, set(prefix), rnd) for prefix in prefixes]
        for k, part in enumerate(parts):
            more, less = (passes[k + 1], passes[k]) if parts is found.forward else (passes[k], passes[k + 1])
            assert exact_entries(part) == [a - b for a, b in zip(more, less, strict=True)], found.stages[k]
    assert passes[0] == exact_entries(ap.gradients(net, x, y, machine))


@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT16, ap.FLOAT32, ap.FLOAT64, ap.wide(30), ap.wide(5), ap.E4M3])
@pytest.mark.parametrize("order", ap.Order)
def test_the_fused_kernel_is_the_specification(fmt, order):
    """One operation after the other, array by array, with the same random numbers: equal bit for bit."""
    for seed in range(30):
        net, x, y, machine = problem(seed, fmt)
        machine = replace(machine, order=order, grain=ap.Grain.OPERATION)
        made, then = ap.step(net, x, y, 0.25, machine), RoundedOperations(machine, UPDATE)
        with np.errstate(all="ignore"):
            tape = taped(net, *checked(net, x, y, machine), machine)
            moved, _, _ = update(then, GradientDescent(), [then.array(p) for pair in layers_of(net) for p in pair],
                                 [g for pair in layers_of(tape) for g in pair], (), rounded_rate(0.25, machine), 1)
        assert np.array_equal(flatten(tape), flatten(made.gradients), equal_nan=True)
        assert np.array_equal(float(tape.loss[0]), made.gradients.loss, equal_nan=True)
        assert np.array_equal(np.concatenate([p.ravel() for p in moved]), flatten(made), equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_native_machines(dtype):
    rng = np.random.default_rng(0)
    net = ap.constructions.he_random([2, 6, 6, 1], rng, bias_std=0.5, dtype=dtype)
    x, y = rng.standard_normal((9, 2)).astype(dtype), rng.standard_normal((9, 1)).astype(dtype)
    found = ap.attribute(net, x, y, ap.Native(dtype))
    difference = [a - b for a, b in zip(exact_entries(ap.gradients(net, x, y, ap.Native(dtype))),
                                        exact_entries(ap.gradients(net, x, y, ap.Exact())), strict=True)]
    assert exact_entries(found.difference) == difference
    assert any(difference)


def test_nothing_is_wrong_where_nothing_is_rounded():
    found = ap.attribute(ap.constructions.hat(), [[0.25], [0.5]], [[1.0], [0.0]], ap.Rounded(ap.BFLOAT16))
    assert not found.shares().any()
    assert not found.shares(Replacing.REVERSE, hidden_biases=True).any()
    assert not any(exact_entries(found.difference))


def test_bad_input():
    net, x = ap.constructions.hat(), [[0.5]]
    with pytest.raises(TypeError, match="it makes no errors"):
        ap.attribute(net, x, x, ap.Exact())
    with pytest.raises(ValueError, match="not a number of bfloat16"):
        ap.attribute(net, x, [[0.1]], ap.Rounded(ap.BFLOAT16))
    large = ap.ReLUNetwork([[[2.0**15]], [[2.0]]], [[0.0], [0.0]])
    with pytest.raises(FloatingPointError, match=r"forward 2 .* not finite.*wider range"):
        ap.attribute(large, [[1.0]], [[0.0]], ap.Rounded(ap.FLOAT16))
    with pytest.raises(TypeError, match="replacing is 'forward'"):
        ap.attribute(net, x, x, ap.Rounded(ap.BFLOAT16)).shares("forward")


def test_rationals_are_rounded_once():
    """Ties, and what lies within 2^-200 of them, at every size from underflow to overflow."""
    tiny = Fraction(1, 2**200)
    for fmt in (ap.FLOAT16, ap.BFLOAT16, ap.E4M3, ap.FLOAT32, ap.FLOAT64, ap.wide(40)):
        values = [Fraction(fmt.largest), Fraction(fmt.spacing) / 2, Fraction(1, 3), Fraction(0),
                  Fraction(fmt.largest) * (1 + Fraction(fmt.unit_roundoff) / 2)]
        values += [Fraction(2 * n + 1, 2**k) for n in (3, 2 ** (fmt.precision - 1)) for k in (0, 4)]
        values = [sign * v * (1 + e) for v in values for e in (-tiny, 0, tiny) for sign in (1, -1)]
        common = max(v.denominator for v in values) * 3
        array = ap.ExactArray.of(np.ones(1))._build([int(v * common) for v in values], common, (len(values),))
        rounded = ap.arithmetic.truth.round_exact(array, fmt)
        truth = [ap.round_fraction(v, fmt) for v in array.fractions()]
        assert np.array_equal(rounded, truth)
        assert np.array_equal(np.signbit(rounded[rounded == 0]), np.signbit(np.array(truth)[rounded == 0]))
