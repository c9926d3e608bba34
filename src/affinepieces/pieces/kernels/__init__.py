"""The hot loops of the certified count: one layer of a network along a segment, with rigorous error bounds.

A column is a point T_i of the segment (not quite a breakpoint, but within tau_i of exactly one) with
a vector z_i and a bound e_i.  The invariant, for every t between two neighbouring columns:

    | z(t) - (linear interpolation of the z_i) |  <=  linear interpolation of the e_i      (2-norm)

It survives an affine map (e grows by the norm of the matrix, and by rounding), the insertion of a
column (the location is a convex combination, exactly) and the ReLU (which is 1-Lipschitz, if what is
set to zero is added to e).  A decision is certain if it holds for every function that satisfies the
invariant.  What is not certain goes into `zones`, intervals of t that a more accurate level decides.

A number has one float64 word, two (double-double) or more (`words`); exact results have e = 0.
"""
from affinepieces.pieces.kernels.affine import (
           affine_double_double,
           affine_words,
           finish_affine,
           has_sharper_norm,
           line_coefficients,
           scale_rows,
           spectral_norm,
)
from affinepieces.pieces.kernels.bulk import count_each, count_prepared
from affinepieces.pieces.kernels.common import DOUBT, FLOOR, ROOT, SAFE
from affinepieces.pieces.kernels.insertion import Activations, Place, ends_of, hidden_layer
from affinepieces.pieces.kernels.slopes import kinks
from affinepieces.pieces.kernels.sparse import finish_sparse, scale_sparse, sparse_words
from affinepieces.pieces.kernels.vanishing import combined, vanishing_dense, vanishing_sparse
from affinepieces.pieces.kernels.words import leading, on_line

__all__ = ["DOUBT", "FLOOR", "ROOT", "SAFE", "Activations", "Place", "affine_double_double", "affine_words", "combined",
           "count_each", "count_prepared", "ends_of", "finish_affine", "finish_sparse", "has_sharper_norm",
           "hidden_layer", "kinks", "leading", "line_coefficients", "on_line", "scale_rows", "scale_sparse",
           "sparse_words", "spectral_norm", "vanishing_dense", "vanishing_sparse"]
