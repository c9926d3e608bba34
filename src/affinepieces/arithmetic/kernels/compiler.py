"""What kernels are written with: the compiler's settings, and three machine instructions that Python cannot name."""
from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from affinepieces.compiled import inline, jit, jit_with

__all__ = ["bits", "fma", "from_bits", "inline", "jit", "jit_with"]


@intrinsic
def _fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    signature = types.float64(types.float64, types.float64, types.float64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return signature, codegen


@intrinsic
def _bits(typingctx: Any, x: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), codegen


@intrinsic
def _float(typingctx: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), codegen


fma: Any = _fma  # fma(a, b, c): a * b + c with a single rounding
bits: Any = _bits  # the 64 bits of a float64, as an integer
from_bits: Any = _float  # the float64 with these 64 bits
