"""From the .nnet text format, of networks for aircraft collision avoidance, to a chain of layers."""
from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment
from affinepieces._files import path_of
from affinepieces.importers import operations
from affinepieces.importers.lowering import Ids, Numbers
from affinepieces.layers import Chain

Floats = NDArray[np.float64]
LARGEST = 2**28  # bytes


def from_nnet(path: str | os.PathLike[str], *, normalise: bool = True) -> Chain:
    """The network of a .nnet file: (N_0,) -> (N_L,), ReLU between its layers and none after the last.

    normalise: with the means and ranges of the file: an input x becomes (x - mean) / range, where to divide is to
    multiply by the float64 number nearest to 1 / range, and an output y becomes y * range + mean.  False: the layers
    alone.  Numbers are decimals in the file; each becomes the float64 number nearest to it.

    The tools that use these files clip the input to the minimums and maximums of the file.  This is no part of the
    function here: give points inside.
    Raises OSError if the file cannot be opened, ValueError, naming the line, for anything that is no such file.

    >>> import tempfile
    >>> lines = ["1,1,1,1,", "1,1,", "0,", "-9.0,", "9.0,", "0.0,0.0,", "1.0,1.0,", "2.0,", "0.5,"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "line.nnet"
    ...     _ = path.write_text("\\n".join(lines))
    ...     from_nnet(path)([[3.0]]).item()
    6.5
    """
    environment.check()
    file = path_of(path)
    if not isinstance(normalise, bool | np.bool_):
        raise TypeError(f"normalise is {normalise!r}, expected True or False")
    lines = _Lines.of(file)
    sizes, scaling = _header(lines)
    numbers = Numbers(sizes[0])
    x: Ids = np.arange(sizes[0])
    means, ranges = scaling
    if normalise:
        centred = operations.shift(numbers, x, -means[:-1], "input minus its mean")
        x = operations.combination(numbers, [(centred, 1 / ranges[:-1])], 0.0, "input")
    for j, (columns, rows) in enumerate(pairwise(sizes)):
        weight = np.array([lines.floats(columns, f"weights of layer {j + 1}") for _ in range(rows)])
        bias = np.array([lines.floats(1, f"biases of layer {j + 1}")[0] for _ in range(rows)])
        x = operations.linear(numbers, x, weight, bias, f"layer{j + 1}")
        x = operations.relu(numbers, x, f"layer{j + 1}") if j < len(sizes) - 2 else x
    lines.end()
    if normalise:
        x = operations.combination(numbers, [(x, ranges[-1])], means[-1], "output")
    return numbers.chain(x)[0]


def _header(lines: _Lines) -> tuple[list[int], tuple[Floats, Floats]]:
    """Sizes of the layers; means and ranges, (N_0 + 1,) each, those of the output last."""
    layers, inputs, outputs, _ = lines.integers(4, "numbers of layers, inputs, outputs, and the largest layer")
    sizes = lines.integers(layers + 1, "sizes of the layers")
    if sizes[0] != inputs or sizes[-1] != outputs:
        raise lines.error(f"sizes of layers are {sizes}, expected {inputs} first and {outputs} last, as the line of "
                          "numbers says")
    lines.integers(1, "flag", low=0)
    for what in ("minimums", "maximums"):
        lines.floats(inputs, f"{what} of the inputs")
    means = lines.floats(inputs + 1, "means of inputs and output")
    ranges = lines.floats(inputs + 1, "ranges of inputs and output")
    with np.errstate(divide="ignore", over="ignore"):
        if not np.isfinite(1 / ranges).all():
            raise lines.error(f"ranges are {ranges.tolist()}, expected numbers away from 0")
    return sizes, (means, ranges)


@dataclass
class _Lines:
    """The lines of a file that are no comments, one after the other; errors name the line."""

    path: Path
    rest: Iterator[tuple[int, str]]
    number: int = 0

    @classmethod
    def of(cls, path: Path) -> _Lines:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path} has {path.stat().st_size} bytes, expected a .nnet file of {LARGEST} at most: "
                             "give the right file")
        try:
            text = path.read_text("utf8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no text (byte {error.start}), expected a .nnet file: give the right file, or "
                             "download it again") from error
        lines = ((k, line.strip()) for k, line in enumerate(text.splitlines(), 1))
        return cls(path, iter([(k, line) for k, line in lines if line and not line.startswith("//")]))

    def error(self, what: str) -> ValueError:
        return ValueError(f"{self.path}, line {self.number}: {what}; write or download the file again")

    def floats(self, n: int, what: str) -> Floats:
        """The next line, which holds n finite numbers."""
        self.number, line = next(self.rest, (self.number, ""))
        words = [word.strip() for word in line.removesuffix(",").split(",")] if line else []
        try:
            values = np.array([float(word) for word in words], np.float64)
        except ValueError as error:
            raise self.error(f"{what}: {error}, expected {n} numbers with commas between") from error
        if len(values) != n or not np.isfinite(values).all():
            found = f"{len(values)} numbers" if line else "the end of the file"
            raise self.error(f"{what}: found {found}, expected {n} finite ones with commas between")
        return values

    def integers(self, n: int, what: str, low: int = 1) -> list[int]:
        """The next line, which holds n whole numbers from `low` on."""
        values = self.floats(n, what)
        if (values != np.floor(values)).any() or values.min() < low or values.max() > LARGEST:
            raise self.error(f"{what}: found {values.tolist()}, expected whole numbers from {low} to {LARGEST}")
        return [int(v) for v in values]

    def end(self) -> None:
        """No line is left."""
        left = next(self.rest, None)
        if left is not None:
            self.number = left[0]
            raise self.error("the file goes on after the last layer, expected its end")
