"""Stochastic rounding: no two roundings of one step share their random bits."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.arithmetic.kernels import products, training
from affinepieces.descent import arithmetics

WIDTHS, POINTS = (1, 4, 4, 2), 7


def problem():
    rng = np.random.default_rng(0)
    net = ap.round_network(ap.constructions.he_random(WIDTHS, rng, bias_std=1.0), ap.FLOAT16)
    return net, ap.round_to(rng.standard_normal((POINTS, 1)), ap.FLOAT16), ap.round_to(np.ones((POINTS, 2)), ap.FLOAT16)


@pytest.mark.parametrize("order", ap.Order)
def test_positions_of_all_operations_are_distinct(order, monkeypatch):
    """The kernels run without compilation, and every operation that rounds notes its position."""
    used = []

    def noted(operation):
        def call(a, b, f, careful, seed, counter):
            exact = operation(a, b)
            rounded = float(np.float16(exact))
            if rounded != exact:
                used.append(int(counter))
            return rounded
        return call

    for module in (products, training):
        for name, kernel in vars(module).items():
            if hasattr(kernel, "py_func") and kernel.py_func.__module__ == module.__name__:
                monkeypatch.setattr(module, name, kernel.py_func)
        monkeypatch.setattr(module, "matmul", products.matmul)
        monkeypatch.setattr(module, "add", noted(lambda a, b: a + b))
        monkeypatch.setattr(module, "multiply", noted(lambda a, b: a * b))
    monkeypatch.setattr(training, "divide", noted(lambda a, b: a / b))
    ap.step(*problem(), 0.3, ap.Rounded(ap.FLOAT16, ap.Stochastic(0), order=order))
    assert len(used) > 300
    assert len(set(used)) == len(used)


def test_positions_of_all_arrays_are_distinct(monkeypatch):
    used, rounded = [], ap.round_to

    def noted(values, fmt, rounding=ap.NEAREST):
        if rounding is not ap.NEAREST:
            used.extend(range(rounding.start, rounding.start + values.size))
        return rounded(values, fmt, rounding)

    monkeypatch.setattr(arithmetics, "round_to", noted)
    ap.step(*problem(), 0.3, ap.Rounded(ap.FLOAT16, ap.Stochastic(0), ap.Grain.TENSOR))
    assert len(used) > 200
    assert len(set(used)) == len(used)
