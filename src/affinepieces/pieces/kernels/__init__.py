"""The hot loops of the certified count: one layer of a network along a segment, with rigorous error bounds.

A column is a point T_i of the segment (not quite a breakpoint, but within tau_i of exactly one) with
a vector z_i and a bound e_i.  The invariant, for every t between two neighbouring columns:

    | z(t) - (linear interpolation of the z_i) |  <=  linear interpolation of the e_i      (2-norm)

It survives an affine map (e grows by the norm of the matrix, and by rounding), the insertion of a
column (the location is a convex combination, exactly) and the ReLU (which is 1-Lipschitz, if what is
set to zero is added to e).  A decision is certain if it holds for every function that satisfies the
invariant.  What is not certain goes into `zones`, intervals of t that a more accurate level decides.

In float64 `zlo` is None; in double-double a number is z + zlo, and exact results have e = 0.
"""
from affinepieces.pieces.kernels.affine import affine_double_double, finish_affine, points, scale_rows
from affinepieces.pieces.kernels.common import DOUBT, FLOOR, SAFE
from affinepieces.pieces.kernels.insertion import hidden_layer
from affinepieces.pieces.kernels.slopes import kinks

__all__ = ["DOUBT", "FLOOR", "SAFE", "affine_double_double", "finish_affine", "hidden_layer", "kinks", "points",
           "scale_rows"]
