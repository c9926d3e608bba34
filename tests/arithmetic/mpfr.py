"""MPFR as an independent answer: one operation, correctly rounded, with the range of a format."""
from __future__ import annotations

import gmpy2
import numpy as np

import affinepieces as ap

MODES = {ap.NEAREST: gmpy2.RoundToNearest, ap.Toward.ZERO: gmpy2.RoundToZero, ap.Toward.UP: gmpy2.RoundUp,
         ap.Toward.DOWN: gmpy2.RoundDown}


def context(fmt, rounding=ap.NEAREST):
    """MPFR writes numbers as 0.1... * 2^e, hence the shifts of the exponents."""
    return gmpy2.context(precision=fmt.precision, emax=fmt.emax + 1, emin=fmt.emin - fmt.precision + 2,
                         subnormalize=True, round=MODES[rounding])


def entrywise(operation, fmt, *arrays, rounding=ap.NEAREST):
    """operation: "plus", "add", "mul", "div" of a context."""
    with gmpy2.context(precision=53):
        exact = [[gmpy2.mpfr(float(v)) for v in array] for array in arrays]
    perform = getattr(context(fmt, rounding), operation)
    return np.array([float(perform(*row)) for row in zip(*exact, strict=True)])


def matmul(a, b, fmt, rounding=ap.NEAREST):
    """Products summed from left to right."""
    do = context(fmt, rounding)
    left, right = ([[gmpy2.mpfr(float(v), 53) for v in row] for row in matrix] for matrix in (a, b))
    out = np.empty((len(left), len(right[0])))
    for i, row in enumerate(left):
        for j in range(out.shape[1]):
            total = do.mul(row[0], right[0][j])
            for k in range(1, len(row)):
                total = do.add(total, do.mul(row[k], right[k][j]))
            out[i, j] = float(total)
    return out
