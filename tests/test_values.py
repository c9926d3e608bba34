"""Every public object is a value: equal by what it holds, hashed alike in every process, unchangeable, picklable."""
import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from fractions import Fraction

import joblib
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.descent.errors import Perturbation, RelativeErrors
from affinepieces.values import Value, digest

X = np.linspace(0, 1, 5)[:, None]
NET = ap.constructions.hat()
UNIT = ap.Segment(0, 1)
TENT = ap.ReLUNetwork([[[2.0, 2.0]], [[1.0]]], [[-1.0], [0.0]])


def run(**options):
    given = {"learning_rate": 2**-5, "steps": 8, "noise": ap.Perturbed(0.25), "record": [0, 4]}
    return ap.Run(NET, X, X**2, **(given | options))


def gradients(machine=None, net=NET):
    return ap.gradients(net, X, X**2, machine or ap.Native())


# class -> one of its values, and others that differ from it
EXAMPLES = {
    "Attribution": lambda: [ap.attribute(NET, X, X**3, ap.Rounded(fmt)) for fmt in (ap.FLOAT32, ap.FLOAT16)],
    "Certificate": lambda: [ap.trace(ap.constructions.sawtooth(n), UNIT).certificate for n in (3, 2)],
    "Counts": lambda: [ap.count_many(ap.constructions.sawtooth(n), [UNIT, UNIT]) for n in (3, 2)],
    "Adam": lambda: [ap.Adam(), ap.Adam(0.8), ap.Adam(weight_decay=0.5)],
    "AdamW": lambda: [ap.AdamW(), ap.AdamW(0.8)],
    "GradientDescent": lambda: [ap.GradientDescent(), ap.GradientDescent(0.5), ap.GradientDescent(compensated=True)],
    "Momentum": lambda: [ap.Momentum(), ap.Momentum(0.8), ap.Momentum(nesterov=True)],
    "OptimiserState": lambda: [ap.OptimiserState(2, [np.ones(3)]), ap.OptimiserState(), ap.OptimiserState(scale=2.0)],
    "LossScaling": lambda: [ap.LossScaling(), ap.LossScaling(2.0), ap.LossScaling(dynamic=True)],
    "Loss": lambda: [ap.Loss.CROSS_ENTROPY, ap.Loss.SQUARED_ERROR],
    "Mixed": lambda: [ap.Mixed(ap.Native()), ap.Mixed(ap.Native(), update=ap.Rounded(ap.BFLOAT16)),
                      ap.Mixed(ap.Native(), forward=ap.Rounded(ap.BFLOAT16)), ap.Mixed(ap.Exact())],
    "Part": lambda: [ap.Part.FORWARD, ap.Part.UPDATE],
    "UniformNoise": lambda: [ap.UniformNoise(0.5), ap.UniformNoise(0.25)],
    "Exact": lambda: [ap.Exact()],
    "ExactArray": lambda: [*map(ap.ExactArray.of, ([[0.5, 0.25]], [[0.5, 0.5]], [[0.5], [0.25]], [0.5, 0.25]))],
    "Format": lambda: [ap.Format("sixteen", 8, -126, 127), ap.FLOAT16, ap.wide(8), ap.Format("sixteen", 8, -126, 126)],
    "Gradients": lambda: [gradients(), gradients(ap.Exact()), gradients(net=ap.constructions.hat(0.25)),
                          ap.gradients(NET, X[1:], X[1:]**2, ap.Native())],
    "Grain": lambda: [ap.Grain.TENSOR, ap.Grain.OPERATION],
    "History": lambda: ap.train_many([run(), run(seed=1), run(record=[])]),
    "Parameters": lambda: [ap.exact_update(NET, X, X**2, rate) for rate in (0.125, 0.25)],
    "Native": lambda: [ap.Native("float32"), ap.Native(), ap.Native(np.float16)],
    "Order": lambda: [ap.Order.PAIRWISE, ap.Order.SEQUENTIAL],
    "Overflow": lambda: [ap.Overflow.NAN, ap.Overflow.INFINITY, ap.Overflow.SATURATE],
    "Perturbed": lambda: [ap.Perturbed(0.5), ap.Perturbed(0.25)],
    "Playground": lambda: [ap.Playground(), ap.Playground("stay")],
    "PiecewiseAffine": lambda: [ap.trace(NET, UNIT), ap.trace(NET, UNIT, exact=True),
                                ap.trace(NET, ap.Segment(0, 2)), ap.trace(ap.constructions.hat(0.25), UNIT)],
    "Chain": lambda: [ap.Chain([[[1.0], [1.0]], [[2.0, -1.0]]], [[0.0, 0.0], [0.0]], [kinds]) for kinds in (
        [ap.Kind.NEURON, ap.Kind.CARRIED], [ap.Kind.COMPARISON, ap.Kind.CARRIED])],
    "Kind": lambda: [ap.Kind.NEURON, ap.Kind.CARRIED],
    "ReLUNetwork": lambda: [ap.constructions.sawtooth(3), NET, ap.constructions.sawtooth(3).astype(np.float32)],
    "Rounded": lambda: [ap.Rounded(ap.BFLOAT16, ap.Stochastic(3), order=ap.Order.PAIRWISE),
                        ap.Rounded(ap.BFLOAT16, ap.Stochastic(3)), ap.Rounded(ap.BFLOAT16, order=ap.Order.PAIRWISE)],
    "Replacing": lambda: [ap.Replacing.REVERSE, ap.Replacing.FORWARD],
    "Run": lambda: [run(), run(seed=1), run(steps=9), run(record=[0]), run(machine=ap.Native("float32")),
                    run(noise=None), run(optimiser=ap.Adam()), run(batch=2), run(learning_rate=[0.1] * 8)],
    "Plane": lambda: [ap.Plane.through([0.1, 0.2], [0.7, 0.1], [0.3, 0.3]), ap.Plane.coordinates(),
                      ap.Plane([0.0, 0.0], [0.0, 1.0], [1.0, 0.0])],
    "Polygon": lambda: [ap.Polygon.square(), ap.Polygon.rectangle(-1, 1, -1, 2),
                        ap.Polygon.square(plane=ap.Plane([0, 0], [0, 1], [1, 0]))],
    "Subdivision": lambda: [ap.trace(TENT, ap.Polygon.square()), ap.trace(TENT, ap.Polygon.square(2)),
                            ap.trace(TENT.astype(np.float32), ap.Polygon.rectangle(-1, 1, 0, 1), exact=True)],
    "Segment": lambda: [ap.Segment.between([0.1], [0.7]), UNIT, ap.Segment(0, 1, start=[0.0], direction=[2.0])],
    "Step": lambda: [ap.step(NET, X, X, 0.125, ap.Exact()), ap.step(NET, X, X, 0.25, ap.Exact()),
                     ap.step(NET, X, X, 0.125, ap.Native())],
    "Stochastic": lambda: [ap.Stochastic(7, start=2), ap.Stochastic(7), ap.Stochastic(8, start=2),
                           ap.Stochastic(7, start=2, bits=3)],
    "Toward": lambda: [ap.Toward.UP, ap.Toward.ZERO, ap.Toward.DOWN],
    "Terms": lambda: [ap.Terms.PATHS, ap.Terms.SAMPLES],
}
HIDDEN = {  # what public functions return without a public name
    "RelativeErrors": lambda: [ap.relative_error(gradients(), gradients(ap.Exact()))],
    "Perturbation": lambda: [ap.effective_perturbation(NET, X, X**2, 0.125, ap.Rounded(ap.FLOAT32))],
    "Nearest": lambda: [type(ap.NEAREST)()],
}
MAKE = EXAMPLES | HIDDEN
CONSTANTS = {name: getattr(ap, name) for name in ap.__all__ if name.isupper()}


def everything():
    return [*(v for make in MAKE.values() for v in make()), *CONSTANTS.values()]


def test_every_public_class_has_an_example():
    classes = {name for name in ap.__all__ if isinstance(getattr(ap, name), type)}
    assert classes - {"Watch"} == set(EXAMPLES)  # which goes on counting


@pytest.mark.parametrize("name", MAKE)
def test_equal_by_value(name):
    (one, *others), (two, *_) = MAKE[name](), MAKE[name]()
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two}) == 1
    assert one != name
    for other in others:
        assert one != other
        assert hash(one) != hash(other)


@pytest.mark.parametrize("name", MAKE)
def test_copies_and_pickles(name):
    value = MAKE[name]()[0]
    others = [copy.copy(value), copy.deepcopy(value), copy.deepcopy([value])[0]]
    others += [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in others:
        assert type(other) is type(value)
        assert other == value
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)


def arrays_of(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for v in value:
            yield from arrays_of(v)
    elif isinstance(value, Value):
        for field in fields(value):
            yield from arrays_of(getattr(value, field.name))


@pytest.mark.parametrize("name", MAKE)
def test_frozen(name):
    value = MAKE[name]()[0]
    if not isinstance(value, Value):
        return
    for one in (value, pickle.loads(pickle.dumps(value))):
        for field in fields(one):
            with pytest.raises(FrozenInstanceError):
                setattr(one, field.name, None)
        for array in arrays_of(one):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


@pytest.mark.parametrize("name", MAKE)
def test_one_short_line(name):
    text = repr(MAKE[name]()[0])
    assert "\n" not in text
    assert len(text) <= 200


def test_a_run_is_described_without_its_data():
    assert repr(run(noise=None)) == (
        "Run(ReLUNetwork(1-2-1, float64), 5 points, learning_rate=0.03125, 8 steps, Native(float64))")
    history = ap.train(run(record=range(9), noise=None))
    assert repr(history).endswith(f"9 records, step 8, loss {history.losses[-1]:.6g})")
    assert history._repr_html_().count("<tr>") == 10
    assert ap.train(run(steps=99, record=range(99)))._repr_html_().count("<tr>") == 14


def test_a_loss_beyond_float64_is_described():
    found = ap.gradients(ap.ReLUNetwork([[[2.0**600]]], [[0.0]]), [[1.0]], [[0.0]], ap.Exact())
    assert repr(found) == "Gradients(1-1, exact, loss inf)"


def test_no_class_of_values_has_an_equality_of_its_own():
    classes = [Value]
    for cls in classes:
        classes += cls.__subclasses__()
        assert (cls.__eq__, cls.__hash__, cls.__reduce__ in (Value.__reduce__, ap.ExactArray.__reduce__)) == (
            Value.__eq__, Value.__hash__, True)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the pool only copies and hashes
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_through_a_pool_of_processes(method, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "17")
    values = everything()
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(hash, values) == [hash(v) for v in values]
        assert pool.map(copy.deepcopy, values) == values


def test_through_joblib():
    """Also where it maps the arrays from files."""
    values = everything()
    parallel = joblib.Parallel(n_jobs=2, max_nbytes=8)
    assert parallel(joblib.delayed(hash)(v) for v in values) == [hash(v) for v in values]
    assert parallel(joblib.delayed(copy.copy)(v) for v in values) == values


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_hash_does_not_depend_on_the_process(seed, tmp_path):
    values = everything()
    (tmp_path / "values").write_bytes(pickle.dumps(values))
    code = f"import pickle; print([hash(v) for v in pickle.load(open({str(tmp_path / 'values')!r}, 'rb'))])"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, check=True,
                          capture_output=True, text=True)
    assert done.stdout.strip() == str([hash(v) for v in values])


@dataclass(frozen=True, eq=False)
class Held(Value):
    """Anything."""

    it: object


@pytest.mark.parametrize(("one", "two"), [
    (np.array([0.0, 1.0]), np.array([-0.0, 1.0])),
    (np.array([np.nan]), np.array([-np.nan])),
    (np.array([0x7FF8000000000001], np.uint64).view(np.float64), np.array([np.nan])),
    (np.float16([0, np.nan]), -np.float16([0, np.nan])),
    (np.array([Fraction(1, 3)]), np.array([Fraction(2, 6)])),
    ([1.0, (2,)], (1.0, [2])),
    (np.float64(0.5), 0.5), (-0.0, 0.0), (np.nan, float("nan")), (np.int64(3), 3), (np.bool_(True), True),
    (np.arange(4.0)[::2], np.array([0.0, 2.0])), (np.ones((2, 3)).T, np.ones((3, 2))),
    (np.ones(2, ">f8"), np.ones(2)), (np.dtype("f4"), np.dtype(np.float32)),
    (np.zeros((0, 3)), np.zeros((0, 3)))])
def test_what_is_equal(one, two):
    assert Held(one) == Held(two)
    assert hash(Held(one)) == hash(Held(two)) == digest(Held(one))


@pytest.mark.parametrize(("one", "two"), [
    (np.zeros(2), np.zeros(2, np.float32)), (np.zeros(2), np.zeros((2, 1))), (np.zeros((0, 3)), np.zeros((3, 0))),
    (np.array([5e-324]), np.zeros(1)), (np.zeros(2, np.int64), np.zeros(2)), (np.array([np.inf]), np.array([np.nan])),
    (0, False), (0, 0.0), ((1, (2, 3)), ((1, 2), 3)), ((), None), ("1", 1), (np.array(1.0), 1.0), (1.0, (1.0,))])
def test_what_differs(one, two):
    assert Held(one) != Held(two)
    assert hash(Held(one)) != hash(Held(two))


@pytest.mark.parametrize("stray", [object(), {}, {1}, np.zeros(2, complex), np.zeros(2, np.longdouble), 1j,
                                   np.array(["a"]), [object()], NET.weights[0].tolist])
def test_what_no_value_holds(stray):
    with pytest.raises(TypeError, match="it of a Held "):
        Held(stray)


def test_stray_entries_are_found_when_they_are_compared():
    with pytest.raises(TypeError, match="a list cannot be compared with others"):
        hash(Held(np.array([[1], None], dtype=object)))


def test_arrays_are_copied_where_somebody_could_write_to_them():
    mine = np.zeros(3)
    view = mine[:]
    view.setflags(write=False)
    values = Held(mine), Held(view), Held(np.broadcast_to(mine, (2, 3)))
    mine[0] = 5
    assert all(v.it.max() == 0 for v in values)
    own = np.zeros(3)
    own.setflags(write=False)
    assert Held(own).it is own


def test_a_matrix_of_flint_cannot_be_changed_from_outside():
    one = ap.ExactArray.of([[0.5]])
    one.numerators[0, 0] = 7
    assert one == ap.ExactArray.of([[0.5]]) == one.times(Fraction(1, 3)).times(Fraction(3))


def test_formats_are_their_numbers():
    assert ap.Format("sixteen", 8, -126, 127) == ap.BFLOAT16
    assert ap.Format("e4m3", 4, -6, 8, overflow=ap.Overflow.NAN) != ap.E4M3
    assert ap.BFLOAT16.with_overflow(ap.Overflow.SATURATE) != ap.BFLOAT16


def test_a_dtype_has_many_names():
    assert ap.Native(np.float32) == ap.Native("float32") == ap.Native(np.dtype("f4"))
    assert replace(ap.Native(), dtype="float16") == ap.Native(np.float16)


def test_subclasses_are_not_their_base():
    found = HIDDEN["RelativeErrors"]()[0]
    assert isinstance(found, RelativeErrors)
    assert found != ap.Parameters(found.weights, found.biases)
    assert isinstance(HIDDEN["Perturbation"]()[0], Perturbation)


def test_numbers_of_many_digits():
    """More than Python writes in decimal."""
    assert hash(Held(Fraction(1, 3**20000))) == hash(Held(Fraction(1, 3**20000))) != hash(Held(Fraction(1, 3**20001)))
