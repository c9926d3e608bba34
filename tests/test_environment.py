"""Where another library lets the processor flush subnormal numbers, every public call refuses or is right."""
import dataclasses
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import affinepieces as ap
from affinepieces import environment
from affinepieces.pieces import bulk, count
from onnx_models import model_of

TINY = 2.0**-1060
REMEDY = "torch.set_flush_denormal(False)"
# They hold what they are given, and compute nothing with floats.
CONTAINERS = {"Adam", "AdamW", "Attribution", "Certificate", "Chain", "Counts", "Exact", "GradientDescent",
              "Gradients", "Grain", "History", "Kind", "Loss", "LossScaling", "Mixed", "Momentum", "Native",
              "OptimiserState", "Order", "Overflow", "Parameters", "Part", "Perturbed", "Playground", "Replacing",
              "Rounded", "Run", "Step", "Stochastic", "Terms", "Toward", "UniformNoise"}


FOLDER = tempfile.TemporaryDirectory()  # of models in files, until this process ends


def files():
    """Models with subnormal numbers: an ONNX file, a .nnet file, and a torch module."""
    paths = Path(FOLDER.name) / "tiny.onnx", Path(FOLDER.name) / "tiny.nnet"
    node = onnx.helper.make_node("Mul", ["x", "c"], ["y"])
    onnx.save(model_of([node], [1, 1], {"c": np.array([TINY])}, kind=onnx.TensorProto.DOUBLE), paths[0])
    paths[1].write_text(f"1,1,1,1,\n1,1,\n0,\n0,\n1,\n0,{TINY},\n1,1,\n{TINY},\n{TINY},\n")
    linear = torch.nn.Linear(1, 1).double()
    with torch.no_grad():
        linear.weight.fill_(TINY)
    return *paths, linear


def watched(watch, net):
    watch(net)
    return watch.pieces


def calls():
    """name -> a call in which subnormal numbers matter wherever they can."""
    net = ap.ReLUNetwork([[[TINY], [1.0]], [[1.0, 1.0]]], [[-TINY / 4, -0.25], [0.0]])
    segment, x, y = ap.Segment(0, 1), [[0.5], [1.0]], [[0.0], [TINY]]
    function, update = ap.trace(net, segment), ap.exact_update(net, x, y, 0.125)
    rational, hidden = ap.trace(net, segment, exact=True), [np.array([TINY, 0.5])]
    tent = ap.ReLUNetwork([[[1.0, 1.0]], [[TINY]]], [[-TINY], [0.0]])
    triangle = ap.trace(tent, ap.Polygon([[0, 0], [2 * TINY, 0], [0, 1]]))
    run = ap.Run(net, x, y, 0.125, 2, ap.Native())
    exact, native = ap.gradients(net, x, y, ap.Exact()), ap.gradients(net, x, y, ap.Native())
    fmt, rng = ap.wide(52), np.random.default_rng
    onnx_path, nnet_path, linear = files()
    return {
        "ExactArray": lambda: [ap.ExactArray.of([TINY]), exact.weights[0].to_float(), exact.weights[0].ratio(
            exact.weights[0].times(2**1060))],
        "Format": lambda: ap.Format("own", 11, -1022, 1000).parameters,
        "PiecewiseAffine": lambda: [function.slopes, function.total_variation, function([TINY])],
        "Plane": lambda: [ap.Plane([TINY, 0], [TINY, 1], [0, 1]).at([[0.5, TINY]]), ap.Plane.through(
            [TINY, 0], [2 * TINY, 1], [0, 1]).first],
        "Polygon": lambda: [ap.Polygon([[0, 0], [TINY, 0], [0, TINY]]).area, ap.Polygon.square(TINY).corners],
        "Subdivision": lambda: [dataclasses.replace(triangle).areas, triangle.pieces, triangle.maps],
        "ReLUNetwork": lambda: [ap.ReLUNetwork(net.weights, net.biases), net([[0.5]]), net.astype(np.float32)],
        "Segment": lambda: [ap.Segment(TINY, 2 * TINY).length, ap.Segment(0, 1, start=[TINY], direction=[TINY]).at(
            [0.5])],
        "Watch": lambda: watched(ap.Watch(segment), net),
        "activation_patterns": lambda: ap.activation_patterns(net, segment),
        "add": lambda: ap.add([TINY], [TINY], fmt),
        "attribute": lambda: ap.attribute(net, x, y, ap.Rounded(fmt), 0.125).shares(),
        "bit_fields": lambda: ap.bit_fields(TINY, ap.FLOAT64),
        "combinatorial_bound": lambda: ap.combinatorial_bound(net),
        "condition_number": lambda: ap.condition_number(net, x, y),
        "count_crossings": lambda: ap.count_crossings(rational, [TINY]),
        "count_many": lambda: ap.count_many([net] * 3, segment),
        "count_pieces": lambda: ap.count_pieces(net, segment),
        "count_regions": lambda: ap.count_regions(net, segment),
        "crossings_bound": lambda: ap.crossings_bound(function, 2.0**1000),
        "crossings_bound_density": lambda: ap.crossings_bound_density(function, TINY),
        "data_driven_bound": lambda: ap.data_driven_bound([net], segment, hidden, 0.5),
        "data_driven_terms": lambda: ap.data_driven_terms([net], segment, hidden, 0.5),
        "dead_neurons": lambda: ap.dead_neurons(net, segment),
        "depth_budget_bound": lambda: ap.depth_budget_bound([net], segment, hidden, 0.5),
        "divide": lambda: ap.divide([TINY], [2.0], fmt),
        "doublings_bound": lambda: ap.doublings_bound(TINY, 2.0**1000, 1.0, 2.0**-60),
        "rounding_variance": lambda: ap.rounding_variance([TINY], 2.0**1023),
        "steps_to_wander": lambda: ap.steps_to_wander(2.0 * TINY, 2.0**-1000, 1.0),
        "residual_condition": lambda: ap.residual_condition(net, x, y),
        "residual_lower_bound": lambda: ap.residual_lower_bound(0.5, 2.0**1023, 1.0),
        "dot": lambda: ap.dot([TINY], [1.0], fmt),
        "effective_perturbation": lambda: ap.effective_perturbation(net, x, y, 0.125, ap.Native()),
        "error_lower_bound": lambda: ap.error_lower_bound(TINY, 1.0, 2),
        "exact_update": lambda: ap.exact_update(net, x, y, 0.125),
        "expected_crossings": lambda: ap.expected_crossings(function, 2.0**1000),
        "expected_crossings_of": lambda: ap.expected_crossings_of(function, lambda b: np.clip(0.5 - b, 0, 1)),
        "expected_error_bound": lambda: ap.expected_error_bound(TINY, 1.0, 2.0),
        "expected_regions_bound": lambda: ap.expected_regions_bound(TINY, 1.0, hidden, 0.5),
        "expected_share": lambda: ap.expected_share(1.0, 2.0**1023),
        "fixed_point": lambda: ap.fixed_point(2, 40).parameters,
        "flips": lambda: ap.flips(native, exact),
        "from_nnet": lambda: [ap.from_nnet(nnet_path), ap.from_nnet(nnet_path, normalise=False)],
        "from_onnx": lambda: ap.from_onnx(onnx_path),
        "from_state_dict": lambda: ap.from_state_dict({"a.weight": [[TINY]], "a.bias": [TINY / 4]}),
        "from_torch": lambda: ap.from_torch(linear),
        "gradient_error_bound": lambda: ap.gradient_error_bound(net, x, y, ap.FLOAT64),
        "gradients": lambda: ap.gradients(net, x, y, ap.Native()),
        "maintain_probability": lambda: ap.maintain_probability(1.0, 2.0**600, 2),
        "matmul": lambda: ap.matmul([[TINY]], [[1.0]], fmt),
        "max_slope": lambda: ap.max_slope(net, segment),
        "maximum_probability": lambda: ap.maximum_probability(1.0, 2.0**1023, 1),
        "maximum_probability_given_past": lambda: ap.maximum_probability_given_past(1.0, 2.0**1023, 1),
        "mean_reciprocal": lambda: ap.mean_reciprocal([[2.0**1023]]),
        "multiply": lambda: ap.multiply([TINY], [1.0], fmt),
        "nonzero_updates": lambda: ap.nonzero_updates(hidden),
        "perturbed_network": lambda: ap.perturbed_network(net, update, 0.5, rng(0)),
        "polynomial_bound": lambda: ap.polynomial_bound(TINY, 1.0, 1, 1, 2.0**1000, 0.5),
        "preactivations": lambda: ap.preactivations(net, segment),
        "relative_error": lambda: ap.relative_error(native, exact),
        "representable": lambda: ap.representable([TINY], ap.FLOAT32),
        "revived_neurons": lambda: ap.revived_neurons(net, net, segment),
        "round_fraction": lambda: ap.round_fraction(TINY.as_integer_ratio()[0] / ap.arithmetic.truth.Fraction(
            TINY.as_integer_ratio()[1]), ap.FLOAT64),
        "round_network": lambda: ap.round_network(net, ap.wide(8)),
        "round_to": lambda: ap.round_to([TINY, 1e-40], ap.BFLOAT16),
        "sign_changes": lambda: ap.sign_changes(net, segment),
        "step": lambda: ap.step(net, x, y, 0.125, ap.Native()),
        "subtract": lambda: ap.subtract([TINY], [TINY / 4], fmt),
        "sup_error_to_square": lambda: ap.sup_error_to_square(function),
        "trace": lambda: ap.trace(net, segment),
        "train": lambda: ap.train(run),
        "train_many": lambda: ap.train_many([run, run]),
        "variations": lambda: ap.variations(net, segment),
        "wide": lambda: ap.wide(11).parameters,
        "zero_update_crossings": lambda: ap.zero_update_crossings(net, segment, hidden),
        "equality": lambda: net == ap.ReLUNetwork([net.weights[0] * [[0.0], [1.0]], net.weights[1]], net.biases),
        "hash": lambda: hash(net),
    }


def plain(value):
    """A value as something that compares bit by bit."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, ap.ExactArray):
        return plain(value.fractions())
    if dataclasses.is_dataclass(value):
        return plain([getattr(value, field.name) for field in dataclasses.fields(value)])
    return value if isinstance(value, bool | int) else repr(value)


def sweep():
    """Names of the calls that neither refuse nor are right while subnormal numbers are flushed."""
    table, wrong = calls(), []
    for name, call in table.items():
        right = plain(call())
        torch.set_flush_denormal(True)
        try:
            found = call()
        except Exception as error:
            found = error
        finally:
            torch.set_flush_denormal(False)
        refused = isinstance(found, FloatingPointError) and REMEDY in str(found)
        if not refused and plain(found) != right:
            wrong.append(name)
    return wrong


def python(code, **environment):
    """What a new process prints: another mode of the processor must not stay behind in this one."""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": path} | environment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_every_public_function_has_a_call():
    public = {name for name in (*ap.__all__, "from_onnx", "from_torch") if callable(getattr(ap, name))}
    assert public - CONTAINERS - set(calls()) == set()


def test_flushed_between_two_calls_every_function_refuses_or_is_right():
    assert python("import test_environment; print(*test_environment.sweep())") == []


def test_the_import_is_refused_too_and_works_after_the_remedy():
    out = python("""
import torch
torch.set_flush_denormal(True)
try:
    import affinepieces
except FloatingPointError as error:
    print("set_flush_denormal(False)" in str(error))
torch.set_flush_denormal(False)
import affinepieces as ap
print(ap.round_to(2.0**-1074, ap.FLOAT64) > 0)
""")
    assert out == ["True", "True"]


def test_constants_of_the_check_itself_come_from_bits():
    assert environment.SUBNORMAL.hex() == "0x0.0000000000001p-1022"


def refuses(_=None):
    """Whether counting, rounding and gradients refuse in this thread."""
    refused = 0
    for name in ("count_pieces", "round_to", "gradients"):
        try:
            TABLE[name]()
        except FloatingPointError:
            refused += 1
    return refused


def flushing():
    torch.set_flush_denormal(True)


TABLE = calls()


def test_a_worker_thread_is_looked_at_itself():
    with ThreadPoolExecutor(1, initializer=flushing) as pool:
        assert pool.submit(refuses).result() == 3
    assert refuses() == 0


def test_a_thread_started_while_flushing_inherits_the_mode_and_refuses():
    with ThreadPoolExecutor(1) as outer:
        def start():
            torch.set_flush_denormal(True)
            with ThreadPoolExecutor(1) as inner:
                return inner.submit(refuses).result()

        assert outer.submit(start).result() == 3
    assert refuses() == 0


def test_a_process_is_looked_at_itself():
    with multiprocessing.get_context("spawn").Pool(1, initializer=flushing) as pool:
        assert pool.map(refuses, [0]) == [3]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(refuses, [0]) == [0]


def test_what_is_switched_on_is_named():
    out = python("""
import torch
from affinepieces import environment
torch.set_flush_denormal(True)
try:
    environment.check()
except FloatingPointError as error:
    print(error)
""")
    text = " ".join(out)
    assert text.startswith("flush-to-zero and denormals-are-zero switched on in this thread")
    assert "-ffast-math" in text


DIRECTIONS = {"x86_64": (0x400, 0x800, 0xC00), "AMD64": (0x400, 0x800, 0xC00),
              "aarch64": (0x400000, 0x800000, 0xC00000), "arm64": (0x400000, 0x800000, 0xC00000)}


@pytest.mark.parametrize("direction", DIRECTIONS[platform.machine()])
def test_rounding_in_another_direction_is_refused(direction):
    out = python(f"""
import ctypes, ctypes.util
from affinepieces import environment
library = ctypes.CDLL(ctypes.util.find_library("m"))
library.fesetround({direction})
try:
    environment.check()
except FloatingPointError as error:
    library.fesetround(0)
    print("FE_TONEAREST" in str(error))
library.fesetround(0)
environment.check()
""")
    assert out == ["True"]


def test_threads_of_linear_algebra_that_were_started_while_flushing_are_noticed():
    out = python("""
import os, torch, numpy as np
from affinepieces import environment
if os.fork() == 0:
    torch.set_flush_denormal(True)
    big = np.ones((300, 300))
    big @ big  # the threads of the new process start here
    torch.set_flush_denormal(False)
    wrong = not np.all(np.full((300, 300), 5e-324) @ (np.eye(300) * 2.0**100))
    try:
        environment.check()
        refused = False
    except FloatingPointError as error:
        refused = "numpy's linear algebra" in str(error)
    print(wrong, refused, flush=True)
    os._exit(0)
os.wait()
""", OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")
    assert out in (["True", "True"], ["False", "False"])  # the latter on one core, where there are no such threads


def test_a_thread_that_counts_in_bulk_and_flushes_is_noticed(monkeypatch):
    class Flushing(ThreadPoolExecutor):
        def __init__(self, workers):
            super().__init__(workers, initializer=lambda: torch.set_flush_denormal(True))

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(count, "ThreadPoolExecutor", Flushing)
    net = ap.constructions.he_random([1, 8, 8, 1], np.random.default_rng(0), bias_std=1.0)
    with pytest.raises(FloatingPointError, match=r"torch.set_flush_denormal\(False\)"):
        ap.count_many([net] * (2 * bulk.LENGTH), ap.Segment(0, 1))
