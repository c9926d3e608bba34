"""Affine pieces of ReLU networks, counted exactly, and what floating point does to them."""
from affinepieces import constructions
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import (
    BFLOAT16,
    E4M3,
    E5M2,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    Format,
    Overflow,
    bit_fields,
    wide,
)
from affinepieces.arithmetic.operations import Order, add, divide, dot, matmul, multiply, subtract
from affinepieces.arithmetic.rounding import NEAREST, Stochastic, representable, round_network, round_to
from affinepieces.arithmetic.truth import round_fraction
from affinepieces.descent.errors import (
    LayerArrays,
    Terms,
    condition_number,
    effective_perturbation,
    flips,
    relative_error,
)
from affinepieces.descent.gradients import Gradients, Step, gradients, step
from affinepieces.descent.machines import Exact, Grain, Native, Rounded
from affinepieces.descent.runs import History, Run
from affinepieces.descent.training import train, train_many
from affinepieces.descent.updates import Perturbed, exact_update, perturbed_network
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
from affinepieces.theory.assumptions import (
    dead_neurons,
    max_slope,
    mean_reciprocal,
    nonzero_updates,
    preactivations,
    revived_neurons,
    sign_changes,
    variations,
    zero_update_crossings,
)
from affinepieces.theory.backpropagation import gradient_error_bound
from affinepieces.theory.crossings import (
    count_crossings,
    crossings_bound,
    crossings_bound_density,
    expected_crossings,
    expected_crossings_of,
)
from affinepieces.theory.iteration import (
    expected_error_bound,
    expected_share,
    maintain_probability,
    maximum_probability,
)
from affinepieces.theory.one_step import (
    data_driven_bound,
    data_driven_terms,
    depth_budget_bound,
    expected_regions_bound,
    polynomial_bound,
)
from affinepieces.widgets import explore

__all__ = [
    "BFLOAT16",
    "E4M3",
    "E5M2",
    "FLOAT16",
    "FLOAT32",
    "FLOAT64",
    "NEAREST",
    "Certificate",
    "Counts",
    "Exact",
    "ExactArray",
    "Format",
    "Gradients",
    "Grain",
    "History",
    "LayerArrays",
    "Native",
    "Order",
    "Overflow",
    "Perturbed",
    "PiecewiseAffine",
    "ReLUNetwork",
    "Rounded",
    "Run",
    "Segment",
    "Step",
    "Stochastic",
    "Terms",
    "activation_patterns",
    "add",
    "bit_fields",
    "combinatorial_bound",
    "condition_number",
    "constructions",
    "count_crossings",
    "count_many",
    "count_pieces",
    "count_regions",
    "crossings_bound",
    "crossings_bound_density",
    "data_driven_bound",
    "data_driven_terms",
    "dead_neurons",
    "depth_budget_bound",
    "divide",
    "dot",
    "effective_perturbation",
    "error_lower_bound",
    "exact_update",
    "expected_crossings",
    "expected_crossings_of",
    "expected_error_bound",
    "expected_regions_bound",
    "expected_share",
    "explore",
    "flips",
    "gradient_error_bound",
    "gradients",
    "maintain_probability",
    "matmul",
    "max_slope",
    "maximum_probability",
    "mean_reciprocal",
    "multiply",
    "nonzero_updates",
    "perturbed_network",
    "polynomial_bound",
    "preactivations",
    "relative_error",
    "representable",
    "revived_neurons",
    "round_fraction",
    "round_network",
    "round_to",
    "sign_changes",
    "step",
    "subtract",
    "sup_error_to_square",
    "trace",
    "train",
    "train_many",
    "variations",
    "wide",
    "zero_update_crossings",
]
__version__ = "0.1.0"
