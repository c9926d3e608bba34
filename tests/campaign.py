"""A campaign against the counter: `python tests/campaign.py 20000 [FIRST]` compares so many networks with the truth.

Every answer (counts, kinks, breakpoints, values, slopes, patterns) is held against rational arithmetic, each tenth
count also against the independent walk of `oracle`.  Families beyond those of `families`: what is tiny, far away,
nearly tied, of low rank, deep, or of very different sizes; segments between arbitrary points.
"""
from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

import affinepieces as ap
import oracle
from affinepieces import constructions as c
from affinepieces.pieces import level
from affinepieces.pieces.certified import Search
from affinepieces.pieces.exact import patterns_exact, trace_exact
from affinepieces.pieces.level import Wanted
from oracle import assert_encloses


def random(rng, widths, std=0.7):
    return c.he_random(widths, rng, bias_std=std)


def parameters(net):
    return [a.copy() for a in net.weights], [b.copy() for b in net.biases]


def shape(rng, dim, deepest=4, widest=6):
    return [dim, *rng.integers(1, widest + 1, rng.integers(1, deepest + 1)).tolist(), int(rng.integers(1, 3))]


def between(rng, dim, scale=1.0):
    x, y = rng.normal(size=(2, dim)) * scale
    return ap.Segment.between(x, y)


def tiny_input(rng):
    size = 10.0 ** -rng.integers(100, 300)
    net = random(rng, shape(rng, 1, widest=14), 0.0)
    return net, ap.Segment(-size * rng.random(), size * (1 + rng.random()))


def far_segment(rng):
    at, w = 10.0 ** rng.integers(3, 17), rng.normal(size=int(rng.integers(2, 13)))
    b = -w * at * (1 + rng.integers(-4, 5, len(w)) * 2.0**-52)
    last = rng.normal(size=(1, len(w)))
    length = float(rng.integers(1, 20)) * max(1.0, float(np.spacing(at)))
    return ap.ReLUNetwork([w[:, None], last], [b, [0.0]]), ap.Segment(at, at + length)


def extreme_weight(rng):
    net = random(rng, shape(rng, 1, widest=12))
    w, b = parameters(net)
    for _ in range(rng.integers(1, 4)):
        j = rng.integers(len(w))
        w[j].flat[rng.integers(w[j].size)] = rng.choice([1e-295, 1e-310, -1e-200, 5e-324, 1e-150, 1e100])
        b[j].flat[rng.integers(b[j].size)] *= rng.choice([1.0, 1e-300, 1e-160, 0.0])
    return ap.ReLUNetwork(w, b), ap.Segment(-3, 3)


def near_ties(rng):
    net = random(rng, shape(rng, int(rng.integers(1, 4)), widest=5))
    w, b = parameters(net)
    gap = 2.0 ** -rng.integers(20, 53)
    w = [np.repeat(a, 2, axis=0) if j < len(w) - 1 else a for j, a in enumerate(w)]
    b = [np.repeat(v, 2) if j < len(b) - 1 else v for j, v in enumerate(b)]
    w = [np.repeat(a, 2, axis=1) * rng.choice([1.0, -1.0, 0.5], 2 * a.shape[1]) if j else a for j, a in enumerate(w)]
    for v in b[:-1]:
        v[1::2] *= 1 + gap * rng.integers(0, 2, len(v[1::2]))
    return ap.ReLUNetwork(w, b), between(rng, w[0].shape[1], 3)


def rank_one(rng):
    depth, n = int(rng.integers(2, 9)), int(rng.integers(2, 4))
    w = [rng.choice([1.0, 2.0, -1.0, 0.3], (n, 1))]
    for _ in range(depth):
        w.append(np.outer(rng.choice([1.0, 1.0, 0.5, -2.0], n), rng.choice([2.0, -4.0, 3.0, 1 / 3, rng.normal()], n)))
    w[-1] = w[-1][:1]
    b = [rng.choice([0.0, -0.5, -1 / 3, 0.25, rng.normal()], len(a)) for a in w]
    return ap.ReLUNetwork(w, b), ap.Segment(-1, 1.5)


def any_peak(rng):
    peak = float(rng.choice([1 / 3, 0.1, 0.2, 0.4, 3 / 7, rng.random() * 0.8 + 0.1]))
    return c.sawtooth(int(rng.integers(2, 9)), peak), ap.Segment(*sorted(rng.choice([0, 1, -0.5, 0.3, 1.5], 2, False)))


def moved_square(rng):
    net = c.square(int(rng.integers(2, 7)))
    step = 10.0 ** -rng.integers(1, 17)
    w, b = parameters(net)
    return ap.ReLUNetwork([a * (1 + step * rng.normal(size=a.shape)) for a in w],
                          [v + step * rng.normal(size=v.shape) for v in b]), ap.Segment(0, 1)


def deep(rng):
    return random(rng, [1, *[int(rng.integers(2, 5))] * int(rng.integers(8, 16)), 1], 0.3), ap.Segment(-2, 2)


def through_origin(rng):
    dim = int(rng.integers(2, 7))
    x = rng.normal(size=dim)
    return random(rng, shape(rng, dim, widest=10), 0.0), ap.Segment.between(-x, x * rng.choice([1.0, 0.7]))


def any_points(rng):
    dim = int(rng.integers(1, 9))
    return random(rng, shape(rng, dim, widest=12)), between(rng, dim, 10.0 ** rng.integers(-3, 4))


def sixteenths(rng):
    w, b = parameters(random(rng, shape(rng, 1, widest=8)))
    return ap.ReLUNetwork([np.round(a * 2) / 2 for a in w], [np.round(v * 4) / 4 for v in b]), ap.Segment(-4, 4)


def mirrored(rng):
    net = random(rng, shape(rng, 1, widest=5), float(rng.choice([0.0, 0.5])))
    w, b = parameters(net)
    w[0], b[0] = np.vstack([w[0], -w[0]]), np.concatenate([b[0], -b[0]])
    if len(w) > 1:
        w[1] = np.hstack([w[1], rng.choice([1.0, -1.0]) * w[1]])
    return ap.ReLUNetwork(w, b), ap.Segment(-2, 2)


FAMILIES = [tiny_input, far_segment, extreme_weight, near_ties, rank_one, any_peak, moved_square, deep, through_origin,
            any_points, sixteenths, mirrored]

LIMITS = [2**21, 40, 200]  # numbers in a layer from which on its columns are divided


def compare(family, seed) -> str | None:
    """What is wrong, or None.  The first level and the size from which columns are divided vary with the seed."""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    net, line = family(rng)
    level.LIMIT = int(rng.choice(LIMITS))
    truth = trace_exact(net, line)
    found = ap.trace(net, line)
    if (found.regions, found.pieces) != (truth.regions, truth.pieces) or not np.array_equal(found.kinks, truth.kinks):
        return "trace"
    if (ap.count_regions(net, line), ap.count_pieces(net, line)) != (truth.regions, truth.pieces):
        return "count"
    search = Search.of(net, line, Wanted(kinks=True))
    parts = list(search.parts(line.a, line.b, int(rng.choice([1, 2, 4]))))
    if not np.array_equal(np.concatenate([part.kink for part in parts]), truth.kinks):
        return "level"
    assert_encloses(found.breakpoints[:, None], found.radius, truth.breakpoints[:, None])
    assert_encloses(found.values, found.value_radius, truth.values)
    assert_encloses(found.slopes, found.slope_radius, truth.slopes)
    if not np.array_equal(ap.activation_patterns(net, line), patterns_exact(net, line)):
        return "patterns"
    if seed % 10 == 0 and not line.direction_low.any() and truth.regions < 60:
        boundaries, regions, pieces = oracle.walk(net, line)
        if (regions, pieces) != (truth.regions, truth.pieces) or boundaries != truth.breakpoints[1:-1].tolist():
            return "oracle"
    return None


def main(number: int, first: int = 0) -> None:
    wrong, sharp = Counter(), Counter()
    for i in tqdm(range(number)):
        family = FAMILIES[i % len(FAMILIES)]
        try:
            problem = compare(family, first + i // len(FAMILIES))
        except AssertionError:
            problem = "bounds"
        sharp[family.__name__] += 1
        if problem:
            wrong[family.__name__, problem] += 1
            print(family.__name__, first + i // len(FAMILIES), problem)
    print(f"{number} networks, wrong: {dict(wrong) or 0}; per family: {dict(sharp)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
