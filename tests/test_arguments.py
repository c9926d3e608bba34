"""Wrong arguments: each row an error that helps, and a sweep of wrong kinds through every public call."""
import inspect
import re
import tempfile
import traceback
from dataclasses import fields
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnx
import pytest
import torch
from flint import fmpz_mat
from torch import nn

import affinepieces as ap
from affinepieces import arguments
from affinepieces import constructions as c
from affinepieces.descent import gradients as descent
from affinepieces.theory.assumptions import check_updates
from onnx_models import single

NET, UNIT = c.sawtooth(2), ap.Segment(0, 1)
X = np.array([[0.0], [0.25], [1.0]])
RNG = np.random.default_rng(0)
MODULE = NET.to_torch()
FOLDER = tempfile.TemporaryDirectory()  # of models in files, until this process ends
FILES = Path(FOLDER.name)
onnx.save(single("Relu", [1, 2]), FILES / "relu.onnx")
(FILES / "line.nnet").write_text("1,1,1,1,\n1,1,\n0,\n0,\n1,\n0,0,\n1,1,\n2,\n0,\n")
UPDATE = ap.exact_update(NET, X, X, 0.125)
TOOTH = ap.trace(NET, UNIT)
TRIANGLE = ap.Polygon([[0, 0], [1, 0], [0, 1]])
TENT = ap.trace(ap.ReLUNetwork([[[2.0, 2.0]], [[1.0]]], [[-1.0], [0.0]]), TRIANGLE)


def draw(n):
    return plt.figure()


@cache
def found(machine, net=NET, points=3):
    return ap.gradients(net, X[:points], X[:points], machine)


ROWS = [
    (lambda: ap.round_to(1.0, "bfloat16"), "fmt is 'bfloat16', expected a Format: write affinepieces.BFLOAT16"),
    (lambda: ap.round_to(1.0, torch.bfloat16), "fmt is torch.bfloat16, expected a Format: write affinepieces.BFLOAT16"),
    (lambda: ap.round_to(1.0, np.float16), "expected a Format: write affinepieces.FLOAT16"),
    (lambda: ap.round_to(1.0, np.dtype(np.float32)), "expected a Format: write affinepieces.FLOAT32"),
    (lambda: ap.round_to(1.0, torch.float8_e5m2), "expected a Format: write affinepieces.E5M2"),
    (lambda: ap.round_to(1.0, 16), "fmt is 16, expected a Format: write affinepieces.BFLOAT16, for example"),
    (lambda: ap.round_network(NET, "bf16"), "fmt is 'bf16', expected a Format: write affinepieces.BFLOAT16"),
    (lambda: ap.gradient_error_bound(NET, X, X, "bf16"), "fmt is 'bf16', .* write affinepieces.BFLOAT16"),
    (lambda: ap.Rounded("half"), "format is 'half', expected a Format: write affinepieces.FLOAT16"),
    (lambda: ap.dot([1.0], [1.0], ap.FLOAT16, order="pairwise"),
     "order is 'pairwise', expected Order.SEQUENTIAL or Order.PAIRWISE"),
    (lambda: ap.Format("odd", 5, -14, 15, overflow="saturate"),
     "overflow is 'saturate', expected Overflow.INFINITY, Overflow.SATURATE or Overflow.NAN"),
    (lambda: ap.round_fraction(0.3, ap.FLOAT16),
     r"x is 0.3, expected a Fraction: write Fraction\(0.3\) for this float, Fraction\('0.3'\) for the decimal number"),
    (lambda: ap.Native(torch.bfloat16), r"dtype is torch.bfloat16, .*: for other formats write Rounded\(format\)"),
    (lambda: ap.Native(None), "dtype is None, expected float16, float32 or float64"),
    (lambda: ap.gradients(NET, X, X, ap.Native), r"machine is <class .*Native'>, expected .*: write Native\(\)"),
    (lambda: ap.Run(NET, X, X, 0.1, 5, ap.Native), r"machine is <class .*Native'>, expected .*: write Native\(\)"),
    (lambda: ap.step(NET, X, X, "0.1", ap.Exact()), "learning_rate is '0.1', expected a finite number > 0"),
    (lambda: ap.step(NET, X, X, True, ap.Exact()), "learning_rate is True, expected a finite number > 0"),
    (lambda: ap.Run(NET, X, X, True, 5, ap.Native()), "learning_rate is True"),
    (lambda: ap.Run(NET, X, X, 0.1, 5, ap.Native(), record=5),
     "record is 5, expected a sequence of integers, the steps to record"),
    (lambda: ap.Run(NET, X, X, 0.1, 5, ap.Native(), record=[True]),
     r"record\[0\] is True, expected an integer from 0 to 5"),
    (lambda: ap.train([ap.Run(NET, X, X, 0.1, 5, ap.Native())]),
     "run is .*, expected a Run: for many runs use train_many"),
    (lambda: ap.train(None), "run is None, expected a Run"),
    (lambda: ap.train_many(ap.Run(NET, X, X, 0.1, 5, ap.Native())), r"runs is Run\(.*, expected a sequence of runs"),
    (lambda: ap.data_driven_bound(NET, UNIT, UPDATE, 0.5), r"nets is ReLUNetwork.*, expected a sequence of networks"),
    (lambda: ap.data_driven_bound(MODULE, UNIT, UPDATE, 0.5),
     "nets is of type Sequential, expected a sequence of networks"),
    (lambda: ap.data_driven_bound([NET], UPDATE, UNIT, 0.5), r"segment is Parameters.*, expected a Segment: make one"),
    (lambda: ap.data_driven_bound([NET], UNIT, NET, 0.5), r"updates is ReLUNetwork.*, expected a sequence of arrays"),
    (lambda: ap.data_driven_bound([NET], UNIT, 0.5, UPDATE), "delta is Parameters.*, expected a finite number >= 0"),
    (lambda: ap.mean_reciprocal(0.5),
     "updates is 0.5, expected a sequence of arrays, one for each hidden layer, or Param"),
    (lambda: ap.max_slope(UNIT, NET), r"net is Segment\(0.0, 1.0\), expected a ReLUNetwork or a torch module"),
    (lambda: ap.max_slope(NET, (0, 1)), r"segment is \(0, 1\), expected a Segment: make one with"),
    (lambda: ap.max_slope(NET, TRIANGLE), r"segment is Polygon\(.*, expected a Segment: make one with"),
    (lambda: ap.trace(NET, [0, 1]), r"domain is \[0, 1\], expected a Segment or a Polygon: make one with"),
    (lambda: ap.count_many(NET, [UNIT, TRIANGLE]),
     r"segments\[1\] is Polygon\(.*, expected a Segment: .* on each polygon call count_regions or count_pieces"),
    (lambda: ap.Polygon(TRIANGLE.corners, "xy"), "plane is a str, expected a Plane: make one with"),
    (lambda: ap.perturbed_network(NET, UPDATE, 0.1, 0),
     r"rng is 0, expected a Generator: write numpy.random.default_rng\(0\)"),
    (lambda: ap.perturbed_network(NET, UPDATE.biases, 0.1, RNG),
     "update is .*, expected a Parameters: compute it with exact"),
    (lambda: c.he_random([1, 2, 1], 7), r"rng is 7, expected a Generator: write numpy.random.default_rng\(7\)"),
    (lambda: c.perturb_biases(NET, 0.1, 0), r"rng is 0, expected a Generator: write numpy.random.default_rng\(0\)"),
    (lambda: c.he_random([1, 2, 1], RNG, dtype="bfloat16"), "dtype is 'bfloat16', .*round_network"),
    (lambda: c.he_random([1, 2.0, 1], RNG), r"widths\[1\] is 2.0, expected an integer >= 1"),
    (lambda: c.he_random("121", RNG), "widths is '121', expected a sequence of layer widths"),
    (lambda: c.square(1.5), "n is 1.5, expected an integer"),
    (lambda: c.rescale(NET, 2.0), "factors is 2.0, expected a sequence of powers of two"),
    (lambda: ap.crossings_bound(NET, 1.0),
     r"h is ReLUNetwork.*, expected a PiecewiseAffine: trace the network on a segment"),
    (lambda: ap.sup_error_to_square(NET), "function is ReLUNetwork.*, expected a PiecewiseAffine: trace the network"),
    (lambda: ap.count_crossings(TOOTH, ["a"]), r"levels\[0\] is 'a', expected a number"),
    (lambda: ap.expected_crossings_of(TOOTH, lambda b: ["a"]), "cdf returned <U1 entries"),
    (lambda: ap.polynomial_bound(1, 1, 2.5, 3, 1, 1), "hidden_layers is 2.5, expected an integer >= 0"),
    (lambda: ap.explore(lambda n: None, n=[1, 2], alt="x"),
     "what draw returned is None, expected a Figure: end it with: return figure"),
    (lambda: ap.explore("draw", n=[1, 2], alt="x"),
     "draw is 'draw', expected a function that returns a matplotlib Figure"),
    (lambda: ap.explore(draw, n=5, alt="x"), "n is 5, expected a sequence of values of this control"),
    (lambda: ap.explore(draw, n=[1, 2], alt=3), "alt is 3, expected a str: say what the figure shows"),
    (lambda: ap.explore(draw, n=[1, 2], alt="x", labels="n"),
     "labels is 'n', expected a mapping from controls to names"),
    (lambda: ap.relative_error(NET, found(ap.Exact())), "computed is ReLUNetwork.*, expected a Gradients"),
    (lambda: ap.relative_error(ap.step(NET, X, X, 1, ap.Native()), found(ap.Exact())), "write computed.gradients"),
    (lambda: ap.Gradients(found(ap.Native()).weights, [[1.0]], 0.0, ()), r"biases\[0\] is \[1.0\], expected a ndarray"),
    (lambda: ap.Step(UPDATE.weights, UPDATE.biases, None), "gradients is None, expected a Gradients"),
    (lambda: ap.ExactArray([[1]], 1, (1, 1)), r"numerators is \[\[1\]\], expected a fmpz_mat"),
    (lambda: ap.Stochastic(True), "seed is True, expected an integer >= 0"),
    (lambda: ap.wide("a lot"), "t is 'a lot', expected an integer from 2 to 53"),
]
WRONG_VALUES = [
    (lambda: ap.mean_reciprocal(np.ones(3)),
     r"updates\[0\] has shape \(\), expected \(N_1,\): give one array for each"),
    (lambda: c.he_random([1, 2, 1], RNG, bias_std=-1), "bias_std is -1, expected a finite number >= 0"),
    (lambda: ap.data_driven_bound([], UNIT, UPDATE, 0.5), "nets is empty, expected at least one network"),
    (lambda: ap.data_driven_bound([NET], UNIT, UPDATE.biases, 0.5),
     r"expected \[\(2,\), \(2,\)\]: .*without the output layer"),
    (lambda: ap.relative_error(found(ap.Native()), found(ap.Native())),
     r"exact is Gradients.*, not from rational arithmetic: compute it with gradients\(net, x, y, Exact\(\)\)"),
    (lambda: ap.flips(found(ap.Exact()), found(ap.Native())),
     "exact is .*, not from rational arithmetic: swap the argum"),
    (lambda: ap.relative_error(found(ap.Native()), found(ap.Exact(), c.hat())), "give gradients at one network"),
    (lambda: ap.flips(found(ap.Native()), found(ap.Exact(), points=2)),
     "give gradients at one network and the same points"),
    (lambda: ap.Gradients([np.ones((1, 1))], [np.ones(2)], 0.0, ()), "weights have .1. rows and biases .2. entries"),
    (lambda: ap.Parameters([np.ones(1)], [np.ones(1)]), r"weights\[0\] has shape \(1,\), expected \(N_j, N_{j-1}\)"),
    (lambda: ap.Parameters([], []), "for one layer at least"),
    (lambda: ap.add([1.0, 2.0], [1.0, 2.0, 3.0], ap.FLOAT16), r"a has shape \(2,\) and b has shape \(3,\), expected"),
    (lambda: ap.ExactArray(fmpz_mat(1, 2, [1, 2]), 1, (1,)),
     r"shape is \(1,\), but the numerators have 1 rows and 2 col"),
    (lambda: ap.step(NET, X, X, 10**400, ap.Exact()), "learning_rate is of type int, expected a finite number > 0"),
    (lambda: ap.expected_crossings(TOOTH, Fraction(1, 10**400)),
     "width, as a float, is 0.0, expected a finite number > 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), [
    *((call, TypeError, message) for call, message in ROWS),
    *((call, ValueError, message) for call, message in WRONG_VALUES)], ids=lambda v: v if isinstance(v, str) else "")
def test_a_helpful_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


GRADIENTS = dict(zip(("weights", "biases", "loss", "active"), ([np.ones((1, 1))], [np.ones(1)], 0.0, ()), strict=True))
PROBLEM = {"net": NET, "x": X, "y": X}
ON, IN = {"net": NET, "segment": UNIT}, {"net": NET, "domain": UNIT}
PAIR = {"a": [[1.0]], "b": [[1.0]], "fmt": ap.FLOAT16, "rounding": ap.Stochastic(1)}
DRAWS = {"nets": [NET], "segment": UNIT, "updates": UPDATE, "delta": 0.5}
RUN = PROBLEM | {"learning_rate": 0.1, "steps": 2, "machine": ap.Native(), "record": [1], "seed": 1,
                 "first": 0, "noise": ap.Perturbed(0.5), "optimiser": ap.Momentum(), "loss": ap.Loss.SQUARED_ERROR,
                 "batch": 1, "scaling": None, "state": None}
RUN["start"] = RUN.pop("net")
GOOD = {  # every public callable with arguments that are right
    ap.Exact: {}, ap.Native: {"dtype": "float32"}, ap.Perturbed: {"delta": 0.5},
    ap.ExactArray: {"numerators": fmpz_mat(1, 1, [1]), "denominator": 2, "shape": (1,)},
    ap.Format: {"name": "odd", "precision": 5, "emin": -3, "emax": 3, "subnormals": True,
                "overflow": ap.Overflow.NAN, "largest": 8.0},
    ap.Gradients: GRADIENTS,
    ap.History: {"run": ap.Run(**RUN), "steps": np.array([0]), "losses": np.array([0.0]), "networks": [NET],
                 "updates": [[np.zeros(1)]], "state": ap.OptimiserState(), "diverged_at": None},
    ap.Parameters: {"weights": [np.ones((1, 1))], "biases": [np.ones(1)]},
    ap.Rounded: {"format": ap.FLOAT16, "rounding": ap.NEAREST, "grain": ap.Grain.OPERATION,
                 "order": ap.Order.PAIRWISE, "accumulator": ap.FLOAT32},
    ap.Run: RUN,
    ap.Mixed: {"usual": ap.Native(), **{part.value: ap.Exact() for part in ap.Part}},
    ap.UniformNoise: {"width": 0.5}, ap.GradientDescent: {"weight_decay": 0.5, "compensated": True},
    ap.Momentum: {"momentum": 0.5, "nesterov": True, "weight_decay": 0.5, "compensated": True},
    ap.Adam: {"beta1": 0.5, "beta2": 0.5, "epsilon": 0.5, "weight_decay": 0.5, "compensated": True},
    ap.AdamW: {"beta1": 0.5, "beta2": 0.5, "epsilon": 0.5, "weight_decay": 0.5, "compensated": True},
    ap.OptimiserState: {"updates": 1, "slots": [np.ones(1)], "scale": 2.0, "finite": 1},
    ap.LossScaling: {"scale": 2.0, "dynamic": True, "interval": 5},
    ap.Step: {"weights": [np.ones((1, 1))], "biases": [np.ones(1)], "gradients": ap.Gradients(**GRADIENTS),
              "state": ap.OptimiserState()},
    ap.Stochastic: {"seed": 1, "start": 0, "bits": 4},
    ap.add: PAIR, ap.subtract: PAIR, ap.multiply: PAIR, ap.divide: PAIR,
    ap.matmul: PAIR | {"order": ap.Order.PAIRWISE, "accumulator": ap.FLOAT32},
    ap.dot: PAIR | {"a": [1.0], "b": [1.0], "order": ap.Order.PAIRWISE},
    ap.bit_fields: {"x": 1.0, "fmt": ap.FLOAT16}, ap.wide: {"t": 9},
    ap.fixed_point: {"integer_bits": 3, "fraction_bits": 9},
    ap.round_to: {"x": 1.0, "fmt": ap.FLOAT16, "rounding": ap.NEAREST},
    ap.round_network: {"net": NET, "fmt": ap.FLOAT16, "rounding": ap.NEAREST},
    ap.representable: {"x": 1.0, "fmt": ap.FLOAT16}, ap.round_fraction: {"x": Fraction(1, 3), "fmt": ap.FLOAT16},
    ap.gradients: PROBLEM | {"machine": ap.Exact(), "loss": ap.Loss.SQUARED_ERROR},
    ap.step: PROBLEM | {"learning_rate": 0.1, "machine": ap.Rounded(ap.FLOAT32), "optimiser": ap.Momentum(),
                         "loss": ap.Loss.SQUARED_ERROR, "state": None},
    ap.exact_update: PROBLEM | {"learning_rate": 0.1},
    ap.effective_perturbation: PROBLEM | {"learning_rate": 0.1, "machine": ap.Native()},
    ap.attribute: PROBLEM | {"machine": ap.Rounded(ap.FLOAT32), "learning_rate": 0.1},
    ap.condition_number: PROBLEM | {"terms": ap.Terms.SAMPLES},
    ap.residual_condition: PROBLEM,
    ap.gradient_error_bound: PROBLEM | {"fmt": ap.FLOAT32, "deviations": 3.0},
    ap.perturbed_network: {"net": NET, "update": UPDATE, "delta": 0.5, "rng": RNG},
    ap.relative_error: {"computed": found(ap.Native()), "exact": found(ap.Exact())},
    ap.flips: {"computed": found(ap.Native()), "exact": found(ap.Exact())},
    ap.train: {"run": ap.Run(**RUN)}, ap.train_many: {"runs": [ap.Run(**RUN)], "workers": 1},
    ap.count_crossings: {"h": TOOTH, "levels": [0.5]}, ap.crossings_bound: {"h": TOOTH, "width": 0.5},
    ap.crossings_bound_density: {"h": TOOTH, "density_bound": 0.5},
    ap.expected_crossings: {"h": TOOTH, "width": 0.5, "centre": 0.0},
    ap.expected_crossings_of: {"h": TOOTH, "cdf": partial(np.clip, a_min=0, a_max=1)},
    ap.sup_error_to_square: {"function": TOOTH},
    ap.error_lower_bound: {"curvature": 1, "length": 1, "pieces": 2},
    ap.expected_error_bound: {"curvature": 1, "length": 1, "bound": 2},
    ap.expected_share: {"bound": 2, "pieces": 9},
    ap.maximum_probability: {"bound": 2, "pieces": 9, "steps": 3},
    ap.maximum_probability_given_past: {"bound": 2, "pieces": 9, "steps": 3},
    ap.doublings_bound: {"slope": 1.0, "length": 1.0, "moving": 2, "noise": 0.5},
    ap.residual_lower_bound: {"learning_rate": 0.5, "mean_reciprocal": 2.0, "sensitivity": 1.0},
    ap.rounding_variance: {"update": [0.25], "spacing": 1.0},
    ap.steps_to_wander: {"update": 0.25, "spacing": 1.0, "width": 2.0},
    ap.maintain_probability: {"bound": 2, "pieces": 9, "steps": 3},
    ap.Certificate: {"float64": 1, "double_double": 2, "words": 3, "exact": 4, "notes": (("a level was left", 1),),
                     "net": NET, "domain": UNIT},
    ap.Counts: {"regions": np.array([1]), "pieces": np.array([1])},
    ap.Attribution: {"stages": ["update"], "difference": UPDATE, "forward": [UPDATE], "reverse": [UPDATE]},
    ap.PiecewiseAffine: {"breakpoints": [0.0, 1.0], "values": [[0.0], [1.0]], "kinks": np.zeros(0, np.bool_),
                         "slopes": [[1.0]], "radius": np.zeros(2), "value_radius": np.zeros(2),
                         "slope_radius": np.zeros(1), "certificate": TOOTH.certificate},
    ap.ReLUNetwork: {"weights": [[[1.0]]], "biases": [[0.0]]},
    ap.Chain: {"weights": [[[1.0]]], "biases": [[0.0]], "kinds": [], "names": [["output"]]},
    ap.Segment: {"a": 0, "b": 2, "start": [0.0], "direction": [1.0]},
    ap.from_nnet: {"path": FILES / "line.nnet", "normalise": True},
    ap.from_onnx: {"path": FILES / "relu.onnx", "until": "y", "input_shape": [1, 2]},
    ap.from_state_dict: {"source": {"a.weight": [[1.0]]}, "layers": ["a"]},
    ap.from_torch: {"module": MODULE, "input_shape": [1]},
    ap.Plane: {"origin": [0.0, 0.0], "first": [1.0, 0.0], "second": [0.0, 1.0]},
    ap.Polygon: {"corners": TRIANGLE.corners, "plane": TRIANGLE.plane},
    ap.Subdivision: {field.name: getattr(TENT, field.name) for field in fields(ap.Subdivision)},
    ap.activation_patterns: IN, ap.count_pieces: IN, ap.count_regions: IN, ap.trace: IN | {"exact": True},
    ap.count_many: {"nets": [NET], "segments": [UNIT]}, ap.combinatorial_bound: {"net": NET},
    ap.dead_neurons: ON, ap.max_slope: ON, ap.preactivations: ON, ap.sign_changes: ON, ap.variations: ON,
    ap.mean_reciprocal: {"updates": UPDATE}, ap.nonzero_updates: {"updates": UPDATE},
    ap.revived_neurons: {"before": NET, "after": NET, "segment": UNIT},
    ap.zero_update_crossings: ON | {"updates": UPDATE},
    ap.data_driven_bound: DRAWS, ap.data_driven_terms: DRAWS, ap.depth_budget_bound: DRAWS,
    ap.expected_regions_bound: {"slope": 1, "length": 1, "updates": UPDATE, "delta": 0.5},
    ap.polynomial_bound: {"slope": 1, "length": 1, "hidden_layers": 2, "width": 2, "mean_reciprocal": 1, "delta": 1},
    ap.Watch: {"segment": UNIT, "every": 2},
    ap.Playground: {"preset": "stay"},
    ap.explore: {"draw": draw, "alt": "nothing", "labels": {"n": "number"}, "n": [1, 2]},
    c.hat: {"peak": 0.5}, c.sawtooth: {"n": 2, "peak": 0.5}, c.gentle_sawtooth: {"n": 2, "peak": 0.5},
    c.square: {"n": 2}, c.product: {"n": 2},
    c.rescale: {"net": NET, "factors": [1, 2]}, c.perturb_biases: {"net": NET, "width": 0.5, "rng": RNG},
    c.he_random: {"widths": [1, 2, 1], "rng": RNG, "bias_std": 0.5, "dtype": np.float32},
}
WRONG = [None, "x", object(), ["x"], float("nan"), MODULE, True, -1]


def test_every_public_callable_is_swept():
    names = {"explore", "from_onnx", "from_torch"} | {name for name in ap.__all__ if callable(getattr(ap, name))}
    enumerations = {"Grain", "Kind", "Loss", "Order", "Overflow", "Part", "Replacing", "Terms", "Toward"}
    assert {f.__name__ for f in GOOD if f.__module__ != c.__name__} == names - enumerations
    public = {name for name, f in vars(c).items() if inspect.isfunction(f) and f.__module__ == c.__name__}
    assert {f.__name__ for f in GOOD if f.__module__ == c.__name__} == {n for n in public if n[0] != "_"}


def named_in(message, name, value):
    """Whether an error tells which argument it is about."""
    return ((len(name) > 3 and name in message)
            or re.search(rf"\b{name}\b(\[[^]]*\])*,? (is|are|has|have|hold|\()", message)
            or (repr(value) if not isinstance(value, nn.Module) else "Sequential") in message
            or (isinstance(value, list) and "'x'" in message))


def complaint(call, given):
    """The error of a call, or None."""
    try:
        call(**given)
    except (TypeError, ValueError, OverflowError, FileNotFoundError) as error:
        return error


@pytest.mark.parametrize("call", GOOD, ids=lambda f: f.__name__)
def test_wrong_kinds_never_end_in_a_bare_error(call):
    call(**GOOD[call])
    for name, right in GOOD[call].items():
        for value in WRONG:
            error = complaint(call, GOOD[call] | {name: value})
            if error and not (callable(right) and callable(value)):
                assert named_in(str(error), name, value), f"{name}={value!r}: {error}"
                raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
                assert isinstance(error, FileNotFoundError) or Path(ap.__file__).parent in Path(raised_in).parents
    plt.close("all")


def test_torch_modules_are_networks():
    net = ap.ReLUNetwork.from_torch(MODULE)
    assert arguments.network(MODULE) == net
    assert ap.Run(**RUN | {"start": MODULE}) == ap.Run(**RUN | {"start": net})
    assert ap.step(**GOOD[ap.exact_update] | {"net": MODULE, "machine": ap.Exact()}).weights[0].shape == (2, 1)
    assert ap.max_slope(MODULE, UNIT) == ap.max_slope(net, UNIT)
    update = ap.exact_update(MODULE, X, X, 0.1)
    drawn = [ap.perturbed_network(MODULE, update, 0.1, RNG), MODULE]
    assert ap.data_driven_bound(iter(drawn), UNIT, update, 0.1) == ap.data_driven_bound(
        [drawn[0], net], UNIT, update.biases[:-1], 0.1)
    assert ap.round_network(MODULE, ap.BFLOAT16) == ap.round_network(net, ap.BFLOAT16)


def test_hidden_biases_are_taken_from_all_updates():
    hidden = UPDATE.biases[:-1]
    assert all(map(np.array_equal, check_updates(NET, UPDATE), hidden))
    assert ap.mean_reciprocal(UPDATE) == ap.mean_reciprocal(hidden)
    assert ap.nonzero_updates(UPDATE) == ap.nonzero_updates(hidden)
    assert ap.zero_update_crossings(NET, UNIT, UPDATE) == ap.zero_update_crossings(NET, UNIT, hidden)
    assert ap.expected_regions_bound(1, 1, UPDATE, 0.5) == ap.expected_regions_bound(1, 1, hidden, 0.5)


@pytest.mark.parametrize("kind", [int, float, Fraction, np.float16, np.float32, np.longdouble, np.int8])
def test_numbers_of_all_kinds(kind):
    assert arguments.number(kind(2), "x", above=1e-300) == arguments.number(kind(2), "x", least=2, finite=False) == 2
    with pytest.raises(ValueError, match=r"x is 2.*, expected a finite number >= 3"):
        arguments.number(kind(2), "x", least=3)


def test_dtypes_of_torch_have_the_names_of_numpy():
    assert ap.Native(torch.float32) == ap.Native(np.float32)
    assert c.he_random([1, 2, 1], np.random.default_rng(0), dtype=torch.float16).dtype == np.float16


def test_booleans_are_values_of_a_control(monkeypatch):
    monkeypatch.delenv("AFFINEPIECES_FRAMES", raising=False)
    box = ap.explore(lambda flag: draw(1), flag=[True, False], alt="x")
    assert box.children[0].value is True


@pytest.mark.parametrize("machine", [ap.Native(np.float16), ap.Native(np.float32), ap.Rounded(ap.FLOAT16),
                                     ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR), ap.Rounded(ap.E4M3)], ids=repr)
def test_more_points_than_the_format_counts(machine):
    """70 000 points are more than the largest number of float16: the mean is a mean nevertheless."""
    x = np.zeros((70_000, 1))
    x[:3] = 2.0
    net = ap.ReLUNetwork([[[1.0]]], [[0.0]])
    found = ap.gradients(net, x, np.full_like(x, -4.0) * (x > 0), machine)
    exact = ap.gradients(net, x, np.full_like(x, -4.0) * (x > 0), ap.Exact())
    fmt = machine.format
    entry = 2 * 6.0 / 70_000  # of each of the three points
    assert found.biases[0][0] == pytest.approx(float(exact.biases[0].to_float()[0]),
                                               abs=3 * (fmt.spacing + 4 * entry * fmt.unit_roundoff))
    assert (found.biases[0][0] > 0) == (fmt != ap.E4M3)


def test_too_many_points_for_the_kernels(monkeypatch):
    monkeypatch.setattr(descent, "MOST_POINTS", 2)
    with pytest.raises(ValueError, match=r"x has 3 points, Rounded\(float32\) takes at most 2: give fewer"):
        ap.gradients(NET, X, X, ap.Rounded(ap.FLOAT32))
    assert found(ap.Native()).loss >= 0
