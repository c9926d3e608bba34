"""A classifier of handwritten digits: regions between images and close to them, with true and with random labels."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.descent.machines import Native
from affinepieces.descent.optimisers import Momentum
from affinepieces.descent.runs import Run
from affinepieces.descent.specification import Loss
from affinepieces.descent.training import train_many
from affinepieces.pieces.count import count_many
from affinepieces.pieces.segment import Segment
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import digits, generator, random_start, seeds

STEPS = (0, 10, 30, 100, 300, 1000, 3000)
TRAINED, BATCH, PAIRS = 1000, 50, 12
NEAR = 0.05  # half the length of the short segments, as a share of the distance between two images


def measure(depth: int, width: int, random_labels: float, rate: int, seed: int) -> Result:
    """One run with momentum 0.9 and cross-entropy on 1000 images; lists have an entry for each of `STEPS`.

    random_labels: the share of images that get the label of another image.  accuracy: on the other 797 images, whose
    labels are true; fitted: on the training images and their labels.
    regions, pieces: mean over segments from one training image to another of another class.  near, between: mean
    number of interior boundaries per unit of length in a short stretch around the first image, and around the middle.
    """
    images, classes = digits()
    rng = generator(seed, "digits")
    order = rng.permutation(len(images))
    inside, outside = order[:TRAINED], order[TRAINED:]
    labels = classes[inside].copy()
    mixed = rng.permutation(TRAINED)[:round(random_labels * TRAINED)]
    labels[mixed] = rng.permutation(labels[mixed])
    net = random_start("he_biases", "digits", depth, width, seed)
    run = Run(net, images[inside], np.eye(10)[labels], 2.0**rate, STEPS[-1], Native(), STEPS, seed,
              optimiser=Momentum(0.9), loss=Loss.CROSS_ENTROPY, batch=BATCH)
    history = train_many([run], workers=1)[0]
    pairs = _pairs(images[inside], classes[inside], rng)
    found: dict[str, list[float]] = {name: [] for name in ("accuracy", "fitted", "regions", "pieces", "near",
                                                           "between")}
    for trained in history.networks:
        counts = count_many(trained, [Segment.between(x, y) for x, y in pairs])
        values = {"accuracy": _share(trained, images[outside], classes[outside]),
                  "fitted": _share(trained, images[inside], labels), "regions": counts.regions.mean(),
                  "pieces": counts.pieces.mean(), "near": _density(trained, pairs, 0.0),
                  "between": _density(trained, pairs, 0.5)}
        for name, value in values.items():
            found[name].append(float(value))
    return {"run": run.digest(), "complete": history.complete, "losses": history.losses.tolist(), **found}


def _pairs(images: Any, classes: Any, rng: np.random.Generator) -> list[tuple[Any, Any]]:
    firsts = rng.integers(len(images), size=PAIRS)
    return [(images[i], images[rng.choice(np.flatnonzero(classes != classes[i]))]) for i in firsts]


def _density(net: Any, pairs: list[tuple[Any, Any]], at: float) -> float:
    """Boundaries per unit of length around the point x + at (y - x)."""
    segments = [Segment.between(x + (at - NEAR) * (y - x), x + (at + NEAR) * (y - x)) for x, y in pairs]
    lengths = [2 * NEAR * np.linalg.norm(y - x) for x, y in pairs]
    return float(np.mean((count_many(net, segments).regions - 1) / lengths))


def _share(net: Any, images: Any, labels: Any) -> float:
    return float(np.mean(net(images).argmax(axis=1) == labels))


def _cases(shapes: tuple[tuple[int, int], ...], shares: tuple[float, ...],
           chosen: list[int]) -> Iterator[dict[str, Any]]:
    for (depth, width), share, seed in product(shapes, shares, chosen):
        yield {"depth": depth, "width": width, "random_labels": share, "rate": -6, "seed": seed}


EXPERIMENT = Experiment(
    "digits", "Regions of a classifier in training, with true and with random labels.", measure, {
        "quick": lambda: _cases(((2, 8),), (0.0,), seeds(1, 1)),
        "full": lambda: _cases(((2, 32), (4, 32)), (0.0, 0.5, 1.0), seeds(5))})
