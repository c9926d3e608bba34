"""What a gradient and a step of gradient descent are, from any machine."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from affinepieces.arguments import instance, items, refuse
from affinepieces.arithmetic.exact import ExactArray, quotient
from affinepieces.descent.optimisers import OptimiserState
from affinepieces.descent.specification import Mask
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import check_layers, shape_of
from affinepieces.values import Value


@dataclass(frozen=True, eq=False)
class Gradients(Value):
    """Gradient of the loss at a network.

    weights, biases: for each layer arrays of the shapes of the parameters; of the dtype of a native
    machine, float64 from a rounded one, `ExactArray` from the exact one.  Overflow shows as inf or nan.
    loss: a float, or a Fraction from the exact machine.
    active: for each hidden layer booleans (N_j, m), which neurons the machine saw active at which point.
    For a gradient that was computed elsewhere, loss may be None and active empty: not known.
    """

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]
    loss: Any
    active: tuple[Mask, ...]

    def __post_init__(self) -> None:
        check_layers(self)
        if not isinstance(self.loss, float | Fraction | None):
            refuse("loss", self.loss, "a float, a Fraction from the exact machine, or None")
        for j, mask in enumerate(items(self.active, "active", "arrays of booleans, one for each hidden layer")):
            if instance(mask, np.ndarray, f"active[{j}]").dtype != np.bool_ or mask.ndim != 2:
                raise ValueError(f"active[{j}] has dtype {mask.dtype} and shape {mask.shape}, "
                                 "expected booleans of shape (N_j, m)")
        super().__post_init__()

    def __repr__(self) -> str:
        points = f", {self.active[0].shape[1]} points" if self.active else ""
        loss = quotient(*self.loss.as_integer_ratio()) if isinstance(self.loss, Fraction) else self.loss
        return f"Gradients({shape_of(self)}, {kind_of(self)}{points}{'' if loss is None else f', loss {loss:.6g}'})"


@dataclass(frozen=True, eq=False)
class Step(Value):
    """The parameters after one step, as the machine holds them, the gradient it used, and what the next step needs."""

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]
    gradients: Gradients
    state: OptimiserState = OptimiserState()  # noqa: RUF009  (a value that cannot change)

    def __post_init__(self) -> None:
        check_layers(self)
        instance(self.gradients, Gradients, "gradients")
        instance(self.state, OptimiserState, "state")
        super().__post_init__()

    def __repr__(self) -> str:
        return f"Step({shape_of(self)}, {kind_of(self)}, {self.gradients!r})"

    def network(self) -> ReLUNetwork:
        """The network after the step, in the dtype of a native machine, otherwise in float64.

        Raises FloatingPointError if a parameter is not finite, TypeError for an exact step.
        """
        if isinstance(self.weights[0], ExactArray):
            raise TypeError("the parameters after an exact step are rational numbers, in general not floats: "
                            "use .weights and .biases, for example .biases[0].fractions()")
        for j, (a, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                raise FloatingPointError(f"layer {j} has parameters that are not finite after the step, the loss was "
                                         f"{self.gradients.loss}: take a smaller learning rate or a wider format")
        return ReLUNetwork(self.weights, self.biases)


def kind_of(arrays: Gradients | Step) -> str:
    """The dtype of the numbers, or exact."""
    return "exact" if isinstance(arrays.biases[0], ExactArray) else str(arrays.biases[0].dtype)
