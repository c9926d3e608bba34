"""What moves numbers about, or asks for shapes and formats."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from affinepieces._torch.tensors import numpy_of
from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.torch.arithmetic import axes_of
from affinepieces.importers.torch.here import Here, numbers_of, refuse


def flatten(here: Here, x: Ids, start_dim: int = 0, end_dim: int = -1) -> Ids:
    """A view where numpy makes one."""
    if x.ndim == 0:
        return x.reshape(1)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1:])


def pad(here: Here, x: Ids, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Ids:
    """With a constant."""
    if mode != "constant":
        refuse(here, f"padding with mode {mode!r}")
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    inner = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))]
    filler = int(op.constant(here.numbers, numbers_of(here, 0.0 if value is None else value), here.name))
    return np.pad(inner, [(max(a, 0), max(b, 0)) for a, b in pairs], constant_values=filler)


def concatenated(here: Here, tensors: Sequence[Any], dim: int = 0) -> Ids:
    """Constants among them become numbers."""
    return np.concatenate([_lifted(here, v) for v in tensors], axis=dim)


def stacked(here: Here, tensors: Sequence[Any], dim: int = 0) -> Ids:
    """Along a new axis."""
    return np.stack([_lifted(here, v) for v in tensors], axis=dim)


def _lifted(here: Here, value: Any) -> Ids:
    return value if isinstance(value, np.ndarray) else op.constant(here.numbers, numbers_of(here, value), here.name)


def chunk(here: Here, x: Ids, chunks: int, dim: int = 0) -> tuple[Ids, ...]:
    """Equal parts, the last one smaller."""
    return split(here, x, -(-x.shape[dim] // chunks), dim)


def split(here: Here, x: Ids, split_size: Any, dim: int = 0) -> tuple[Ids, ...]:
    """Parts of one size, or of given sizes."""
    n, axis = x.shape[dim], dim % x.ndim
    if isinstance(split_size, int):
        ends = list(range(split_size, n, split_size))
    else:
        ends = np.cumsum(split_size)[:-1].tolist()
    return tuple(np.split(x, ends, axis=axis))


def unbind(here: Here, x: Ids, dim: int = 0) -> tuple[Ids, ...]:
    """All places of an axis."""
    return tuple(np.moveaxis(x, dim, 0))


def reshape(here: Here, x: Ids, *shape: Any) -> Ids:
    """A view where numpy makes one."""
    sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return x.reshape(tuple(map(int, sizes)))


def permute(here: Here, x: Ids, *dims: Any) -> Ids:
    """Axes in another order."""
    return x.transpose(dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)


def squeeze(here: Here, x: Ids, dim: Any = None) -> Ids:
    """Without axes of length one."""
    axes = range(x.ndim) if dim is None else [axis % x.ndim for axis in axes_of(dim)]
    return x.squeeze(tuple(axis for axis in axes if x.shape[axis] == 1))


def unsqueeze(here: Here, x: Ids, dim: int) -> Ids:
    """With one more axis."""
    return np.expand_dims(x, dim)


def expand(here: Here, x: Ids, *sizes: Any) -> Ids:
    """-1 for what stays."""
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    old = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, tuple(n if m == -1 else m for n, m in zip(old, shape, strict=True)))


def getitem(here: Here, x: Any, index: Any) -> Any:
    """Slices, integers, None, Ellipsis, constant lists of integers."""
    found = x[index] if isinstance(x, tuple | list) else x[_places(index)]
    if found is None:
        refuse(here, "the position of a maximum")
    return found


def _places(index: Any) -> tuple[Any, ...]:
    """With an Ellipsis, so that a single number is a view too."""
    places = _index(index if isinstance(index, tuple) else (index,))
    return places if any(place is Ellipsis for place in places) else (*places, Ellipsis)


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    if isinstance(index, np.ndarray):
        raise ValueError("a tensor that depends on the input is used as an index, which is not affine")
    return numpy_of(index, "an index") if isinstance(index, torch.Tensor) else index


def attribute(here: Here, x: Ids, name: str) -> Any:
    """What can be asked of a tensor, or of a maximum with its indices."""
    if isinstance(x, tuple):
        return x[0] if name == "values" else refuse(here, "the position of a maximum")
    known = {"shape": torch.Size(x.shape), "ndim": x.ndim, "T": x.T, "mT": np.swapaxes(x, -1, -2) if x.ndim > 1 else x,
             "dtype": torch.float64, "device": torch.device("cpu"), "is_cuda": False, "requires_grad": False}
    if name not in known:
        refuse(here, f".{name}")
    return known[name]


def size(here: Here, x: Ids, dim: int | None = None) -> Any:
    """Of all axes, or of one."""
    return torch.Size(x.shape) if dim is None else x.shape[dim]


def cast(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """To a device, or to float64; what is shorter would round."""
    for wanted in (*args, *kwargs.values()):
        if isinstance(wanted, torch.dtype) and wanted != torch.float64:
            refuse(here, f"a cast to {wanted}")
    return x


def single(here: Here, x: Ids) -> Ids:
    """To float32."""
    return cast(here, x, torch.float32)


def same(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """The tensor itself."""
    return x


def copied(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """What is changed in one is not changed in the other."""
    return x.copy()


def transpose(here: Here, x: Ids, dim0: int, dim1: int) -> Ids:
    """Two axes exchanged."""
    return np.swapaxes(x, dim0, dim1)


def transposed(here: Here, x: Ids) -> Ids:
    """A matrix."""
    return x.T


def narrow(here: Here, x: Ids, dim: int, start: int, length: int) -> Ids:
    """A part of an axis."""
    return np.moveaxis(np.moveaxis(x, dim, 0)[start:start + length], 0, dim)


def select(here: Here, x: Ids, dim: int, index: int) -> Ids:
    """One place of an axis."""
    return np.asarray(np.moveaxis(x, dim, 0)[index])


def reshape_as(here: Here, x: Ids, other: Any) -> Ids:
    """To the shape of another."""
    return x.reshape(tuple(other.shape))


def unflatten(here: Here, x: Ids, dim: int, sizes: Sequence[int]) -> Ids:
    """One axis as several."""
    axis = dim % x.ndim
    return x.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1:])


def contiguous(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """The tensor itself, or a copy in the order of its axes."""
    return x if x.flags.c_contiguous else x.copy()


def expand_as(here: Here, x: Ids, other: Any) -> Ids:
    """To the shape of another."""
    return np.broadcast_to(x, tuple(other.shape))


def dimensions(here: Here, x: Ids) -> int:
    """How many axes."""
    return x.ndim


def entries(here: Here, x: Ids) -> int:
    """How many numbers."""
    return x.size
