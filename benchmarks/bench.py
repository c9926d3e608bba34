"""Counting and rounding in one run on one machine, beside plain numpy, a public float tool, and the physical floor.

`make bench` prints the table and writes results/bench.json, which the book shows.
"""
from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import regioncam
import torch
from tqdm import tqdm

import affinepieces as ap
import models
import planes
import rounding
import sweeps
from affinepieces import constructions as c
from affinepieces.pieces.exact import trace_exact
from naive import floor_pass, naive_breakpoints
from timing import best

OUT = Path(__file__).resolve().parents[1] / "results" / "bench.json"
LEVELS = ("float64", "double_double", "words", "exact")
BULK_TARGET = 40_000  # proved counts a second of small snapshots, on two cores
UNIT, WIDE = ap.Segment(0, 1), ap.Segment(-5, 5)


def peer_regions(net: ap.ReLUNetwork, segment: ap.Segment) -> int:
    """regioncam works on an interval of the given length around the origin, so the segment is moved there."""
    camera = regioncam.Regioncam1D(size=segment.length)
    shift = net.biases[0] + (segment.a + segment.length / 2) * net.weights[0][:, 0]
    for j, (w, b) in enumerate(zip(net.weights, [shift, *net.biases[1:]], strict=True)):
        camera.linear(w.T.astype(np.float32), b.astype(np.float32))
        if j < net.layers - 1:
            camera.relu()
    return camera.num_edges


def trained_square(n: int, steps: int = 1000) -> ap.ReLUNetwork:
    generator = torch.Generator().manual_seed(n)
    model, x = c.square(n).astype(np.float32).to_torch(), torch.linspace(0, 1, 257)[:, None]
    y = x**2 + 0.05 * torch.randn(x.shape, generator=generator)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        optimiser.step()
    return ap.ReLUNetwork.from_torch(model)


def random(width: int, depth: int) -> ap.ReLUNetwork:
    return c.he_random([1] + [width] * depth + [1], np.random.default_rng([width, depth]), bias_std=1.0)


def row(name: str, net: ap.ReLUNetwork, segment: ap.Segment, truth: int | None = None) -> dict[str, object]:
    """One line of the table; truth: regions, from rational arithmetic where it is not given."""
    sizes: list[int] = []
    naive = len(naive_breakpoints(net, segment.a, segment.b, sizes)) - 1
    rng = np.random.default_rng(0)
    columns = [rng.standard_normal((m, a.shape[1])) for m, a in zip(sizes, net.weights, strict=True)]
    function = ap.trace(net, segment)
    return {
        "network": name, "regions": function.regions, "pieces": function.pieces,
        "truth": truth or trace_exact(net, segment).regions,
        "naive_regions": naive, "peer_regions": peer_regions(net, segment),
        "pieces_s": best(lambda: ap.count_pieces(net, segment)),
        "regions_s": best(lambda: ap.count_regions(net, segment)),
        "naive_s": best(lambda: naive_breakpoints(net, segment.a, segment.b)),
        "peer_s": best(lambda: peer_regions(net, segment)),
        "floor_s": best(lambda: floor_pass(net, columns)),
        "certificate": {level: getattr(function.certificate, level) for level in LEVELS},
    }


def sawtooth(n: int) -> dict[str, float]:
    """Seconds and peak memory (GB, Linux) of a fresh process that counts the pieces of the sawtooth with n layers."""
    code = f"""import affinepieces as ap, re, time
ap.count_pieces(ap.constructions.sawtooth(3), ap.Segment(0, 1))
begin = time.perf_counter()
assert ap.count_pieces(ap.constructions.sawtooth({n}), ap.Segment(0, 1)) == 2**{n}
print(time.perf_counter() - begin, re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    seconds, kilobytes = done.stdout.split()
    return {"seconds": float(seconds), "gb": int(kilobytes) / 2**20}


def snapshots(dtype: type, number: int = 5000) -> list[ap.ReLUNetwork]:
    """Along 50 training runs: small steps away from random networks 1-16-16-16-16-1."""
    rng, nets = np.random.default_rng(0), []
    for k in range(number):
        if k % 100 == 0:
            net = c.he_random([1, 16, 16, 16, 16, 1], rng, bias_std=0.3)
        w, b = ([a + 1e-3 * rng.standard_normal(a.shape) for a in arrays] for arrays in (net.weights, net.biases))
        nets.append(ap.ReLUNetwork(w, b).astype(dtype))
    return nets


def bulk() -> dict[str, float]:
    """Counts a second of snapshots on [0, 1]: in bulk, and a part of them one at a time."""
    rates = {}
    for dtype in (np.float64, np.float32):
        nets = snapshots(dtype)
        rates[dtype.__name__] = len(nets) / best(lambda nets=nets: ap.count_many(nets, UNIT), 3.0)
    one = [ap.count_pieces(net, UNIT) for net in nets[:500]]
    assert ap.count_many(nets[:500], UNIT).pieces.tolist() == one
    rates["one at a time"] = 500 / best(lambda: [ap.count_pieces(net, UNIT) for net in nets[:500]])
    return rates


def hard() -> dict[str, float]:
    """Seconds for the pieces of networks on which float64 alone gets nowhere, or which are large."""
    nets = {f"{d} layers of 64, biases 0.1": c.he_random([1] + [64] * d + [1], np.random.default_rng(0), bias_std=0.1)
            for d in (30, 35, 40, 50)}
    plain = c.he_random([1] + [256] * 8 + [1], np.random.default_rng([256, 8]), bias_std=1.0)
    weights = [a.copy() for a in plain.weights]
    weights[3][5, 7] = 1e-295
    nets["8 layers of 256, one weight 1e-295"] = ap.ReLUNetwork(weights, plain.biases)
    found = {name: best(lambda net=net: ap.count_pieces(net, ap.Segment(-3, 3))) for name, net in nets.items()}
    rng = np.random.default_rng(0)
    images = c.he_random([784] + [256] * 6 + [10], rng, bias_std=0.1, dtype=np.float32)
    line = ap.Segment.between(*rng.random((2, 784)))
    found["6 layers of 256, between two points in dimension 784"] = best(lambda: ap.count_pieces(images, line))
    return found


def show(rows: list[dict]) -> None:
    print(f"{'network':28}{'regions':>9}{'truth':>9}{'naive':>9}{'peer':>9}"
          f"{'certified':>12}{'/naive':>8}{'/peer':>8}{'naive/floor':>12}")
    for r in rows:
        print(f"{r['network']:28}{r['regions']:9}{r['truth']:9}{r['naive_regions']:9}{r['peer_regions']:9}"
              f"{1e3 * r['pieces_s']:9.2f} ms{r['pieces_s'] / r['naive_s']:8.2f}{r['pieces_s'] / r['peer_s']:8.2f}"
              f"{r['naive_s'] / r['floor_s']:12.1f}")


def main() -> None:
    work = [(f"random {w} x {d}", random(w, d), WIDE, None)
            for w, d in ((64, 3), (64, 8), (256, 3), (256, 8), (64, 30))]
    work += [(f"sawtooth, n = {n}", c.sawtooth(n), UNIT, 2**n) for n in (12, 16, 20)]
    work += [(f"sawtooth, peak 1/3, n = {n}", c.sawtooth(n, 1 / 3), UNIT, 2**n + 1) for n in (10, 16)]
    work += [(f"x^2 trained, n = {n}", trained_square(n), UNIT, None) for n in (8, 10, 12, 14)]
    rows = [row(*item) for item in tqdm(work)]
    assert all(r["regions"] == r["truth"] for r in rows)

    nets = [c.he_random([1, 16, 16, 16, 16, 1], np.random.default_rng(s), bias_std=1.0) for s in range(1000)]
    growth = {n: best(lambda n=n: ap.count_pieces(c.sawtooth(n), UNIT)) / 2**n * 1e9 for n in range(12, 21, 2)}
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("affinepieces", "numpy", "numba", "python-flint", "regioncam")},
        "rows": rows,
        "snapshots_per_s": 1000 / best(lambda: ap.count_many(nets, WIDE)),
        "bulk_per_s": bulk() | {"target": BULK_TARGET},
        "ns_per_piece": growth,
        "rounding": rounding.measure(),
        "study": sweeps.measure(),
        "hard_s": hard(),
        "models": models.measure(),
        "planes": planes.measure(),
        "large": {f"sawtooth n = {n}": sawtooth(n) for n in (4, 20, 24, 26)},
    }
    show(rows)
    print(f"snapshots of 1-16-16-16-16-1: {result['snapshots_per_s']:.0f} per second")
    print("the same along training on [0, 1], per second:", {k: round(v) for k, v in result["bulk_per_s"].items()})
    print("sawtooth, ns per piece:", {n: round(v) for n, v in growth.items()})
    print("hard, seconds:", {k: round(v, 4) for k, v in result["hard_s"].items()})
    print("large:", {k: {u: round(w, 2) for u, w in v.items()} for k, v in result["large"].items()})
    models.show(result["models"])
    planes.show(result["planes"])
    rounding.show(result["rounding"])
    sweeps.show(result["study"])
    OUT.write_text(json.dumps(result, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
