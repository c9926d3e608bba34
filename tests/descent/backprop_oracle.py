"""Backpropagation written out with Fractions, entry by entry; `rnd` is applied to the result of every operation."""
from __future__ import annotations

from fractions import Fraction


def exact(v):
    return v


def lists(net):
    weights = [[[Fraction(float(v)) for v in row] for row in a] for a in net.weights]
    return weights, [[Fraction(float(v)) for v in b] for b in net.biases]


def total(terms, rnd):
    s = terms[0]
    for term in terms[1:]:
        s = rnd(s + term)
    return s


def forward(weights, biases, point, rnd):
    """Activations of all layers below the output, preactivations of all layers."""
    h, hs, zs = [Fraction(float(v)) for v in point], [], []
    for j, (a, b) in enumerate(zip(weights, biases, strict=True)):
        hs.append(h)
        z = [rnd(total([rnd(w * v) for w, v in zip(row, h, strict=True)], rnd) + c)
             for row, c in zip(a, b, strict=True)]
        zs.append(z)
        h = [max(v, Fraction(0)) for v in z] if j < len(weights) - 1 else z
    return hs, zs


def loss(weights, biases, x, y):
    out = [forward(weights, biases, p, exact)[1][-1] for p in x]
    return sum((v - Fraction(float(t))) ** 2 for o, ts in zip(out, y, strict=True)
               for v, t in zip(o, ts, strict=True)) / len(x)


def gradient(net, x, y, rnd=exact):
    weights, biases = lists(net)
    passes = [forward(weights, biases, p, rnd) for p in x]
    deltas = []  # for each point, for each layer from the last to the first
    for (_, zs), labels in zip(passes, y, strict=True):
        d = [rnd(2 * rnd(z - Fraction(float(t))) / len(x)) for z, t in zip(zs[-1], labels, strict=True)]
        back = [d]
        for j in range(len(weights) - 1, 0, -1):
            d = [total([rnd(weights[j][i][k] * d[i]) for i in range(len(d))], rnd) if zs[j - 1][k] > 0 else Fraction(0)
                 for k in range(len(zs[j - 1]))]
            back.append(d)
        deltas.append(back[::-1])
    gw = [[[total([rnd(deltas[s][j][i] * passes[s][0][j][k]) for s in range(len(x))], rnd)
            for k in range(len(a[0]))] for i in range(len(a))] for j, a in enumerate(weights)]
    gb = [[total([deltas[s][j][i] for s in range(len(x))], rnd) for i in range(len(b))] for j, b in enumerate(biases)]
    return gw, gb
