"""Training against repeated steps, bit for bit; purity, resumption, divergence, interruption."""
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.descent import training
from affinepieces.descent.gradients import rounded_rate
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train, train_many
from affinepieces.descent.updates import perturbed_network
from affinepieces.parameters import Parameters

STOCHASTIC = ap.Rounded(ap.FLOAT16, ap.Stochastic(3))
MACHINES = [ap.Native(np.float32), ap.Native(), ap.Native(np.float16), ap.Rounded(ap.BFLOAT16), ap.Rounded(ap.FLOAT32),
            STOCHASTIC, ap.Rounded(ap.FLOAT16, ap.Stochastic(3), ap.Grain.TENSOR)]
METHODS = [*MACHINES, Perturbed(0.2)]
RANDOM = [STOCHASTIC, MACHINES[-1], Perturbed(0.2)]


def named(method):
    rounding, grain = getattr(method, "rounding", None), getattr(method, "grain", None)
    return f"{type(method).__name__} {getattr(method, 'format', '')} {type(rounding).__name__} {grain}"


def example(method, seed=0, steps=30, widths=(1, 6, 5, 2), **options):
    """A small run with data and start in the method's format."""
    rng = np.random.default_rng(seed)
    noise, method = (method, ap.Native()) if isinstance(method, Perturbed) else (None, method)
    fmt = method.format
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=0.5), fmt)
    net = net.astype(method.dtype) if isinstance(method, ap.Native) else net
    x, y = rng.uniform(-1, 1, (9, widths[0])), rng.standard_normal((9, widths[-1]))
    options = {"record": range(steps + 1), "seed": 5, "noise": noise} | options
    return Run(net, ap.round_to(x, fmt), ap.round_to(y, fmt), 0.03, steps, method, **options)


def bits(net):
    return [p.tobytes() for p in (*net.weights, *net.biases)]


def same(first, second):
    """Two histories, bit for bit."""
    return (first.steps.tolist() == second.steps.tolist() and first.losses.tobytes() == second.losses.tobytes()
            and [bits(n) for n in first.networks] == [bits(n) for n in second.networks]
            and all(u.tobytes() == v.tobytes() for us, vs in zip(first.updates, second.updates, strict=True)
                    for u, v in zip(us, vs, strict=True))
            and first.diverged_at == second.diverged_at)


@pytest.mark.parametrize("method", MACHINES, ids=named)
@pytest.mark.parametrize("widths", [(1, 6, 5, 2), (2, 1), (1, 1, 1, 1)], ids=str)
def test_training_is_repeated_steps(method, widths):
    run = example(method, widths=widths)
    history = train(run)
    net, rate = run.start, rounded_rate(run.learning_rate, run.machine_at(0))
    assert history.steps.tolist() == list(range(31))
    assert history.complete
    assert history.diverged_at is None
    for k, (recorded, loss, updates) in enumerate(zip(history.networks, history.losses, history.updates, strict=True)):
        made = ap.step(net, run.x, run.y, run.learning_rate, run.machine_at(k))
        assert bits(recorded) == bits(net)
        assert recorded.dtype == (method.dtype if isinstance(method, ap.Native) else np.float64)
        assert loss == made.gradients.loss
        assert [u.shape for u in updates] == [(n,) for n in widths[1:-1]]
        for update, gradient in zip(updates, made.gradients.biases[:-1], strict=True):
            moves = rate * gradient.astype(np.float64)  # before it is rounded
            fmt = run.machine.format
            assert np.all(np.abs(update + moves) <= 2 * fmt.unit_roundoff * np.abs(moves) + fmt.spacing)
        net = made.network()


def test_perturbed_training_is_repeated_perturbed_updates():
    run = example(Perturbed(0.3))
    history, net = train(run), run.start
    assert len({*map(hash, history.networks)}) == 31
    for k, recorded in enumerate(history.networks):
        assert bits(recorded) == bits(net)
        found = ap.gradients(net, run.x, run.y, ap.Native())
        moves = Parameters(*(tuple(-run.learning_rate * g for g in grads) for grads in (found.weights, found.biases)))
        assert all(map(np.array_equal, history.updates[k], moves.biases[:-1]))
        net = perturbed_network(net, moves, 0.3, run.generator(k))


def test_without_perturbation_it_is_gradient_descent():
    perturbed, native = train(example(Perturbed(0.0))), train(example(ap.Native()))
    assert [bits(n) for n in perturbed.networks] == [bits(n) for n in native.networks]
    assert np.array_equal(perturbed.losses, native.losses)


def test_noise_is_new_for_every_step_seed_and_neuron():
    """All neurons are active at the one data point, so that every update is perturbed."""
    net = ap.ReLUNetwork([np.ones((3, 1)), [[1.0, 1.0, 1.0]]], [np.ones(3), [0.0]])
    delta, rate, steps = 0.5, 1e-3, 6
    runs = [Run(net, [[1.0]], [[0.0]], rate, steps, ap.Native(), range(steps + 1), seed,
                noise=Perturbed(delta)) for seed in range(400)]
    theta = []
    for history in train_many(runs):
        biases = np.array([n.biases[0] for n in history.networks])
        updates = np.array([u[0] for u in history.updates])
        theta.append((np.diff(biases, axis=0) / updates[:-1] - 1) / delta)
    theta = np.reshape(theta, (400, 18))
    assert np.abs(theta).max() <= 1 + 1e-9
    assert np.abs(theta.mean(axis=0)).max() < 5 / np.sqrt(3 * 400)
    assert np.abs(np.corrcoef(theta.T) - np.eye(18)).max() < 5 / np.sqrt(400)


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_run_is_a_pure_function(method):
    run = example(method)
    assert same(train(run), train(replace(run)))
    other = train(replace(run, seed=6))
    assert (bits(other.networks[-1]) == bits(train(run).networks[-1])) == (method not in RANDOM)


def test_both_seeds_of_stochastic_rounding_matter():
    run = example(STOCHASTIC)
    other = replace(run, machine=ap.Rounded(ap.FLOAT16, ap.Stochastic(4)))
    assert bits(train(run).networks[-1]) != bits(train(other).networks[-1])
    assert run.machine_at(0).rounding != run.machine_at(1).rounding != run.machine_at(2).rounding


def test_random_numbers_are_not_those_of_the_bare_seed():
    assert example(Perturbed(0.1), seed=0).generator(0).random() != np.random.default_rng(5).random()
    assert example(STOCHASTIC).machine_at(0).rounding.stream != ap.Stochastic(3).stream


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_resumed_run_gives_the_same(method):
    run = example(method)
    whole = train(run)
    half = train(replace(run, start=whole.networks[12], first=12, record=range(12, 31)))
    assert half.steps.tolist() == list(range(12, 31))
    assert [bits(n) for n in half.networks] == [bits(n) for n in whole.networks[12:]]
    assert np.array_equal(half.losses, whole.losses[12:])


def test_what_is_recorded_changes_nothing():
    whole, some, last = (train(example(ap.Native(), record=record)) for record in (range(31), [20, 7, 7], ()))
    assert some.steps.tolist() == [7, 20, 30]
    assert [bits(n) for n in some.networks] == [bits(whole.networks[k]) for k in (7, 20, 30)]
    assert last.steps.tolist() == [30]
    assert train(example(ap.Native(), steps=0)).steps.tolist() == [0]


@pytest.fixture
def interrupts(monkeypatch):
    """Interrupts from the keyboard during the gradients of given numbers."""
    before, calls = signal.signal(signal.SIGINT, signal.default_int_handler), []

    def at(*numbers):
        def interrupted(function):
            def call(*args):
                for _ in range(numbers.count(len(calls))):
                    signal.raise_signal(signal.SIGINT)
                calls.append(0)
                return function(*args)
            return call

        monkeypatch.setattr(training, "fused", interrupted(training.fused))
        monkeypatch.setattr(training, "backpropagate", interrupted(training.backpropagate))

    yield at
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("at", [0, 1, 13])
@pytest.mark.parametrize("method", [ap.Rounded(ap.BFLOAT16), Perturbed(0.2)], ids=named)
def test_an_interrupted_run_can_be_continued(method, at, interrupts):
    run = example(method, record=range(0, 31, 10))
    whole = train(run)
    interrupts(at)
    history, untouched = train_many([run, replace(run, learning_rate=0.25)], workers=1)
    assert not history.complete
    assert history.diverged_at is None
    assert history.steps.tolist() == sorted({*range(0, at + 1, 10), at + 1})
    assert not untouched.complete
    assert untouched.steps.tolist() == [0]
    rest = train(history.rest())
    assert rest.complete
    assert rest.steps.tolist() == [k for k in (0, 10, 20, 30) if k > at]
    assert bits(rest.networks[-1]) == bits(whole.networks[-1])
    assert np.array_equal(rest.losses, whole.losses[-len(rest.losses):])


def test_a_second_interrupt_raises(interrupts):
    interrupts(3, 3)
    with pytest.raises(KeyboardInterrupt):
        train(example(ap.Native()))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_interrupts_of_others_are_left_alone(interrupts):
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append(0))
    interrupts(3)
    assert train(example(ap.Native())).complete
    assert seen == [0]
    with ThreadPoolExecutor() as pool:
        assert pool.submit(train, example(ap.Native())).result().complete


@pytest.mark.parametrize("method", [ap.Native(), ap.Native(np.float16), ap.Rounded(ap.FLOAT16), Perturbed(0.1)],
                         ids=named)
def test_divergence_ends_with_the_last_finite_network(method):
    run = replace(example(method, steps=200), learning_rate=64.0)
    history = train(run)
    assert 1 <= history.diverged_at <= 200
    assert not history.complete
    assert history.steps.tolist() == list(range(history.diverged_at))
    assert all(np.isfinite(p).all() for p in history.networks[-1].biases)
    with pytest.raises(FloatingPointError, match=f"not finite after step {history.diverged_at}: nothing to continue"):
        history.rest()
    if not isinstance(method, Perturbed):
        last = ap.step(history.networks[-1], run.x, run.y, 64.0, run.machine_at(history.diverged_at - 1))
        with pytest.raises(FloatingPointError, match="not finite after the step"):
            last.network()


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_many_runs_are_the_single_ones(method):
    runs = [replace(example(method), start=example(method, seed=s).start, seed=s) for s in range(5)]
    assert all(same(a, train(r)) for a, r in zip(train_many(runs), runs, strict=True))


def test_many_different_runs_keep_their_order():
    """Different methods, sizes and learning rates; one diverges, and the others of its batch do not notice."""
    wild = example(ap.Native())
    loud = ap.ReLUNetwork([1e80 * a for a in wild.start.weights], wild.start.biases)
    runs = [wild, example(STOCHASTIC), replace(wild, start=loud), replace(wild, learning_rate=0.01),
            example(Perturbed(0.1), widths=(1, 40, 30, 1)), replace(wild, seed=8),
            example(ap.Native(), widths=(2, 3, 1))]
    histories = train_many(runs)
    assert [h.run for h in histories] == runs
    assert [h.diverged_at is not None for h in histories] == [False, False, True, False, False, False, False]
    assert all(same(h, train(r)) for h, r in zip(histories, runs, strict=True))
    assert train_many([]) == []


def test_counts_are_those_of_the_networks():
    history, segment = train(example(ap.Native(), widths=(1, 6, 5, 1), record=[0, 10])), ap.Segment(-1, 1)
    counts = history.count(segment)
    assert counts.regions.tolist() == [ap.count_regions(n, segment) for n in history.networks]
    assert counts.pieces.tolist() == [ap.count_pieces(n, segment) for n in history.networks]


def test_a_run_is_a_value():
    run, x = example(ap.Native()), np.linspace(0, 1, 3)[:, None]
    assert run == replace(run)
    assert hash(run) == hash(replace(run))
    assert run not in (replace(run, seed=1), replace(run, x=run.x + 1), replace(run, steps=31), replace(run, record=()))
    assert pickle.loads(pickle.dumps(run)) == run
    copied = Run(ap.constructions.hat(), x, x.tolist(), 0.1, 3, ap.Native())
    x[0] = 7
    assert copied.x[0] == copied.y[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        copied.x[0] = 1
    with pytest.raises(FrozenInstanceError):
        copied.steps = 4


@pytest.mark.parametrize(("changes", "message"), [
    ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number > 0"),
    ({"learning_rate": 1e-60, "machine": ap.Native(np.float32)}, "learning_rate 1e-60 becomes 0.0 in float32"),
    ({"steps": -1}, "steps is -1, expected an integer >= 0"),
    ({"first": 4}, "steps is 3, expected an integer >= 4"),
    ({"seed": -1}, "seed is -1, expected an integer >= 0"),
    ({"record": [0, 4]}, r"record\[1\] is 4, expected an integer from 0 to 3"),
    ({"y": [1.0]}, r"y has shape \(1,\), expected \(m, 1\)"),
    ({"y": [[1.0], [1.0]]}, "x has 1 points and y has 2"),
    ({"x": [[np.nan]]}, "x holds nan: data must be finite"),
    ({"x": [[0.1]], "machine": ap.Rounded(ap.BFLOAT16)}, "x.*0.1.*, not a number of bfloat16: round it first"),
    ({"machine": ap.Rounded(ap.wide(30), ap.Stochastic(0))}, "at most 26 bits")])
def test_bad_descriptions(changes, message):
    good = {"start": ap.constructions.hat(), "x": [[0.5]], "y": [[1.0]], "learning_rate": 0.1, "steps": 3,
            "machine": ap.Native()}
    with pytest.raises(ValueError, match=message):
        train(Run(**(good | changes)))


@pytest.mark.parametrize(("changes", "message"), [
    ({"steps": 2.0}, "steps is 2.0, expected an integer >= 0"),
    ({"record": [0.5]}, r"record\[0\] is 0.5, expected an integer from 0 to 3"),
    ({"start": [[1.0]]}, r"start is \[\[1.0\]\], expected a ReLUNetwork or a torch module")])
def test_descriptions_of_the_wrong_kind(changes, message):
    given = {"start": ap.constructions.hat(), "x": [[0.5]], "y": [[1.0]], "learning_rate": 0.1, "steps": 3,
             "machine": ap.Native()}
    with pytest.raises(TypeError, match=message):
        Run(**(given | changes))


def test_machines_that_do_not_train():
    for machine in (ap.Exact(), "gradient descent", 0.1):
        with pytest.raises(TypeError, match=r"machine is .*, expected (Native|one whose update is not exact)"):
            Run(ap.constructions.hat(), [[0.5]], [[1.0]], 0.1, 3, machine)
    with pytest.raises(ValueError, match=r"all 3 steps are made.*first=3"):
        train(Run(ap.constructions.hat(), [[0.5]], [[1.0]], 0.1, 3, ap.Native())).rest()
