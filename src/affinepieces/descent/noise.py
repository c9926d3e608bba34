"""Noise on the updates of the hidden biases.

Perturbed gradient descent is the paper's, Definition 2.3 (Karner, Kazeev, Petersen 2024); the form of the noise
is the companion's: the bias b of a hidden neuron becomes b + Delta_b (1 + Theta), with Theta independent for
each neuron and uniform on [-delta, delta].
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affinepieces.arguments import number, refuse
from affinepieces.values import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Perturbed(Value):
    """Relative noise: each update Delta_b of a hidden bias becomes Delta_b (1 + Theta), |Theta| <= delta.

    delta: finite and >= 0.  Raises ValueError for other numbers.
    Source: paper, Definition 2.3; form of the noise: companion.
    """

    delta: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", check_delta(self.delta))

    def on(self, updates: Floats, rng: np.random.Generator) -> Floats:
        """The noisy updates; a draw for each entry, in float64."""
        return updates * (1 + self.delta * rng.uniform(-1, 1, updates.shape))


@dataclass(frozen=True, eq=False)
class UniformNoise(Value):
    """Noise of a fixed width: each update of a hidden bias, also one that is zero, gets a draw from [-width, width].

    width: finite and >= 0, in units of the bias.  Raises ValueError for other numbers.
    """

    width: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", float(number(self.width, "width", least=0, remedy="in units of the bias")))

    def on(self, updates: Floats, rng: np.random.Generator) -> Floats:
        """The noisy updates; a draw for each entry, in float64."""
        return updates + self.width * rng.uniform(-1, 1, updates.shape)


Noise = Perturbed | UniformNoise


def noise_of(value: Noise | None) -> Noise | None:
    """The noise, if it is one."""
    if value is not None and not isinstance(value, Perturbed | UniformNoise):
        refuse("noise", value, "Perturbed(delta), UniformNoise(width) or None")
    return value


def check_delta(delta: float) -> float:
    """The relative size of the perturbation, if it is one."""
    return float(number(delta, "delta", least=0, remedy="the relative size of the perturbation"))
