"""Rounded arithmetic and exact gradients: how long they take, beside numpy's float64 on the same work."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

import affinepieces as ap
from affinepieces.descent.arithmetics import arithmetic_of
from affinepieces.descent.gradients import fused
from timing import best

SMALL, LARGE = (16, 4, 64), (64, 5, 256)  # width, layers, points


def numpy_step(weights, biases, x, y, rate):
    """One step of gradient descent in float64, as one would write it with numpy."""
    hidden = [x]
    for a, b in zip(weights[:-1], biases[:-1], strict=True):
        hidden.append(np.maximum(hidden[-1] @ a.T + b, 0))
    residual = hidden[-1] @ weights[-1].T + biases[-1] - y
    loss, delta = (residual * residual).mean(), 2 * residual / len(x)
    new = []
    for j in range(len(weights) - 1, -1, -1):
        new.append((weights[j] - rate * (delta.T @ hidden[j]), biases[j] - rate * delta.sum(axis=0)))
        if j:
            delta = (delta @ weights[j]) * (hidden[j] > 0)
    return new, loss


def steps(width: int, layers: int, points: int) -> dict[str, float]:
    """Seconds for one step of the network: numpy, rounded (kernel, with all checks, in training, with Adam), the exact
    gradient, and the attribution of the error."""
    fmt, rng = ap.BFLOAT16, np.random.default_rng(width)
    net = ap.round_network(ap.constructions.he_random([1] + [width] * (layers - 1) + [1], rng, bias_std=1.0), fmt)
    x = ap.round_to(np.linspace(0, 1, points)[:, None], fmt)
    y = ap.round_to(x**2, fmt)
    flat = np.concatenate([p.ravel() for pair in zip(net.weights, net.biases, strict=True) for p in pair])
    machine, do, widths = ap.Rounded(fmt), arithmetic_of(ap.Rounded(fmt)), np.array(net.widths)
    run = ap.Run(net, x, y, 2.0**-12, 200, machine)

    def kernel():
        gradient, _, _ = fused(flat, widths, x.T.copy(), y.T.copy(), machine, 1.0)
        do.subtract(flat, do.scale(gradient, 2.0**-6))

    return {"numpy_s": best(lambda: numpy_step(net.weights, net.biases, x, y, 2.0**-6)), "kernel_s": best(kernel),
            "checked_s": best(lambda: ap.step(net, x, y, 2.0**-6, ap.Rounded(fmt))),
            "train_s": best(lambda: ap.train(run)) / 200,
            "adam_s": best(lambda: ap.train(replace(run, optimiser=ap.Adam()))) / 200,
            "exact_s": best(lambda: ap.gradients(net, x, y, ap.Exact())),
            "attribution_s": best(lambda: ap.attribute(net, x, y, machine))}


def many_seeds() -> dict[str, dict[str, float]]:
    """Seconds for 500 steps of 32 runs of width 16, 4 layers, 64 points, with one and with two workers."""
    out = {}
    for machine in (ap.Rounded(ap.BFLOAT16), ap.Rounded(ap.BFLOAT16, ap.Stochastic(0)), ap.Native("float32")):
        fmt = machine.format
        net = ap.round_network(ap.constructions.he_random([1, 16, 16, 16, 1], np.random.default_rng(0), 1.0), fmt)
        x = ap.round_to(np.linspace(0, 1, 64)[:, None], fmt)
        runs = [ap.Run(net, x, ap.round_to(x**2, fmt), 2.0**-6, 500, machine, seed=s) for s in range(32)]
        out[repr(machine)] = {f"{n} workers": best(lambda n=n, runs=runs: ap.train_many(runs, workers=n))
                              for n in (1, 2)}
    return out


def products() -> dict[str, float]:
    """Billions of multiply-adds a second of (64, 64) times (64, 1024), every operation rounded, one thread."""
    rng, speeds = np.random.default_rng(0), {}
    for name, fmt, rounding in (("float64", ap.FLOAT64, ap.NEAREST), ("float32", ap.FLOAT32, ap.NEAREST),
                                ("float16", ap.FLOAT16, ap.NEAREST), ("bfloat16", ap.BFLOAT16, ap.NEAREST),
                                ("bfloat16, stochastic", ap.BFLOAT16, ap.Stochastic(0)),
                                ("40 bits", ap.wide(40), ap.NEAREST)):
        a = np.asarray(ap.round_to(rng.standard_normal((64, 64)), fmt))
        b = np.asarray(ap.round_to(rng.standard_normal((64, 1024)), fmt))
        speeds[name] = 64 * 64 * 1024 / best(lambda a=a, b=b, f=fmt, r=rounding: ap.matmul(a, b, f, r)) / 1e9
    speeds["float64, numpy"] = 64 * 64 * 1024 / best(lambda: a @ b) / 1e9
    return speeds


def measure() -> dict[str, object]:
    x = np.random.default_rng(0).standard_normal(10**6)
    return {
        "elements_per_s": {"nearest": 1e6 / best(lambda: ap.round_to(x, ap.wide(8))),
                           "stochastic": 1e6 / best(lambda: ap.round_to(x, ap.wide(8), ap.Stochastic(0)))},
        "giga_multiply_adds_per_s": products(),
        "many_seeds": many_seeds(),
        "steps": {"width 16, 4 layers, 64 points": steps(*SMALL), "width 64, 5 layers, 256 points": steps(*LARGE)},
    }


def show(found: dict) -> None:
    print("rounding to 8 bits, G elements/s:", {k: round(v / 1e9, 2) for k, v in found["elements_per_s"].items()})
    print("(64, 64) times (64, 1024), G multiply-adds/s:",
          {k: round(v, 2) for k, v in found["giga_multiply_adds_per_s"].items()})
    for name, s in found["steps"].items():
        print(f"step, {name}: numpy {1e3 * s['numpy_s']:.3f} ms, rounded {1e3 * s['kernel_s']:.3f} ms "
              f"({s['kernel_s'] / s['numpy_s']:.1f} times numpy), with all checks {1e3 * s['checked_s']:.3f} ms; "
              f"in training {1e3 * s['train_s']:.3f} ms, with Adam {1e3 * s['adam_s']:.3f} ms; "
              f"exact gradient {1e3 * s['exact_s']:.1f} ms, attribution {s['attribution_s']:.2f} s")
    for name, s in found["many_seeds"].items():
        print(f"32 seeds, {name}: {s['1 workers']:.2f} s with one worker, {s['2 workers']:.2f} s with two")
