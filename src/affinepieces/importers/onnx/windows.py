"""The operators of ONNX that look through windows: convolutions and pooling, in opsets 7 to 21."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.onnx.calls import Call
from affinepieces.importers.onnx.operators import Operator

LARGEST = 2**28  # numbers that all windows of a layer see together


@dataclass(frozen=True)
class _Geometry:
    """Of windows.  beyond: places after the padding that only rounding up (ceil_mode) reaches, along each axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    beyond: tuple[int, ...]

    @property
    def reach(self) -> list[int]:
        """How many places a window spans."""
        return [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True)]


def _geometry(call: Call, sizes: Sequence[int], kernel: Sequence[int]) -> _Geometry:
    n = len(sizes)
    stride, dilation = (_positive(call, key, n) for key in ("strides", "dilations"))
    kernel = tuple(int(k) for k in kernel)
    if len(kernel) != n or min(kernel, default=1) < 1:
        raise ValueError(f"its kernel has shape {kernel}, expected {n} positive numbers")
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    auto = _text(call.attributes.get("auto_pad", "NOTSET"))
    if auto == "NOTSET":
        pads = [int(p) for p in call.attributes.get("pads", [0] * 2 * n)]
        if len(pads) != 2 * n or min(pads, default=0) < 0:
            raise ValueError(f"its pads are {pads}, expected {2 * n} numbers from 0 on")
    elif auto == "VALID":
        pads = [0] * 2 * n
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        added = [max((-(-size // s) - 1) * s + r - size, 0) for size, s, r in zip(sizes, stride, reach, strict=True)]
        small, large = [a // 2 for a in added], [a - a // 2 for a in added]
        pads = small + large if auto == "SAME_UPPER" else large + small
    else:
        raise ValueError(f"its auto_pad is {auto!r}, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    beyond = [0] * n
    if call.attributes.get("ceil_mode", 0) and auto == "NOTSET":
        beyond = [_beyond(*each) for each in zip(sizes, stride, reach, pads[:n], pads[n:], strict=True)]
    windows = prod((size + before + after + more - r) // s + 1 for size, before, after, more, r, s
                   in zip(sizes, pads[:n], pads[n:], beyond, reach, stride, strict=True))
    if windows * prod(kernel) > LARGEST or max(pads, default=0) > LARGEST:
        raise ValueError(f"its windows see {windows * prod(kernel)} numbers, expected {LARGEST} at most")
    return _Geometry(kernel, stride, tuple(zip(pads[:n], pads[n:], strict=True)), dilation, tuple(beyond))


def _positive(call: Call, key: str, n: int) -> tuple[int, ...]:
    found = tuple(int(s) for s in call.attributes.get(key, [1] * n))
    if len(found) != n or min(found, default=1) < 1:
        raise ValueError(f"its {key} are {list(found)}, expected {n} positive numbers")
    return found


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _beyond(size: int, stride: int, reach: int, before: int, after: int) -> int:
    """A last window that does not fit counts, unless it begins in the padding at the end."""
    steps = -(-(size + before + after - reach) // stride)
    if steps * stride >= size + before:
        steps -= 1
    return max(steps * stride + reach - size - before - after, 0)


def _conv(call: Call) -> list[Ids]:
    x, weight = call.ids(), call.floats(1, "its weight")
    groups = int(call.attributes.get("group", 1))
    if x.ndim < 3 or weight.ndim != x.ndim or groups < 1 or weight.shape[0] % groups \
            or x.shape[1] != groups * weight.shape[1]:
        raise ValueError(f"its input has shape {x.shape}, its weight {weight.shape}, in {groups} groups: expected "
                         "(N, C, ...) and (D, C / groups, ...)")
    kernel = tuple(call.attributes.get("kernel_shape", weight.shape[2:]))
    if kernel != weight.shape[2:]:
        raise ValueError(f"its kernel_shape is {kernel}, expected that of its weight, {weight.shape[2:]}")
    shape = _geometry(call, x.shape[2:], kernel)
    bias = call.floats(2, "its bias") if call.has(2) else None
    return [np.concatenate([op.convolution(call.numbers, sample[None], weight, bias, call.name, stride=shape.stride,
                                           padding=shape.padding, dilation=shape.dilation, groups=groups)
                            for sample in x])]


def _seen(call: Call) -> tuple[_Geometry, Ids]:
    """What the windows of pooling see, (N C, *O, K)."""
    x = call.ids()
    if x.ndim < 3:
        raise ValueError(f"its input has shape {x.shape}, expected (N, C, ...)")
    shape = _geometry(call, x.shape[2:], call.attributes["kernel_shape"])
    padding = [(a, b + c) for (a, b), c in zip(shape.padding, shape.beyond, strict=True)]
    seen = op.windows(x.reshape(-1, *x.shape[2:]), shape.kernel, shape.stride, padding, shape.dilation)
    return shape, seen


def _full(seen: Ids) -> Ids:
    if (seen == op.OUTSIDE).all(axis=-1).any():
        raise ValueError("it has a window that sees padding alone, which has no value: take less padding")
    return seen


def _max_pool(call: Call) -> list[Ids]:
    call.only_first_output("Indices")
    _, seen = _seen(call)
    return [op.largest(call.numbers, _full(seen), call.name).reshape(*call.ids().shape[:2], *seen.shape[1:-1])]


def _average_pool(call: Call) -> list[Ids]:
    shape, seen = _seen(call)
    divisor = None
    if call.attributes.get("count_include_pad", 0):
        places = np.pad(np.zeros((1, *call.ids().shape[2:]), np.int64), [(0, 0), *shape.padding])
        within = op.windows(places, shape.kernel, shape.stride, [(0, c) for c in shape.beyond], shape.dilation)
        divisor = (within != op.OUTSIDE).sum(axis=-1)
    else:
        _full(seen)
    found = op.average(call.numbers, seen, call.name, divisor)
    return [found.reshape(*call.ids().shape[:2], *seen.shape[1:-1])]


def _global_average_pool(call: Call) -> list[Ids]:
    x = call.ids()
    return [op.average(call.numbers, x.reshape(*x.shape[:2], -1), call.name).reshape(*x.shape[:2], *[1] * (x.ndim - 2))]


def _global_max_pool(call: Call) -> list[Ids]:
    x = call.ids()
    return [op.largest(call.numbers, x.reshape(*x.shape[:2], -1), call.name).reshape(*x.shape[:2], *[1] * (x.ndim - 2))]


WINDOWS: dict[str, Operator] = {
    "Conv": _conv, "MaxPool": _max_pool, "AveragePool": _average_pool, "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool}
