"""Regions on the square [-1, 1]^2: proved, and by regioncam in float32."""
from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import regioncam

import affinepieces as ap
from timing import best

SQUARE = ap.Polygon.square()
SIZES = ((32, 3, 1.0), (64, 3, 1.0), (64, 4, 1.0), (64, 4, 0.1))
SMALL = 40  # networks with small integers


def random(width: int, depth: int, bias_std: float) -> ap.ReLUNetwork:
    return ap.constructions.he_random([2] + [width] * depth + [1], np.random.default_rng(0), bias_std=bias_std)


def small_integers(seed: int) -> ap.ReLUNetwork:
    rng, widths = np.random.default_rng(seed), (2, 8, 8, 8, 1)
    return ap.ReLUNetwork([rng.integers(-2, 3, (n, m)).astype(float) for m, n in pairwise(widths)],
                          [rng.integers(-2, 3, n).astype(float) for n in widths[1:]])


def peer_regions(net: ap.ReLUNetwork) -> int:
    camera = regioncam.Regioncam(size=1.0)
    for j, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        camera.linear(w.T.astype(np.float32), b.astype(np.float32))
        if j < net.layers - 1:
            camera.relu()
    return int(camera.num_faces)


def peak(net: ap.ReLUNetwork) -> int:
    """The most bytes that a count of the pieces holds."""
    tracemalloc.start()
    ap.count_pieces(net, SQUARE)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def measure() -> dict[str, object]:
    """Seconds for regions, for pieces and for a trace, and bytes; how many small degenerate networks go wrong."""
    rows = []
    for size in SIZES:
        net = random(*size)
        row = {"network": "random {} x {}, biases {:g}".format(*size), "regions": ap.count_regions(net, SQUARE),
               "pieces": ap.count_pieces(net, SQUARE), "peer_regions": peer_regions(net), "bytes": peak(net)}
        for what, call in (("peer_s", lambda net=net: peer_regions(net)),
                           ("regions_s", lambda net=net: ap.count_regions(net, SQUARE)),
                           ("pieces_s", lambda net=net: ap.count_pieces(net, SQUARE)),
                           ("trace_s", lambda net=net: ap.trace(net, SQUARE))):
            row[what] = best(call)
        rows.append(row)
    nets = [small_integers(seed) for seed in range(SMALL)]
    truth = [ap.trace(net, SQUARE, exact=True).regions for net in nets]
    wrong = {"certified": sum(ap.count_regions(net, SQUARE) != n for net, n in zip(nets, truth, strict=True)),
             "regioncam": sum(peer_regions(net) != n for net, n in zip(nets, truth, strict=True))}
    return {"rows": rows, "small_integers": SMALL, "wrong": wrong}


def show(found: dict) -> None:
    print(f"{'on [-1, 1]^2':28}{'regions':>9}{'peer':>9}{'regions':>12}{'pieces':>12}{'trace':>12}{'/peer':>8}"
          f"{'bytes/region':>14}")
    for r in found["rows"]:
        print(f"{r['network']:28}{r['regions']:9}{r['peer_regions']:9}" + "".join(
            f"{1e3 * r[k]:9.2f} ms" for k in ("regions_s", "pieces_s", "trace_s"))
            + f"{r['regions_s'] / r['peer_s']:8.2f}{r['bytes'] / r['regions']:14.0f}")
    print(f"small integers, {found['small_integers']} networks, wrong:", found["wrong"])


if __name__ == "__main__":
    show(measure())
