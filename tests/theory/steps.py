"""Perturbed steps: draws of the network after one, and families for which the bounds are attained."""
import numpy as np

import affinepieces as ap

UNIT, WIDE = ap.Segment(0, 1), ap.Segment(-2, 2)


def perturbed(net, updates, delta, rng):
    """Hidden biases b + Delta_b (1 + Theta), Theta uniform on [-delta, delta]."""
    moved = [b + u * (1 + delta * rng.uniform(-1, 1, u.shape))
             for b, u in zip(net.biases[:-1], updates, strict=True)]
    return ap.ReLUNetwork(net.weights, [*moved, net.biases[-1]])


def excess(regions, bound):
    """Mean of regions - bound over its standard error."""
    difference = regions - bound
    return difference.mean() / max(difference.std(ddof=1) / np.sqrt(len(regions)), 1e-9)


def attained(bound, value):
    """A computed bound is rounded up: at least the value, and above it by rounding errors only."""
    return value <= bound <= value * (1 + 1e-9)


def carriers(hidden, width):
    """Neuron 0 carries t, and the others read it; their perturbed biases are uniform on [-1, 0]."""
    read = np.eye(width)[[0] * width]
    net = ap.ReLUNetwork([np.ones((width, 1)), *[read] * (hidden - 1), read[:1]],
                         [np.zeros(width)] * hidden + [np.zeros(1)])
    return net, [-0.5 * (np.arange(width) > 0)] * hidden


def folds(n, layers):
    """n folds of [0, 1] down to teeth of height about 1/N, N = 2^n, then `layers` layers of N - 2 readers of them."""
    width, eta, small = 2**n, 2.0**-n / 4, 2.0 ** -np.ceil(np.log2(layers * (2**n - 2)))
    weights, biases = [np.ones((2, 1)), *[np.array([[1.0, -2.0]] * 2)] * (n - 1)], []
    for j in range(1, n + 1):
        one = 1.0 if j == 1 else 0.0
        biases.append(np.array([one, one - 1 - 2.0**-j - eta]))
    updates = [np.array([0.0, eta])] * n
    adding = np.concatenate([[0.0, 1.0], np.full(width - 2, small)])
    later = np.array([np.eye(width)[0], adding, *[np.eye(width)[0]] * (width - 2)])
    for k in range(layers):
        weights.append(later if k else np.array([[1.0, -2.0], [0.0, 0.0], *[[1.0, -2.0]] * (width - 2)]))
        biases.append(np.array([0.0, 0.0 if k else 1.0, *[-1 - 5 * eta] * (width - 2)]))
        updates.append(np.array([0.0, 0.0, *[4 * eta] * (width - 2)]))
    return ap.ReLUNetwork([*weights, adding[None]], [*biases, np.array([-1.0])]), updates
