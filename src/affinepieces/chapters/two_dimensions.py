"""Two dimensions: regions of polygons at random, under descent, in training, in a plane through three images."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import BFLOAT16
from affinepieces.arithmetic.rounding import round_network, round_to
from affinepieces.certificates import check
from affinepieces.chapters import own_network
from affinepieces.constructions import gentle_sawtooth, he_random
from affinepieces.descent.history import History
from affinepieces.descent.machines import Native, Rounded
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.optimisers import Adam
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train
from affinepieces.importers.torch.module import from_torch
from affinepieces.layers import Chain, Layered
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many, count_regions
from affinepieces.pieces.plane.polygon import Plane, Polygon, area_of, half
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.segment import Segment
from affinepieces.study.tasks import generator

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
UNIT, SQUARE = Polygon.rectangle(0, 1, 0, 1), Polygon.square()
SHAPES = ((1, 64), (2, 32), (4, 16), (8, 8))  # layers, neurons in each: 64 in all
RADII = (1.0, 4.0, 16.0, 2.0**30)  # of squares; the last one is the whole plane for these networks
STEPS = (0, 10, 30, 100, 300, 1000)
TASKS = ("ring", "saddle", "noise")
RECORD, RATE = (0, 1, 8, 64), 2.0**-4


def of_lines(neurons: int) -> int:
    """Into how many regions so many straight lines cut the plane, if each two cross and no three in one point.

    >>> [of_lines(n) for n in range(4)]
    [1, 2, 4, 7]
    """
    return 1 + neurons + neurons * (neurons - 1) // 2


def random_network(shape: tuple[int, int], seed: int) -> ReLUNetwork:
    """He's weights and standard normal biases; shape: hidden layers, neurons in each."""
    depth, width = shape
    return he_random([2, *[width] * depth, 1], generator(seed, f"plane {shape}"), bias_std=1.0)


def beside_lines(shape: tuple[int, int], seeds: Iterable[int], radii: Sequence[float] = RADII) -> Array:
    """Regions on squares around 0, over those of as many lines: (seeds, radii)."""
    nets = [random_network(shape, seed) for seed in seeds]
    counts = np.array([[count_regions(net, Polygon.square(r)) for r in radii] for net in nets])
    return np.asarray(counts / of_lines(shape[0] * shape[1]))


def chords(radius: float, count: int, rng: np.random.Generator) -> list[Segment]:
    """Segments in all directions, 2 radius long, of random distance, up to radius, from 0."""
    angles, offsets = rng.uniform(0, 2 * np.pi, count), rng.uniform(-radius, radius, count)
    ahead = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    aside = ahead[:, ::-1] * [-1, 1]
    return [Segment(-radius, radius, start=o * a, direction=d) for o, a, d in zip(offsets, aside, ahead, strict=True)]


def line_and_plane(shape: tuple[int, int], radius: float, seeds: Iterable[int]) -> Array:
    """Regions in a square over the square of their mean number on 20 chords: (seeds,)."""
    found = []
    for seed in seeds:
        net, lines = random_network(shape, seed), chords(radius, 20, generator(seed, "chords"))
        found.append(count_regions(net, Polygon.square(radius)) / count_many(net, lines).regions.mean() ** 2)
    return np.array(found)


def met(found: Subdivision, net: Layered, segment: Segment) -> int:
    """How many regions of the subdivision a segment meets, by the signs of preactivations at many of its points.

    The points are the middles between all points at which the segment crosses the line through an edge.
    """
    start, ahead = np.asarray(segment.start, float), np.asarray(segment.direction, float)
    ends = found.points[found.edges].astype(float)
    normal = (ends[:, 1] - ends[:, 0]) @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.einsum("ei,ei->e", ends[:, 0] - start, normal) / (normal @ ahead)
    t = np.unique([segment.a, *t[(t > segment.a) & (t < segment.b)], segment.b])
    t = t[:-1][np.diff(t) > 1e-9] + np.diff(t)[np.diff(t) > 1e-9] / 2
    patterns = np.concatenate([z > 0 for z in _preactivations(net, start + t[:, None] * ahead)], axis=1)
    of_regions = set(map(bytes, found.patterns))
    return len({bytes(pattern) for pattern in patterns} & of_regions)


def _preactivations(net: Layered, x: Array) -> list[Array]:
    out = []
    for a, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        out.append(x @ np.asarray(a, float).T + b)
        x = np.maximum(out[-1], 0)
    return out


def corner() -> ReLUNetwork:
    """relu(min(s, t)): 0 on three quarters of a square around 0, a set that is not convex."""
    return ReLUNetwork([[[1, 0], [-1, 0], [1, -1]], [[1, -1, -1]], [[1]]], [[0, 0, 0], [0], [0]])


class Corners(NamedTuple):
    """Corners of regions inside of the polygon, and on its sides without its own corners."""

    inside: int
    sides: int


def corners_of(found: Subdivision) -> Corners:
    """Counted in the planar graph: those on no edge of the boundary are inside."""
    outer = np.unique(found.edges[(found.sides < 0).any(axis=1)])
    return Corners(len(found.points) - len(outer), len(outer) - len(found.polygon.corners))


def expected_length(h: Subdivision, width: float, centre: float = 0.0) -> float:
    """Mean length of {h + b = 0} for b uniform on an interval: (1 / width) * integral of |grad h| where -h is in it.

    h: with one output.  Up to rounding.
    """
    total = 0.0
    for region, affine in enumerate(h.maps[:, 0].astype(float)):
        a, b, c = affine.tolist()
        above = half(h.polygon_of(region).astype(float), np.array([a, b, c + centre + width / 2]))
        part = half(above, np.array([-a, -b, width / 2 - c - centre]))
        total += float(np.hypot(*affine[:2])) * area_of(part)
    return total / width


def length_at(h: Subdivision, b: float) -> float:
    """Length of {h + b = 0}, for a b that is no value of -h at a corner."""
    total = 0.0
    for region, affine in enumerate(h.maps[:, 0].astype(float)):
        points = h.polygon_of(region).astype(float)
        y = points @ affine[:2] + affine[2] + b
        there, after = np.roll(points, -1, axis=0), np.roll(y, -1)
        crossed = y * after < 0
        if crossed.sum() == 2:
            shares = y[crossed] / (y - after)[crossed]
            ends = points[crossed] + (there - points)[crossed] * shares[:, None]
            total += float(np.hypot(*(ends[1] - ends[0])))
    return total


def side_by_side(one: ReLUNetwork, other: ReLUNetwork) -> ReLUNetwork:
    """f(s) + g(t) for two networks of one input and equally many layers."""
    def blocks(a: Array, b: Array) -> Array:
        return np.block([[a, np.zeros((len(a), b.shape[1]))], [np.zeros((len(b), a.shape[1])), b]])

    pairs = list(zip(one.weights, other.weights, strict=True))
    weights = [*(blocks(*pair) for pair in pairs[:-1]), np.hstack(pairs[-1])]
    biases = [np.concatenate(pair) for pair in zip(one.biases[:-1], other.biases[:-1], strict=True)]
    return ReLUNetwork(weights, [*biases, one.biases[-1] + other.biases[-1]])


def tent_field(depth: int = 5) -> ReLUNetwork:
    """s(s) + s(t) with the gentle sawtooth of the running example; its teeth are 2^(1 - depth) high."""
    return side_by_side(gentle_sawtooth(depth, 0.4), gentle_sawtooth(depth, 0.4))


def descents(seeds: Iterable[int], rate: float = RATE) -> dict[str, Integers]:
    """Regions at the recorded steps, (seeds, steps), of the field of tents trained on its own values with noise.

    float64 with and without the paper's noise; from the network rounded to bfloat16, in float64 and in bfloat16.
    """
    start = tent_field()
    found: dict[str, list[list[int]]] = {}
    rounded = round_network(start, BFLOAT16)
    for seed in seeds:
        rng = generator(seed, "tents")
        x = np.asarray(round_to(rng.random((64, 2)), BFLOAT16))
        y = np.asarray(round_to(start(x) + 0.1 * rng.standard_normal((64, 1)), BFLOAT16))
        runs = {"float64": Run(start, x, y, rate, RECORD[-1], Native(), RECORD),
                "noise": Run(start, x, y, rate, RECORD[-1], Native(), RECORD, seed=seed, noise=Perturbed(1.0)),
                "rounded start": Run(rounded, x, y, rate, RECORD[-1], Native(), RECORD),
                "bfloat16": Run(rounded, x, y, rate, RECORD[-1], Rounded(BFLOAT16), RECORD)}
        for name, run in runs.items():
            found.setdefault(name, []).append([count_regions(net, UNIT) for net in train(run).networks])
    return {name: np.array(counts) for name, counts in found.items()}


def points(task: str, seed: int) -> tuple[Array, Array]:
    """128 points in the square: inside or outside of a ring, s t, or signs by chance."""
    rng = generator(seed, f"points {task}")
    x = rng.uniform(-1, 1, (128, 2))
    y = {"ring": np.where(np.hypot(*x.T) < 0.7, 0.5, -0.5), "saddle": x[:, 0] * x[:, 1],
         "noise": rng.choice([-0.5, 0.5], 128)}[task]
    return x, y[:, None]


def trained(task: str, seed: int, widths: Sequence[int] = (16, 16), record: Sequence[int] = STEPS) -> History:
    """A random network of two inputs, trained with Adam in float32."""
    x, y = (v.astype(np.float32) for v in points(task, seed))
    start = he_random([2, *widths, 1], generator(seed, "film"), bias_std=0.3, dtype=np.float32)
    return train(Run(start, x, y, 2.0**-6, record[-1], Native(np.float32), record, optimiser=Adam()))


def through_training(seeds: Iterable[int]) -> dict[str, Integers]:
    """Regions on the square at STEPS, (seeds, steps), for each task."""
    return {task: np.array([[count_regions(net, SQUARE) for net in trained(task, seed).networks] for seed in seeds])
            for task in TASKS}


def classifiers(seed: int) -> tuple[Chain, Chain]:
    """A classifier of digits with two layers of 32, before and after the training of "Your own network"."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(),
                                torch.nn.Linear(32, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    before = from_torch(model.eval(), own_network.SHAPE)
    own_network.train(model, seed)
    return before, from_torch(model, own_network.SHAPE)


def plane_of(digits: Sequence[int], seed: int | None = None) -> Plane:
    """The plane through an image of each of three digits, from those held out: the first, or any."""
    images, classes = own_network.pictures()
    held = images[own_network.TRAINED:].numpy().reshape(-1, 64), classes[own_network.TRAINED:].numpy()
    places = [np.flatnonzero(held[1] == digit) for digit in digits]
    rng = generator(seed or 0, "images")
    return Plane.through(*(held[0][rows[0] if seed is None else rng.choice(rows)] for rows in places))


def random_plane(seed: int) -> Plane:
    """Through images of three digits of different classes."""
    chosen = generator(seed, "digits").choice(10, 3, replace=False)
    return plane_of(chosen.tolist(), seed)


def triangle(plane: Plane) -> Polygon:
    """With the three images as corners."""
    return Polygon([[0, 0], [1, 0], [0, 1]], plane)


def before_and_after(seeds: Iterable[int], planes: Sequence[Plane]) -> dict[str, Integers]:
    """Regions before and after training: (models, planes, 2) in the triangle of the images, and in the whole plane."""
    models = [classifiers(seed) for seed in seeds]
    domains: dict[str, Callable[[Plane], Polygon]] = {
        "triangle": triangle, "plane": lambda plane: Polygon.square(RADII[-1], plane)}
    return {name: np.array([[[count_regions(net, domain(plane)) for net in pair] for plane in planes]
                            for pair in models]) for name, domain in domains.items()}


def checked(found: Subdivision) -> str:
    """What the script that checks certificates says of a trace, whose certificate is saved for it.

    >>> from affinepieces import trace
    >>> checked(trace(corner(), SQUARE))
    'accepted: 5 regions, 3 pieces'
    """
    assert found.certificate is not None
    with TemporaryDirectory() as folder:
        file = Path(folder) / "certificate.json"
        found.certificate.save(file)
        return subprocess.run([sys.executable, check.__file__, file], capture_output=True, text=True).stdout.strip()
