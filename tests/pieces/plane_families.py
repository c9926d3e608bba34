"""Small networks on polygons, of the kinds on which a subdivision goes wrong: the same problem for the same seed."""
from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

import affinepieces as ap
from affinepieces.layers import Chain, Kind


def shape(rng, dim, most=20):
    """Widths, with so many hidden neurons at most."""
    hidden, left = [], most
    for _ in range(int(rng.integers(1, 5))):
        n = int(rng.integers(1 + (not hidden), min(8, left) + 1))
        hidden, left = [*hidden, n], left - n
        if left == 0:
            break
    return [dim, *hidden, int(rng.integers(1, 3))]


def parameters(rng, dim, bias=0.7, most=20):
    net = ap.constructions.he_random(shape(rng, dim, most), rng, bias_std=bias)
    return [a.copy() for a in net.weights], [c.copy() for c in net.biases]


def small_integers(rng, dim, largest=2, most=20):
    w, b = parameters(rng, dim, most=most)
    return ([rng.integers(-largest, largest + 1, a.shape).astype(float) for a in w],
            [rng.integers(-largest, largest + 1, c.shape).astype(float) for c in b])


# Polygons: rng -> corners


def square(rng):
    return ap.Polygon.square(float(rng.choice([0.5, 1, 2, 3]))).corners


def whole_numbers(rng):
    """A triangle, a quadrilateral or a hexagon with small integer corners."""
    choices = [[[0, 0], [2, 0], [0, 1]], [[-1, -1], [3, 0], [0, 2]], [[-2, 0], [0, -2], [2, 0], [0, 2]],
               [[-1, -2], [2, -1], [3, 2], [0, 1]], [[1, 0], [1, 1], [0, 1], [-1, 0], [-1, -1], [0, -1]],
               [[-3, -1], [0, -3], [3, -2], [3, 1], [1, 3], [-2, 2]]]
    return np.array(choices[rng.integers(len(choices))], float)


def on_circle(rng):
    """Arbitrary corners on a circle."""
    n = int(rng.integers(3, 8))
    angle = np.cumsum(rng.uniform(0.6, 1.2, n))
    angle *= 2 * np.pi / (angle[-1] + 0.5)
    return rng.uniform(0.5, 3) * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(size=2)


def far(rng):
    return whole_numbers(rng) + rng.choice([-1e6, 1e6, 3e5], 2)


def tiny(rng):
    return whole_numbers(rng) * 2.0 ** -rng.integers(20, 900) + 0.0


def sliver(rng):
    height = 2.0 ** -rng.integers(3, 60)
    return np.array([[-2, 0], [2, 0], [2, height], [-1, height]][:int(rng.integers(3, 5))])


POLYGONS = [square, whole_numbers, whole_numbers, on_circle, on_circle, far, tiny, sliver]


# Networks: (rng, input dimension, corners) -> layers


def generic(rng, dim, corners):
    return parameters(rng, dim)


def zero_biases(rng, dim, corners):
    return parameters(rng, dim, 0.0)


def integers(rng, dim, corners):
    return small_integers(rng, dim)


def repeated(rng, dim, corners):
    """Rows that repeat others: as they are, negated, or times a number; some up to one unit in the last place."""
    w, b = (parameters if rng.random() < 0.5 else small_integers)(rng, dim)
    for a, c in zip(w[:-1], b[:-1], strict=True):
        factor = float(rng.choice([1, -1, -1, 3, -0.5]))
        a[-1], c[-1] = factor * a[0], factor * c[0]
        if rng.random() < 0.3:
            c[-1] = np.nextafter(c[-1], np.inf)
        if rng.random() < 0.3:
            a[-1, 0] = np.nextafter(a[-1, 0], -np.inf)
    return w, b


def concurrent(rng, dim, corners):
    """All lines of the first layer through one point with small coordinates."""
    w, b = small_integers(rng, dim, 3)
    b[0] = -w[0] @ rng.integers(-1, 2, dim).astype(float)
    return w, b


def through_corners(rng, dim, corners):
    """Lines of the first layer through corners of the polygon, or along its sides."""
    w, b = small_integers(rng, dim)
    if dim == 2:
        for k in range(len(b[0])):
            i = int(rng.integers(len(corners)))
            side = corners[(i + 1) % len(corners)] - corners[i]
            if rng.random() < 0.4:
                w[0][k] = np.array([-side[1], side[0]]) * rng.choice([1, -1])
            b[0][k] = -w[0][k] @ corners[i]
    return w, b


def coincident(rng, dim, corners):
    """Neurons of the second layer that vanish where one of the first does, and differences that vanish nowhere else."""
    w, b = small_integers(rng, dim)
    n = len(b[0])
    w[0], b[0] = np.concatenate([w[0], -w[0]]), np.concatenate([b[0], -b[0]])
    signs = rng.choice([-1.0, 0.0, 1.0, 2.0], (int(rng.integers(1, 4)), n))
    second = np.concatenate([signs, rng.choice([-1.0, 1.0]) * signs], axis=1)
    w, b = [w[0], second, rng.integers(-2, 3, (3, len(second))).astype(float), rng.normal(size=(1, 3))], [
        b[0], rng.integers(0, 2, len(second)).astype(float), np.zeros(3), np.zeros(1)]
    return w, b


def dead(rng, dim, corners):
    """Neurons that are never active, also whole layers of them, and preactivations that are zero everywhere."""
    w, b = (parameters if rng.random() < 0.5 else small_integers)(rng, dim)
    j = int(rng.integers(len(b) - 1))
    b[j][:int(rng.integers(1, len(b[j]) + 1))] = -1e9
    k = int(rng.integers(len(b) - 1))
    w[k][-1], b[k][-1] = 0.0, 0.0
    return w, b


def low_rank(rng, dim, corners):
    w, b = parameters(rng, dim)
    w = [np.outer(rng.choice([1.0, -2.0, 0.5, 1 / 3], len(a)), rng.choice([1.0, -1.0, 3.0, 0.1], a.shape[1]))
         for a in w]
    return w, [np.round(4 * c) / 4 for c in b]


def bfloat16(rng, dim, corners):
    w, b = parameters(rng, dim)
    return [[np.ldexp(np.round(np.ldexp(np.frexp(a)[0], 8)), np.frexp(a)[1] - 8) for a in arrays] for arrays in (w, b)]


def extreme(rng, dim, corners):
    """Numbers near an end of float64, in one layer or in some entries."""
    w, b = parameters(rng, dim)
    end = int(rng.choice([-1070, -1024, -600, 500, 1010]))
    if rng.random() < 0.5:
        w[0], b[0] = np.ldexp(w[0], end), np.ldexp(b[0], end)
        b[1:] = [np.ldexp(c, end // 2) for c in b[1:]]
    else:
        for a in w:
            a.flat[rng.integers(a.size)] = rng.choice([5e-324, 1e-310, -1e-200, 1e-30, 1e100])
    return w, b


def scaled(rng, dim, corners):
    w, b = parameters(rng, dim)
    power = int(rng.integers(10, 60))
    return ([a * 2.0 ** (power * (-1) ** j) for j, a in enumerate(w)],
            [c * 2.0 ** (power * ((j + 1) % 2)) for j, c in enumerate(b)])


def nearly_parallel(rng, dim, corners):
    """Lines that differ by little in direction or in place: slivers."""
    w, b = parameters(rng, dim, 0.3)
    gap = 2.0 ** -rng.integers(10, 53)
    w[0][:], b[0][:] = w[0][0], b[0][0]
    w[0] += gap * rng.integers(-2, 3, w[0].shape) * np.abs(w[0])
    b[0] += gap * rng.integers(-2, 3, b[0].shape) * np.abs(b[0])
    return w, b


def nearly_concurrent(rng, dim, corners):
    """Lines through one point up to rounding."""
    w, b = parameters(rng, dim)
    b[0] = -w[0] @ rng.normal(size=dim)
    return w, b


def folded(rng, dim, corners):
    """A sawtooth of a linear function: parallel lines, in all layers."""
    net = ap.constructions.sawtooth(int(rng.integers(1, 4)), float(rng.choice([0.5, 0.1, 1 / 3])))
    row = rng.choice([1.0, -1.0, 0.5, 0.3], (1, dim))
    return [net.weights[0] @ row, *net.weights[1:]], list(net.biases)


NETWORKS = [generic, zero_biases, integers, integers, repeated, repeated, concurrent, through_corners, through_corners,
            coincident, dead, low_rank, bfloat16, extreme, scaled, nearly_parallel, nearly_concurrent, folded]


def plane_of(rng, corners):
    """The coordinates, or a plane in dimension 2 to 5: through three points, or with small integers."""
    kind = rng.integers(4)
    if kind < 2:
        return ap.Plane.coordinates()
    while True:
        dim = int(rng.integers(2, 6))
        points = rng.normal(size=(3, dim)) if kind == 2 else rng.integers(-2, 3, (3, dim))
        if np.abs(corners).max() < 1e-5:
            points[0] = 0
        try:
            return ap.Plane.through(*points) if rng.random() < 0.5 else ap.Plane(*points)
        except ValueError:  # on one line
            continue


def near(rng, plane, w, corners):
    """Biases with which each line passes near to a corner or the middle of the polygon, at most a rounding from it."""
    places = np.concatenate([corners, [corners.mean(axis=0)], (corners + corners.mean(axis=0)) / 2])
    with np.errstate(over="ignore", invalid="ignore"):
        b = np.array([-row @ plane.at(places[rng.integers(len(places))][None])[0] for row in w])
    return np.where(np.isfinite(b), b, 1.0)


def chained(rng, w, b):
    """A chain with rows that are carried or compared, and with sparse matrices."""
    kinds = [[list(Kind)[int(k)] for k in rng.choice(3, len(c), p=(0.4, 0.2, 0.4))] for c in b[:-1]]
    if rng.random() < 0.2:
        kinds[0] = [Kind.CARRIED] * len(kinds[0])
    if rng.random() < 0.5:
        w = [csr_array(a * (rng.random(a.shape) < 0.7)) for a in w]
    return Chain(w, b, kinds)


def formatted(rng, w, b):
    net = ap.ReLUNetwork(w, b)
    dtype = rng.choice([np.float16, np.float32])
    top = max(np.abs(a).max() for a in (*w, *b))
    return net.astype(dtype) if rng.random() < 0.2 and top < 6e4 else net


def problem(seed):
    """(network or chain, polygon)."""
    rng = np.random.default_rng([31, seed])
    make = NETWORKS[seed % len(NETWORKS)]
    geometric = make in (through_corners, concurrent, coincident)
    corners = whole_numbers(rng) if geometric else POLYGONS[rng.integers(len(POLYGONS))](rng)
    plane = ap.Plane.coordinates() if make is through_corners else plane_of(rng, corners)
    w, b = make(rng, plane.dim, corners)
    if rng.random() < (0.3 if 1e-5 < np.abs(corners).max() < 1e5 else 0.9):
        b[0] = near(rng, plane, w[0], corners)
    net = chained(rng, w, b) if rng.random() < 0.25 else formatted(rng, w, b)
    return net, ap.Polygon(corners, plane)
