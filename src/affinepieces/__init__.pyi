"""The public names and where they come from: what `__init__.py` loads on first use, and what type checkers read."""
from affinepieces import arithmetic as arithmetic
from affinepieces import constructions
from affinepieces import descent as descent
from affinepieces import pieces as pieces
from affinepieces import theory as theory
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import (
    BFLOAT16,
    E4M3,
    E5M2,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    TF32,
    Format,
    Overflow,
    bit_fields,
    fixed_point,
    wide,
)
from affinepieces.arithmetic.operations import Order, add, divide, dot, matmul, multiply, subtract
from affinepieces.arithmetic.rounding import NEAREST, Stochastic, Toward, representable, round_network, round_to
from affinepieces.arithmetic.truth import round_fraction
from affinepieces.descent.attribution import Attribution, Replacing, attribute
from affinepieces.descent.errors import (
    Terms,
    condition_number,
    effective_perturbation,
    flips,
    relative_error,
    residual_condition,
)
from affinepieces.descent.gradients import gradients, step
from affinepieces.descent.history import History
from affinepieces.descent.machines import Exact, Grain, Mixed, Native, Part, Rounded
from affinepieces.descent.noise import Perturbed, UniformNoise
from affinepieces.descent.optimisers import Adam, AdamW, GradientDescent, Momentum, OptimiserState
from affinepieces.descent.results import Gradients, Step
from affinepieces.descent.runs import Run
from affinepieces.descent.scaling import LossScaling
from affinepieces.descent.specification import Loss
from affinepieces.descent.training import train, train_many
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.importers.nnet import from_nnet as from_nnet
from affinepieces.importers.onnx.model import from_onnx as from_onnx  # not in __all__: it needs an extra
from affinepieces.importers.state_dict import from_state_dict as from_state_dict
from affinepieces.importers.torch.module import from_torch as from_torch  # not in __all__: it needs an extra
from affinepieces.layers import Chain as Chain
from affinepieces.layers import Kind as Kind
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters
from affinepieces.pieces.bounds import combinatorial_bound
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.count import (
    Counts,
    activation_patterns,
    count_many,
    count_pieces,
    count_regions,
    trace,
)
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.plane.polygon import Plane, Polygon
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.segment import Segment
from affinepieces.playground import Playground as Playground
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
from affinepieces.theory.fit import residual_lower_bound
from affinepieces.theory.iteration import (
    expected_error_bound,
    expected_share,
    maintain_probability,
    maximum_probability,
    maximum_probability_given_past,
)
from affinepieces.theory.one_step import (
    data_driven_bound,
    data_driven_terms,
    depth_budget_bound,
    doublings_bound,
    expected_regions_bound,
    polynomial_bound,
)
from affinepieces.theory.wandering import rounding_variance, steps_to_wander
from affinepieces.watch import Watch
from affinepieces.widgets import explore as explore  # not in __all__: it needs an extra

__version__: str

__all__ = [
    "BFLOAT16",
    "E4M3",
    "E5M2",
    "FLOAT16",
    "FLOAT32",
    "FLOAT64",
    "NEAREST",
    "TF32",
    "Adam",
    "AdamW",
    "Attribution",
    "Certificate",
    "Chain",
    "Counts",
    "Exact",
    "ExactArray",
    "Format",
    "GradientDescent",
    "Gradients",
    "Grain",
    "History",
    "Kind",
    "Loss",
    "LossScaling",
    "Mixed",
    "Momentum",
    "Native",
    "OptimiserState",
    "Order",
    "Overflow",
    "Parameters",
    "Part",
    "Perturbed",
    "PiecewiseAffine",
    "Plane",
    "Playground",
    "Polygon",
    "ReLUNetwork",
    "Replacing",
    "Rounded",
    "Run",
    "Segment",
    "Step",
    "Stochastic",
    "Subdivision",
    "Terms",
    "Toward",
    "UniformNoise",
    "Watch",
    "activation_patterns",
    "add",
    "attribute",
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
    "doublings_bound",
    "effective_perturbation",
    "error_lower_bound",
    "exact_update",
    "expected_crossings",
    "expected_crossings_of",
    "expected_error_bound",
    "expected_regions_bound",
    "expected_share",
    "fixed_point",
    "flips",
    "from_nnet",
    "from_state_dict",
    "gradient_error_bound",
    "gradients",
    "maintain_probability",
    "matmul",
    "max_slope",
    "maximum_probability",
    "maximum_probability_given_past",
    "mean_reciprocal",
    "multiply",
    "nonzero_updates",
    "perturbed_network",
    "polynomial_bound",
    "preactivations",
    "relative_error",
    "representable",
    "residual_condition",
    "residual_lower_bound",
    "revived_neurons",
    "round_fraction",
    "round_network",
    "round_to",
    "rounding_variance",
    "sign_changes",
    "step",
    "steps_to_wander",
    "subtract",
    "sup_error_to_square",
    "trace",
    "train",
    "train_many",
    "variations",
    "wide",
    "zero_update_crossings",
]
