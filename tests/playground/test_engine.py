"""The playground's rounding, training and counting, held against Python to the last bit."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.constructions import gentle_sawtooth, he_random, sawtooth
from playground.javascript import MODULES, ask, from_hex, network, to_hex
from playground.runs import FORMATS, UNIT, difference, run, start

BITS = [ap.Format(f"{t}", t, -126, 127) for t in (2, 6, 15, 26)]


def numbers(rng, fmt):
    """Numbers of float64 around those of the format: neighbours, ties, the ends of the range, zeros."""
    x = ap.round_to(rng.standard_normal(400) * 2.0 ** rng.integers(fmt.emin - 20, fmt.emax + 1, 400), fmt)
    x = x[np.isfinite(x)]
    ties = x * (1 + fmt.unit_roundoff)
    ends = [0.0, -0.0, np.inf, -np.inf, fmt.largest, fmt.largest * (1 + fmt.unit_roundoff / 2), fmt.spacing / 2,
            fmt.spacing / 2 * (1 + 2.0**-40), 1.5 * fmt.spacing, fmt.smallest_normal, -fmt.smallest_normal]
    return np.concatenate([x, ties, np.nextafter(ties, 0), np.nextafter(ties, np.inf), ends])


@pytest.mark.parametrize("fmt", [*FORMATS[1:], *BITS], ids=str)
def test_rounding_is_that_of_python(fmt):
    x = numbers(np.random.default_rng(0), fmt)
    answer, = ask([{"task": "rounded", "x": to_hex(x), "fmt": str(fmt)}])
    assert answer["x"] == to_hex(ap.round_to(x, fmt))


def test_stochastic_rounding_takes_a_neighbour_and_is_right_on_average():
    x = np.full(20_000, 1 + 0.3 * 2.0**-7)
    answer, = ask([{"task": "rounded", "x": to_hex(x), "fmt": "bfloat16", "seed": 1}])
    y = from_hex(answer["x"])
    assert set(y) == {1.0, 1 + 2.0**-7}
    assert abs(np.mean(y > 1) - 0.3) < 5 * np.sqrt(0.21 / len(x))


def test_numbers_of_the_format_stay_under_stochastic_rounding():
    x = ap.round_to(numbers(np.random.default_rng(3), ap.BFLOAT16), ap.BFLOAT16)
    x = x[x != 0]
    answer, = ask([{"task": "rounded", "x": to_hex(x), "fmt": "bfloat16", "seed": 2}])
    assert answer["x"] == to_hex(x)


def test_runs_agree_with_python_to_the_last_bit():
    assert difference([run(seed, steps=40) for seed in range(48)]) == []


def test_counts_breakpoints_and_variations_are_those_of_python():
    rng = np.random.default_rng(7)
    nets = [start(rng) for _ in range(60)] + [gentle_sawtooth(10, 0.4), he_random([1, 32, 32, 32, 1], rng, 0.1)]
    for net, answer in zip(nets, ask([{"task": "counted", "net": network(net)} for net in nets]), strict=True):
        function = ap.trace(net, UNIT, exact=True)
        assert (answer["pieces"], answer["regions"]) == (function.pieces, function.regions)
        assert answer["breakpoints"] == pytest.approx(function.breakpoints.astype(float), rel=1e-12)
        assert sum(answer["kinks"]) == function.pieces - 1
        for ours, theirs in zip(answer["variations"], ap.variations(net, UNIT), strict=True):
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_bounds_are_those_of_python():
    rng, asked, expected = np.random.default_rng(5), [], []
    for _ in range(40):
        net = start(rng)
        updates = [rng.standard_normal(len(b)) * rng.integers(0, 2, len(b)) for b in net.biases[:-1]]
        delta = float(rng.choice([0.1, 1.0]))
        asked.append({"task": "bounded", "net": network(net), "updates": [u.tolist() for u in updates], "delta": delta})
        expected.append([ap.data_driven_bound([net], UNIT, updates, delta),
                         ap.depth_budget_bound([net], UNIT, updates, delta)])
    found = [[answer["bound"], answer["budget"]] for answer in ask(asked)]
    assert np.array(found) == pytest.approx(np.array(expected), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("gentle", [False, True])
@pytest.mark.parametrize("peak", [0.4, 0.5])
def test_sawtooths_are_those_of_python(gentle, peak):
    made = gentle_sawtooth if gentle else sawtooth
    for n, answer in zip((1, 4, 10), ask([{"task": "constructed", "n": n, "peak": peak, "gentle": gentle}
                                          for n in (1, 4, 10)]), strict=True):
        net = made(n, peak)
        assert answer["weights"] == [to_hex(w.ravel()) for w in net.weights]
        assert answer["biases"] == [to_hex(b) for b in net.biases]


def test_extreme_parameters_are_counted_exactly():
    tiny = ap.ReLUNetwork([[[5e-324], [1.0]], [[1.0, 2.0**-1074]]], [[-2.0**-1073, -1 / 3], [0.0]])
    huge = ap.ReLUNetwork([[[1e308], [-1e308]], [[1e-308, 1e308]]], [[-3e307, 6e307], [1e-300]])
    for net, answer in zip((tiny, huge), ask([{"task": "counted", "net": network(n)} for n in (tiny, huge)]),
                           strict=True):
        counts = ap.trace(net, UNIT, exact=True)
        assert (answer["pieces"], answer["regions"]) == (counts.pieces, counts.regions)
        assert np.isfinite([v for layer in answer["variations"] for v in layer]).all()


def test_variations_of_many_layers_of_small_weights():
    """The exponents of all layers together lie far below those of float64, the variations do not."""
    tiny = 2.0**-300
    net = ap.ReLUNetwork([[[1.0], [tiny]]] + [[[1.0, 0.0], [1 / 3, tiny]]] * 6 + [[[1.0, 1.0]]],
                         [[0.0, 0.0]] * 7 + [[0.0]])
    answer, = ask([{"task": "counted", "net": network(net)}])
    assert answer["variations"][-1] == pytest.approx([1, 1 / 3], rel=1e-12)


def test_a_network_whose_values_overflow_ends_the_run():
    def scaled(size):
        return ap.ReLUNetwork([[[size]], [[size]]], [[0.0], [0.0]])

    fine, large = ask([{"task": "refused", "net": network(scaled(size))} for size in (1e100, 1e200)])
    assert fine == ""
    assert "too large: the training has diverged" in large


def test_what_is_shared_is_opened():
    settings = ask([{"task": "opened", "hash": "#play?"}])[0]["settings"]
    for place, guess, skipped, step in ((1, None, False, 0), (2, 7, False, 200), (1, None, True, 3)):
        state = {"place": place, "settings": {**settings, "depth": "3"}, "guess": guess, "skipped": skipped,
                 "step": step}
        hash_, = ask([{"task": "shared", "state": state}])
        assert ask([{"task": "opened", "hash": hash_}]) == [state]
    assert ask([{"task": "opened", "hash": "#what-to-try"}]) == [None]


def test_the_page_is_small():
    assert sum(path.stat().st_size for path in MODULES.glob("*.*s")) <= 60_000
