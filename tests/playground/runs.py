"""Networks and runs for which the page and Python must agree to the last bit; ordinary ones and degenerate ones."""
import numpy as np

import affinepieces as ap
from affinepieces.constructions import gentle_sawtooth, he_random, sawtooth
from playground.javascript import ask, network, rebuilt, to_hex

UNIT = ap.Segment(0, 1)
FORMATS = (ap.FLOAT64, ap.FLOAT32, ap.FLOAT16, ap.BFLOAT16)


def start(rng):
    """A random network, the running example, or one with small integers, no biases, dead or doubled neurons."""
    kind, depth, width = rng.integers(6), int(rng.integers(1, 6)), int(rng.integers(1, 9))
    if kind == 0:
        return (gentle_sawtooth, sawtooth)[rng.integers(2)](depth, float(rng.choice([0.4, 0.5, 0.3])))
    net = he_random([1, *[width] * depth, 1], rng, bias_std=float(rng.choice([0.0, 0.1, 1.0])))
    if kind > 2:
        return net
    weights = [np.round(2 * w) / 2 for w in net.weights]
    biases = [np.round(2 * b) / 2 for b in net.biases]
    if kind == 2:  # the first two rows alike, the last neuron dead
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            w[:2], b[:2] = w[0], b[0]
            w[-1], b[-1] = 0, -1
    return ap.ReLUNetwork(weights, biases)


def run(seed, steps):
    rng, fmt = np.random.default_rng([13, seed]), FORMATS[seed % 4]
    net = ap.round_network(start(rng), fmt)
    points = int(rng.integers(1, 33))
    x = ap.round_to(rng.random((points, 1)), fmt)
    y = ap.round_to(rng.choice([np.square, np.round, np.zeros_like])(x), fmt)
    return ap.Run(net, x, y, float(rng.choice([0.01, 2.0**-8, 0.1])), steps, machine=ap.Rounded(fmt),
                  record=range(steps + 1))


def difference(runs):
    """What differs between JavaScript and Python: a list of sentences, empty if nothing does."""
    asked = [{"task": "trained", "net": network(r.start), "x": to_hex(r.x.ravel()), "y": to_hex(r.y.ravel()),
              "rate": r.learning_rate, "fmt": str(r.machine.format), "steps": r.steps}
             for r in runs]
    found = []
    for i, (r, answer) in enumerate(zip(runs, ask(asked), strict=True)):
        history = ap.train(r)
        ours, theirs = rebuilt(answer, r.start.widths), history.networks[-1]
        if any(to_hex(a) != to_hex(b) for a, b in zip((*ours.weights, *ours.biases),
                                                      (*theirs.weights, *theirs.biases), strict=True)):
            found.append(f"run {i} ({r.machine}): parameters differ")
        counts = history.count(UNIT)
        if len(answer["counts"]) != len(history.steps):
            found.append(f"run {i}: ends after step {len(answer['counts']) - 1}, Python's after {history.steps[-1]}")
        if [c["pieces"] for c in answer["counts"]] != list(counts.pieces):
            found.append(f"run {i}: pieces {[c['pieces'] for c in answer['counts']]}, Python {list(counts.pieces)}")
        if [c["regions"] for c in answer["counts"]] != list(counts.regions):
            found.append(f"run {i}: regions {[c['regions'] for c in answer['counts']]}, Python {list(counts.regions)}")
    return found
