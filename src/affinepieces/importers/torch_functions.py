"""Functions and methods of torch, on arrays of numbers.

Arrays that depend on the input are numpy arrays of ids; everything else is what torch itself computes.  Where torch
returns a view of its argument, so does numpy, so that what changes a tensor in place changes the same entries here.
"""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from affinepieces._torch.refusals import called
from affinepieces._torch.tensors import numpy_of
from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids, Numbers

LISTED = ("Linear, Conv1d, Conv2d, BatchNorm, max and average pooling, ReLU, LeakyReLU, PReLU, ReLU6, Hardtanh, abs, "
          "clamp, maximum, minimum, sums, means, constants, Flatten, reshape, cat, slices")


@dataclass
class Here:
    """Where in the module: the numbers so far, the module, and what the current operation is called.

    single: whether all parameters are of float32 or shorter.  cast: whether numbers were cast to float32.
    """

    numbers: Numbers
    module: nn.Module
    single: bool
    name: str = ""
    cast: bool = False


def refuse(here: Here, what: str) -> NoReturn:
    """Say that an operation is not supported."""
    raise ValueError(f"{called(here.name)} is {what}, which is not supported: expected {LISTED}; if it comes last, or "
                     "is wanted up to there, convert a module that ends before it")


def plain(value: Any) -> bool:
    """Whether nothing in the arguments depends on the input."""
    if isinstance(value, tuple | list):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    if isinstance(value, slice):
        return plain((value.start, value.stop, value.step))
    return not isinstance(value, np.ndarray)


def numbers_of(here: Here, value: Any) -> Any:
    """Numbers that do not depend on the input, in float64."""
    if isinstance(value, np.ndarray):
        raise ValueError(f"{called(here.name)} multiplies, or compares, two tensors that both depend on the input in a way "
                         "that is not affine: this is no piecewise affine function of one branch")
    return np.asarray(numpy_of(value, here.name), np.float64) if isinstance(value, torch.Tensor) else np.float64(value)


def relu(here: Here, x: Ids, inplace: bool = False) -> Ids:
    """max(x, 0)."""
    return _written(x, op.relu(here.numbers, x, here.name), inplace)


def leaky_relu(here: Here, x: Ids, negative_slope: float = 0.01, inplace: bool = False) -> Ids:
    """One slope for all."""
    return _written(x, op.leaky_relu(here.numbers, x, negative_slope, here.name), inplace)


def prelu(here: Here, x: Ids, weight: Any) -> Ids:
    """A slope for each channel, or one for all."""
    slope = numbers_of(here, weight)
    shape = (-1, *[1] * (x.ndim - 2)) if slope.size > 1 else ()
    return op.leaky_relu(here.numbers, x, slope.reshape(shape), here.name)


def hardtanh(here: Here, x: Ids, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Ids:
    """Between two numbers."""
    return _written(x, op.clip(here.numbers, x, min_val, max_val, here.name), inplace)


def clamp(here: Here, x: Ids, min: Any = None, max: Any = None) -> Ids:
    """Between numbers or tensors, each of which may be missing."""
    for bound, compare in ((min, maximum), (max, minimum)):
        x = x if bound is None else compare(here, x, bound)
    return x


def maximum(here: Here, x: Any, y: Any) -> Ids:
    """Entry by entry."""
    return _compared(here, x, y, op.maximum, lambda n, v, c, name: op.clip(n, v, c, None, name))


def minimum(here: Here, x: Any, y: Any) -> Ids:
    """Entry by entry."""
    return _compared(here, x, y, op.minimum, lambda n, v, c, name: op.clip(n, v, None, c, name))


def _compared(here: Here, x: Any, y: Any, both: Callable[..., Ids], one: Callable[..., Ids]) -> Ids:
    if plain(x):
        x, y = y, x
    if not plain(y):
        return both(here.numbers, x, y, here.name)
    bound = numbers_of(here, y)
    return one(here.numbers, np.broadcast_to(x, np.broadcast_shapes(x.shape, bound.shape)), bound, here.name)


def absolute(here: Here, x: Ids) -> Ids:
    """|x|."""
    return op.absolute(here.numbers, x, here.name)


def add(here: Here, x: Any, y: Any, alpha: float = 1.0) -> Ids:
    """x + alpha y."""
    if plain(x):
        return op.combination(here.numbers, [(y, alpha)], numbers_of(here, x), here.name)
    if plain(y):
        return op.combination(here.numbers, [(x, 1.0)], alpha * numbers_of(here, y), here.name)
    return op.combination(here.numbers, [(x, 1.0), (y, alpha)], 0.0, here.name)


def subtract(here: Here, x: Any, y: Any, alpha: float = 1.0) -> Ids:
    """x - alpha y."""
    return add(here, x, y, -alpha)


def multiply(here: Here, x: Any, y: Any) -> Ids:
    """By a constant."""
    if plain(x):
        x, y = y, x
    return op.combination(here.numbers, [(x, numbers_of(here, y))], 0.0, here.name)


def divide(here: Here, x: Any, y: Any, rounding_mode: Any = None) -> Ids:
    """By a constant, as a multiplication."""
    if rounding_mode is not None:
        refuse(here, f"a division that rounds ({rounding_mode})")
    if plain(x):
        refuse(here, "a division by a tensor that depends on the input")
    divisor = numbers_of(here, y)
    if np.any(divisor == 0):
        raise ValueError(f"{called(here.name)} divides by zero")
    return op.combination(here.numbers, [(x, 1 / divisor)], 0.0, here.name)


def linear(here: Here, x: Any, weight: Any, bias: Any = None) -> Ids:
    """x A^T + b."""
    a = numbers_of(here, weight)
    if plain(x):
        refuse(here, "a matrix that depends on the input")
    return op.linear(here.numbers, x, a, None if bias is None else numbers_of(here, bias), here.name)


def matmul(here: Here, x: Any, y: Any) -> Ids:
    """With a constant matrix on either side, of two dimensions."""
    if plain(x):
        a = numbers_of(here, x)
        if y.ndim != 2 or a.ndim != 2:
            refuse(here, f"a product of shapes {a.shape} and {y.shape}")
        return op.linear(here.numbers, y.T, a, None, here.name).T
    a = numbers_of(here, y)
    if a.ndim != 2:
        refuse(here, f"a product of shapes {x.shape} and {a.shape}")
    return op.linear(here.numbers, x, a.T, None, here.name)


def convolution(here: Here, x: Ids, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                groups: int = 1) -> Ids:
    """Of one or two dimensions."""
    w = numbers_of(here, weight)
    n = w.ndim - 2
    if x.ndim != n + 2:
        raise ValueError(f"{called(here.name)} is given shape {x.shape[1:]}, expected {n + 1} dimensions: check input_shape")
    spread, reach = _each(dilation, n), [d * (k - 1) for d, k in zip(_each(dilation, n), w.shape[2:], strict=True)]
    pads = [(r // 2, r - r // 2) for r in reach] if padding == "same" else \
        [(0, 0)] * n if padding == "valid" else [(p, p) for p in _each(padding, n)]
    return op.convolution(here.numbers, x, w, None if bias is None else numbers_of(here, bias), here.name,
                          stride=_each(stride, n), padding=pads, dilation=spread, groups=groups)


def max_pool(here: Here, x: Ids, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False, return_indices: bool = False) -> Ids:
    """The spatial dimensions are all after the first two."""
    if return_indices:
        refuse(here, "a max pool that returns indices")
    seen = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    return op.largest(here.numbers, seen, here.name)[None]


def average_pool(here: Here, x: Ids, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True, divisor_override: int | None = None) -> Ids:
    """With padding as zeros, or left out."""
    if ceil_mode:
        refuse(here, "an average pool with ceil_mode")
    seen = _windows(x, kernel_size, stride, padding, 1, False)
    divisor = divisor_override or (seen.shape[-1] if count_include_pad else None)
    return op.average(here.numbers, seen, here.name, divisor)[None]


def _windows(x: Ids, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Ids:
    n = x.ndim - 2
    kernel, spread, begin = _each(kernel_size, n), _each(dilation, n), _each(padding, n)
    steps = kernel if stride is None or (isinstance(stride, tuple | list) and not stride) else _each(stride, n)
    pads = []
    for length, k, s, d, p in zip(x.shape[2:], kernel, steps, spread, begin, strict=True):
        left = (length + 2 * p - d * (k - 1) - 1) % s if ceil_mode else 0
        more = s - left if left else 0
        last = (length + 2 * p - d * (k - 1) - 1 + more) // s * s  # where the last window would begin
        pads.append((p, p + (more if last < length + p else 0)))
    return op.windows(x[0], kernel, steps, pads, spread)


def adaptive_average(here: Here, x: Ids, output_size: Any) -> Ids:
    """Windows of nearly equal size."""
    return _adaptive(here, x, output_size, op.average)


def adaptive_max(here: Here, x: Ids, output_size: Any, return_indices: bool = False) -> Ids:
    """Windows of nearly equal size."""
    if return_indices:
        refuse(here, "a max pool that returns indices")
    return _adaptive(here, x, output_size, op.largest)


def _adaptive(here: Here, x: Ids, output_size: Any, pool: Callable[..., Ids]) -> Ids:
    sizes = [given or n for given, n in zip(_each(output_size, x.ndim - 2), x.shape[2:], strict=True)]
    out = np.zeros((x.shape[1], *sizes), np.int64)
    for place, seen in op.adaptive_windows(x[0], sizes):
        out[(slice(None), *place)] = pool(here.numbers, seen, here.name)
    return out[None]


def dropout(here: Here, x: Ids, p: float = 0.5, training: bool = True, inplace: bool = False) -> Ids:
    """Nothing, in eval mode."""
    if training and p != 0:
        raise ValueError(f"{called(here.name)} is Dropout in training mode, a random function: call module.eval() first")
    return x


def mean(here: Here, x: Ids, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.average)


def total(here: Here, x: Ids, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.total)


def amax(here: Here, x: Ids, dim: Any = None, keepdim: bool = False) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.largest)


def amin(here: Here, x: Ids, dim: Any = None, keepdim: bool = False) -> Ids:
    """Over some axes, or all."""
    below = op.combination(here.numbers, [(x, -1.0)], 0.0, here.name)
    return op.combination(here.numbers, [(_reduced(here, below, dim, keepdim, op.largest), -1.0)], 0.0, here.name)


def _extreme(pair: Callable[..., Ids], along: Callable[..., Ids]) -> Callable[..., Any]:
    """torch.max and torch.min: of two tensors, along an axis (with indices, which are refused if used), or of all."""

    def apply(here: Here, x: Any, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
        second = dim if other is None else other
        if isinstance(second, np.ndarray | torch.Tensor) or plain(x):
            return pair(here, x, second)
        return along(here, x) if dim is None else (along(here, x, dim, keepdim), None)

    return apply


def _reduced(here: Here, x: Ids, dim: Any, keepdim: bool, reduce: Callable[..., Ids]) -> Ids:
    axes = tuple(range(x.ndim)) if dim is None else _axes(dim)
    found = np.asarray(reduce(here.numbers, op.along(x, axes), here.name))
    return np.expand_dims(found, tuple(axis % x.ndim for axis in axes)) if keepdim else found


def _axes(dim: Any) -> tuple[int, ...]:
    return (int(dim),) if isinstance(dim, int) else tuple(map(int, dim))


def flatten(here: Here, x: Ids, start_dim: int = 0, end_dim: int = -1) -> Ids:
    """A view where numpy makes one."""
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1:])


def pad(here: Here, x: Ids, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Ids:
    """With a constant."""
    if mode != "constant":
        refuse(here, f"padding with mode {mode!r}")
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    inner = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))]
    filler = int(op.constant(here.numbers, value or 0.0, here.name))
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
    axes = range(x.ndim) if dim is None else [axis % x.ndim for axis in _axes(dim)]
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
    found = x[index] if isinstance(x, tuple | list) else np.asarray(x[_index(index)])
    if found is None:
        refuse(here, "the position of a maximum")
    return found


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return numpy_of(index, "an index") if isinstance(index, torch.Tensor) else index


def attribute(here: Here, x: Ids, name: str) -> Any:
    """What can be asked of a tensor."""
    known = {"shape": torch.Size(x.shape), "ndim": x.ndim, "T": x.T, "mT": np.swapaxes(x, -1, -2) if x.ndim > 1 else x,
             "dtype": torch.float64, "device": torch.device("cpu"), "is_cuda": False, "requires_grad": False}
    if name not in known:
        refuse(here, f".{name}")
    return known[name]


def size(here: Here, x: Ids, dim: int | None = None) -> Any:
    """Of all axes, or of one."""
    return torch.Size(x.shape) if dim is None else x.shape[dim]


def cast(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """To a device, or to a format that holds all numbers of the module."""
    for wanted in (*args, *kwargs.values()):
        if isinstance(wanted, torch.dtype) and wanted != torch.float64:
            if wanted != torch.float32 or not here.single:
                refuse(here, f"a cast to {wanted}")
            here.cast = True
    return x


def _single(here: Here, x: Ids) -> Ids:
    return cast(here, x, torch.float32)


def same(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    """The tensor itself."""
    return x


def _copy(here: Here, x: Ids, *args: Any, **kwargs: Any) -> Ids:
    return x.copy()


def _written(x: Ids, found: Ids, inplace: bool) -> Ids:
    if inplace:
        x[...] = found
        return x
    return found


def _in_place(rule: Callable[..., Ids]) -> Callable[..., Ids]:
    def apply(here: Here, x: Any, *args: Any, **kwargs: Any) -> Ids:
        if plain(x):
            refuse(here, "a change of a parameter or a constant in place")
        return _written(x, rule(here, x, *args, **kwargs), True)

    return apply


def _each(value: Any, n: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list | torch.Size) else (value,) * n


Rule = Callable[..., Any]
max_of, min_of = _extreme(maximum, amax), _extreme(minimum, amin)
BOTH: dict[str, Rule] = {  # names that are functions of torch and methods of tensors
    "relu": relu, "abs": absolute, "absolute": absolute, "clamp": clamp, "clip": clamp, "maximum": maximum,
    "minimum": minimum, "max": max_of, "min": min_of, "amax": amax, "amin": amin, "mean": mean, "sum": total, "add": add,
    "sub": subtract, "subtract": subtract, "mul": multiply, "multiply": multiply, "div": divide, "divide": divide,
    "true_divide": divide, "matmul": matmul, "mm": matmul, "flatten": flatten, "reshape": reshape, "permute": permute,
    "transpose": lambda here, x, dim0, dim1: np.swapaxes(x, dim0, dim1), "swapaxes": lambda here, x, a, b:
    np.swapaxes(x, a, b), "t": lambda here, x: x.T, "squeeze": squeeze, "unsqueeze": unsqueeze, "chunk": chunk,
    "split": split, "unbind": unbind, "clone": _copy, "prelu": prelu, "narrow": lambda here, x, dim, start, length:
    np.moveaxis(np.moveaxis(x, dim, 0)[start:start + length], 0, dim), "select": lambda here, x, dim, index:
    np.moveaxis(x, dim, 0)[index], "neg": lambda here, x: multiply(here, x, -1.0), "negative": lambda here, x:
    multiply(here, x, -1.0), "clamp_min": lambda here, x, min: clamp(here, x, min), "clamp_max": lambda here, x, max:
    clamp(here, x, None, max), "detach": same,
}
METHODS: dict[Any, Rule] = BOTH | {
    "view": reshape, "contiguous": lambda here, x, *a, **k: np.ascontiguousarray(x), "expand": expand, "size": size,
    "expand_as": lambda here, x, other: np.broadcast_to(x, other.shape), "view_as": lambda here, x, other:
    x.reshape(other.shape), "dim": lambda here, x: x.ndim, "numel": lambda here, x: x.size, "to": cast, "double": same,
    "float": _single, "cpu": same, "cuda": same, "type_as": same, "reshape_as": lambda here, x, other:
    x.reshape(other.shape), "unflatten": lambda here, x, dim, sizes: x.reshape(*x.shape[:dim % x.ndim], *sizes,
                                                                               *x.shape[dim % x.ndim + 1:]),
    **{f"{name}_": _in_place(BOTH[name]) for name in ("relu", "abs", "clamp", "clip", "add", "sub", "mul", "div", "neg",
                                                      "clamp_min", "clamp_max", "subtract", "multiply", "divide")},
}
FUNCTIONS: dict[Any, Rule] = {getattr(torch, name): rule for name, rule in BOTH.items() if hasattr(torch, name)} | {
    F.relu: relu, F.relu_: _in_place(relu), torch.relu_: _in_place(relu), F.leaky_relu: leaky_relu, F.prelu: prelu,
    F.relu6: lambda here, x, inplace=False: hardtanh(here, x, 0.0, 6.0, inplace), F.hardtanh: hardtanh,
    F.linear: linear, F.conv1d: convolution, F.conv2d: convolution, F.max_pool1d: max_pool, F.max_pool2d: max_pool,
    torch.max_pool1d: max_pool, torch.max_pool2d: max_pool, F.avg_pool1d: average_pool, F.avg_pool2d: average_pool,
    torch.conv1d: convolution, torch.conv2d: convolution, torch.avg_pool1d: average_pool,
    F.adaptive_avg_pool1d: adaptive_average, F.adaptive_avg_pool2d: adaptive_average, F.adaptive_max_pool1d: adaptive_max,
    F.adaptive_max_pool2d: adaptive_max, torch.adaptive_avg_pool1d: adaptive_average, F.dropout: dropout, F.pad: pad,
    torch.cat: concatenated, torch.concat: concatenated, torch.concatenate: concatenated, torch.stack: stacked,
    torch.nn.functional.pad: pad, operator.add: add, operator.sub: subtract, operator.mul: multiply,
    operator.truediv: divide, operator.neg: BOTH["neg"], operator.matmul: matmul, operator.iadd: _in_place(add),
    operator.isub: _in_place(subtract), operator.imul: _in_place(multiply), operator.itruediv: _in_place(divide),
    operator.abs: absolute, abs: absolute, operator.getitem: getitem, getattr: attribute,
}
