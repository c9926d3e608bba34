"""Scaling of the loss, so that small gradients are not lost in a format of narrow range."""
from __future__ import annotations

from dataclasses import dataclass
from math import frexp

from affinepieces.arguments import instance, integer, number, refuse
from affinepieces.arithmetic.formats import Format
from affinepieces.values import Value

ENOUGH = -126  # exponent of the smallest normal number of a format that needs no scaling


@dataclass(frozen=True, eq=False)
class LossScaling(Value):
    """The gradient is computed times `scale`, and divided by it before the update.

    scale: a power of two >= 1.  dynamic: whether it is halved, and the update left out, where the gradient is not
    finite, and doubled after `interval` finite ones in a row, up to 2^60.
    Source: Micikevicius et al. (2018), Mixed precision training; torch.amp.GradScaler.
    """

    scale: float = 2.0**15
    dynamic: bool = False
    interval: int = 2000

    def __post_init__(self) -> None:
        scale = float(number(self.scale, "scale", least=1))
        if frexp(scale)[0] != 0.5 or scale > 2.0**60:
            raise ValueError(f"scale is {scale}, expected a power of two from 1 to 2**60")
        object.__setattr__(self, "scale", scale)
        instance(self.dynamic, bool, "dynamic")
        object.__setattr__(self, "interval", integer(self.interval, "interval", 1))

    def after(self, scale: float, finite: int, is_finite: bool) -> tuple[float, int]:
        """Scale and number of finite gradients in a row after one more."""
        if not self.dynamic:
            return scale, finite + is_finite
        if not is_finite:
            return max(scale / 2, 1.0), 0
        if finite + 1 < self.interval:
            return scale, finite + 1
        return min(2 * scale, 2.0**60), 0


def scaling_of(value: LossScaling | None, fmt: Format) -> LossScaling | None:
    """The scaling, if the format of the backward pass has a use for it."""
    if value is None:
        return None
    if not isinstance(value, LossScaling):
        remedy = "write LossScaling(scale)" if isinstance(value, int | float) else ""
        refuse("scaling", value, "LossScaling(scale) or None", remedy)
    if fmt.emin <= ENOUGH and fmt.subnormals:
        raise ValueError(f"scaling is {value}, but {fmt}, in which the gradient is computed, reaches down to "
                         f"{fmt.spacing:g}: leave scaling out, or take a narrow format such as FLOAT16")
    return value
