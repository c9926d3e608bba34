"""What looks through windows: convolutions and pooling; the spatial dimensions are all after the first two."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from affinepieces._torch.refusals import called
from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.torch.here import Here, each, numbers_of, refuse


def convolution(here: Here, x: Ids, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                groups: int = 1) -> Ids:
    """Of one or two dimensions."""
    w = numbers_of(here, weight)
    n = w.ndim - 2
    if x.ndim != n + 2:
        raise ValueError(f"{called(here.name)} is given shape {x.shape[1:]}, expected {n + 1} dimensions: check "
                         "input_shape")
    if x.shape[1] != groups * w.shape[1]:
        raise ValueError(f"{called(here.name)} is given {x.shape[1]} channels, expected {groups * w.shape[1]}: check "
                         "input_shape")
    spread, reach = each(dilation, n), [d * (k - 1) for d, k in zip(each(dilation, n), w.shape[2:], strict=True)]
    pads = [(r // 2, r - r // 2) for r in reach] if padding == "same" else \
        [(0, 0)] * n if padding == "valid" else [(p, p) for p in each(padding, n)]
    return op.convolution(here.numbers, x, w, None if bias is None else numbers_of(here, bias), here.name,
                          stride=each(stride, n), padding=pads, dilation=spread, groups=groups)


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
    kernel, spread, begin = each(kernel_size, n), each(dilation, n), each(padding, n)
    steps = kernel if stride is None or (isinstance(stride, tuple | list) and not stride) else each(stride, n)
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
    sizes = [given or n for given, n in zip(each(output_size, x.ndim - 2), x.shape[2:], strict=True)]
    out = np.zeros((x.shape[1], *sizes), np.int64)
    for place, seen in op.adaptive_windows(x[0], sizes):
        out[(slice(None), *place)] = pool(here.numbers, seen, here.name)
    return out[None]
