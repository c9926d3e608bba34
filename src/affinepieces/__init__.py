"""Affine pieces of ReLU networks, counted exactly, and what floating point does to them."""
from affinepieces import constructions
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.bounds import combinatorial_bound
from affinepieces.pieces.count import (
    Counts,
    activation_patterns,
    count_many,
    count_pieces,
    count_regions,
    trace,
)
from affinepieces.pieces.piecewise import Certificate, PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.theory.approximation import error_lower_bound, sup_error_to_square
from affinepieces.widgets import explore

__all__ = [
    "Certificate",
    "Counts",
    "PiecewiseAffine",
    "ReLUNetwork",
    "Segment",
    "activation_patterns",
    "combinatorial_bound",
    "constructions",
    "count_many",
    "count_pieces",
    "count_regions",
    "error_lower_bound",
    "explore",
    "sup_error_to_square",
    "trace",
]
__version__ = "0.1.0"
