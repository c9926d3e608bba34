"""A node of an ONNX graph as the operators see it: its inputs, attributes, and the numbers to add rows to."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.importers import operations
from affinepieces.importers.lowering import Ids, Numbers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Traced:
    """A tensor that depends on the input: ids of its numbers in its shape, and its format in the model."""

    ids: Ids
    dtype: str


@dataclass(frozen=True)
class Call:
    """One node.  inputs: `Traced`, a constant array, or None where an optional one is left out.

    used: for each output whether somebody reads it.
    """

    numbers: Numbers
    name: str
    opset: int
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any]
    used: tuple[bool, ...]

    @property
    def dtype(self) -> str:
        """Format of the first input that is traced."""
        return next(value.dtype for value in self.inputs if isinstance(value, Traced))

    def has(self, k: int) -> bool:
        """Whether input k is given."""
        return k < len(self.inputs) and self.inputs[k] is not None

    def is_traced(self, k: int) -> bool:
        """Whether input k depends on the network's input."""
        return self.has(k) and isinstance(self.inputs[k], Traced)

    def ids(self, k: int = 0) -> Ids:
        """Input k as numbers; a constant becomes numbers too."""
        if self.is_traced(k):
            ids: Ids = self.inputs[k].ids
            return ids
        return operations.constant(self.numbers, self.floats(k), self.name)

    def floats(self, k: int, role: str = "this input", infinite: bool = False) -> Floats:
        """Input k, which must be a constant, widened to float64."""
        if not self.has(k):
            raise ValueError(f"{role} is missing, expected a tensor as input {k}")
        if self.is_traced(k):
            raise ValueError(f"{role} depends on the network's input, expected a constant: such a function is not "
                             "piecewise affine, or not supported; stop before it with until=...")
        with np.errstate(invalid="ignore"):  # a signalling nan
            found = np.asarray(self.inputs[k]).astype(np.float64)
        if np.isnan(found).any() or not (infinite or np.isfinite(found).all()):
            raise ValueError(f"{role} has an entry {found[~np.isfinite(found)][0]}, expected finite numbers: did the "
                             "training diverge?")
        return found

    def integers(self, k: int, attribute: str) -> list[int] | None:
        """Integers that older opsets give as an attribute and newer ones as input k; None if they are left out."""
        if attribute in self.attributes:
            return [int(i) for i in self.attributes[attribute]]
        if not self.has(k):
            return None
        if self.is_traced(k):
            raise ValueError(f"{attribute} depends on the network's input, expected constants")
        return [int(i) for i in np.asarray(self.inputs[k]).ravel()]

    def only_first_output(self, other: str) -> None:
        """Refuse if somebody reads another output."""
        if any(self.used[1:]):
            raise ValueError(f"its output {other} is used, expected only the first one: save the model without it")
