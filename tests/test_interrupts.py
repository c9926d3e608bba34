"""Ctrl-C is a KeyboardInterrupt within a second, also while compiled code works."""
import subprocess
import sys

import pytest

START = """
import os, signal, sys, threading, time
import numpy as np
import affinepieces as ap

{setup}
times = []
def interrupt():
    time.sleep(0.6)
    times.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    {call}
    print("finished")
except BaseException as error:
    print(type(error).__name__, time.perf_counter() - times[0])
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
SAWTOOTH = "net, line = ap.constructions.sawtooth(30), ap.Segment(0, 1)\nap.{0}(ap.constructions.sawtooth(3), line)"
BULK = """line, draw = ap.Segment(-3, 3), np.random.default_rng(0)
nets = [ap.constructions.he_random([1] + [60] * 6 + [1], draw, bias_std=1.0) for _ in range(200)] * 1000
ap.count_many(nets[:2], line)"""
WIDE = """net = ap.constructions.he_random([1] + [200] * 60 + [1], np.random.default_rng(0), bias_std=0.1)
line = ap.Segment(-3, 3)
ap.{0}(ap.constructions.he_random([1] + [20] * 40 + [1], np.random.default_rng(0), bias_std=0.1), line)"""
PLANE = """net = ap.constructions.he_random([2, 300, 300, 1], np.random.default_rng(0), bias_std=0.5)
square = ap.Polygon.square(3)
ap.count_pieces(ap.constructions.he_random([2, 3, 3, 1], np.random.default_rng(0)), square)"""
DATA = """rng = np.random.default_rng(0)
net = ap.constructions.he_random([1, 400, 400, 400, 1], rng, bias_std=1.0)
x = np.linspace(0, 1, 2000)[:, None]
small = ap.constructions.sawtooth(2), x[:3], x[:3]
net, x = ap.round_network(net, {0}), ap.round_to(x, {0})
ap.gradients(ap.round_network(small[0], {0}), ap.round_to(small[1], {0}), ap.round_to(small[2], {0}), {1})"""


@pytest.mark.parametrize(("setup", "call"), [
    *((SAWTOOTH.format(name), f"ap.{name}(net, line)") for name in ("count_pieces", "count_regions", "trace")),
    (SAWTOOTH.format("count_pieces"), "ap.count_many([net] * 2, line)"),
    (BULK, "ap.count_many(nets, line)"),
    (SAWTOOTH.format("trace"), "ap.trace(net, line, exact=True)"),
    (PLANE, "ap.count_pieces(net, square)"), (PLANE, "ap.trace(net, square, exact=True)"),
    (WIDE.format("count_pieces"), "ap.count_pieces(net, line)"),
    (DATA.format("ap.BFLOAT16", "ap.Rounded(ap.BFLOAT16)"), "ap.gradients(net, x, x, ap.Rounded(ap.BFLOAT16))"),
    (DATA.format("ap.FLOAT64", "ap.Exact()"), "ap.gradients(net, x, x, ap.Exact())"),
    ("a = ap.round_to(np.ones((2000, 2000)), ap.BFLOAT16)\nap.matmul(a[:2, :2], a[:2, :2], ap.BFLOAT16)",
     "ap.matmul(a, a, ap.BFLOAT16)"),
], ids=["pieces", "regions", "trace", "many", "in bulk", "exact trace", "polygon", "exact trace of a polygon",
        "wide and deep", "rounded gradient", "exact gradient", "matmul"])
def test_within_a_second(setup, call):
    done = subprocess.run([sys.executable, "-c", START.format(setup=setup, call=call)], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    name, seconds = done.stdout.split()
    assert name == "KeyboardInterrupt"
    assert float(seconds) < 2  # one on an idle machine
