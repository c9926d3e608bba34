"""What the runs of the study learn, and where they start."""
from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted
from affinepieces.arguments import refuse
from affinepieces.constructions import gentle_sawtooth, he_random, sawtooth, square
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.segment import Segment

Array = NDArray[np.float64]
UNIT = Segment(0, 1)
POINTS = 32
BLOCK = 1000  # seeds of a block: 0, 1, ... ; of the next: 1000, 1001, ...
BLOCKS = 6  # of the preset `full`: a finding must hold in each
TASKS: dict[str, Callable[[Array], Array]] = {
    "square": lambda x: x**2, "sine": lambda x: np.sin(2 * np.pi * x), "kink": lambda x: np.abs(x - 0.4)}
ONE_DIMENSIONAL = (*TASKS, "random")


def seeds(count: int, blocks: int = BLOCKS) -> list[int]:
    """The seeds of so many runs in each block.

    >>> seeds(2, blocks=2)
    [0, 1, 1000, 1001]
    """
    return [BLOCK * block + i for block in range(blocks) for i in range(count)]


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of their own for each purpose."""
    return np.random.default_rng([seed, *purpose.encode()])


def points(task: str, seed: int, count: int = POINTS) -> tuple[Array, Array]:
    """Data x (m, N_0) and y (m, N_L).

    task: "square", "sine", "kink": functions of x in [0, 1]; "random": independent normal labels; "digits": images of
    handwritten digits, 64 pixels in [0, 1], and their class as a row of zeros and a one.
    """
    rng = generator(seed, "points")
    if task == "digits":
        images, classes = digits()
        chosen = rng.choice(len(images), count, replace=False)
        return images[chosen], np.eye(10)[classes[chosen]]
    x = rng.random((count, 1))
    if task == "random":
        return x, rng.standard_normal((count, 1))
    if task not in TASKS:
        refuse("task", task, f"one of {', '.join([*TASKS, 'random', 'digits'])}", kind=ValueError)
    return x, TASKS[task](x)


@cache
def digits() -> tuple[Array, NDArray[np.int64]]:
    """All images (1797, 64) with pixels in [0, 1], and their classes."""
    with wanted("study"):
        from sklearn.datasets import load_digits
    images, classes = load_digits(return_X_y=True)
    return images / 16, classes


def between_images(seed: int) -> Segment:
    """From one image to another, of another class."""
    images, classes = digits()
    rng = generator(seed, "segment")
    first = int(rng.integers(len(images)))
    second = int(rng.choice(np.flatnonzero(classes != classes[first])))
    return Segment.between(images[first], images[second])


def segment_of(task: str, seed: int) -> Segment:
    """Where pieces are counted."""
    return between_images(seed) if task == "digits" else UNIT


def random_start(kind: str, task: str, depth: int, width: int, seed: int) -> ReLUNetwork:
    """A network with `depth` hidden layers of so many neurons.

    kind: "he", weights of He et al. (2015) and biases 0; "he_biases", with normal biases of standard deviation 0.1;
    "uniform", weights and biases uniform on +-1/sqrt(fan in), as torch.nn.Linear draws them.
    """
    ends = (64, 10) if task == "digits" else (1, 1)
    widths, rng = [ends[0], *[width] * depth, ends[1]], generator(seed, "start")
    if kind in ("he", "he_biases"):
        return he_random(widths, rng, bias_std=0.1 * (kind == "he_biases"))
    if kind != "uniform":
        refuse("kind", kind, "he, he_biases or uniform", kind=ValueError)
    bounds = [1 / np.sqrt(n) for n in widths[:-1]]
    return ReLUNetwork([rng.uniform(-c, c, (m, n)) for c, m, n in zip(bounds, widths[1:], widths, strict=False)],
                       [rng.uniform(-c, c, m) for c, m in zip(bounds, widths[1:], strict=True)])


def constructed(kind: str, n: int) -> ReLUNetwork:
    """A network made for 2^n pieces on [0, 1]; where the peak is no power of two, its rounding makes more or fewer.

    kind: "steep 0.4", the sawtooth with this peak; "gentle 0.4", its teeth 2^-(n-1) high, with slopes near 1;
    "square", the network for x^2 of n layers.
    """
    if kind == "square":
        return square(n)
    form, _, peak = kind.partition(" ")
    if form not in ("steep", "gentle"):
        refuse("kind", kind, "steep 0.4, gentle 0.4, other peaks, or square", kind=ValueError)
    return (sawtooth if form == "steep" else gentle_sawtooth)(n, float(peak))


def noisy_labels(net: ReLUNetwork, noise: float, seed: int) -> tuple[Array, Array]:
    """Random points of [0, 1], and the values of the network with normal noise."""
    rng = generator(seed, "points")
    x = rng.random((POINTS, 1))
    return x, net(x) + noise * rng.standard_normal((POINTS, 1))
