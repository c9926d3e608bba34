"""Random networks of the kinds on which counting goes wrong."""
from __future__ import annotations

import numpy as np

import affinepieces as ap

FAMILIES = ("generic", "zero_bias", "integers", "repeated", "dead", "one_ulp", "peaks", "scaled",
            "bfloat16", "subnormal", "huge")


def network(family: str, seed: int, dtype=np.float64, input_dim: int = 1,  # noqa: C901
            widths=None) -> ap.ReLUNetwork:
    """A small random network of the family; the same for the same arguments."""
    rng = np.random.default_rng([FAMILIES.index(family), seed])
    hidden = list(widths or rng.integers(1, 7, rng.integers(1, 5)))
    if family == "peaks":
        return ap.constructions.sawtooth(len(hidden) + 1, float(rng.choice([1 / 3, 1 / 5, 0.1]))).astype(dtype)
    net = ap.constructions.he_random([input_dim, *hidden, int(rng.integers(1, 3))], rng, bias_std=0.7)
    w, b = [a.copy() for a in net.weights], [c.copy() for c in net.biases]
    power = 5 if dtype == np.float16 else 40
    if family == "zero_bias":
        b = [0 * c for c in b]
    elif family == "integers":
        w = [rng.integers(-2, 3, a.shape).astype(float) for a in w]
        b = [rng.integers(-2, 3, c.shape).astype(float) for c in b]
    elif family in ("repeated", "one_ulp"):
        for a, c in zip(w[:-1], b[:-1], strict=True):
            a[-1], c[-1] = a[0], c[0]
            if family == "one_ulp":
                c[-1] = np.nextafter(np.asarray(c[0], dtype), dtype(np.inf))
    elif family == "dead":
        for c in b[:-1]:
            c[0] = -100.0
    elif family == "bfloat16":  # 8 significand bits
        w = [(np.ldexp(np.round(np.ldexp(np.frexp(a)[0], 8)), np.frexp(a)[1] - 8)) for a in w]
        b = [(np.ldexp(np.round(np.ldexp(np.frexp(c)[0], 8)), np.frexp(c)[1] - 8)) for c in b]
    elif family in ("subnormal", "huge"):  # first layer near the end of the format, as far as it goes
        end = np.finfo(dtype).minexp - 2 if family == "subnormal" else np.finfo(dtype).maxexp - 4
        w[0], b[0] = np.ldexp(w[0], end), np.ldexp(b[0], end)
        b[1:] = [np.ldexp(c, min(end, 0) // 2) for c in b[1:]]
    elif family == "scaled":
        for j in range(len(w)):
            w[j] = w[j] * 2.0 ** (power * (-1) ** j)
            b[j] = b[j] * 2.0 ** (power * ((j + 1) % 2))
    return ap.ReLUNetwork([a.astype(dtype) for a in w], [c.astype(dtype) for c in b])


def segment(input_dim: int, seed: int) -> ap.Segment:
    """[-3, 3], or a random line through the input space."""
    if input_dim == 1:
        return ap.Segment(-3, 3)
    rng = np.random.default_rng(seed)
    return ap.Segment(-2, 2.5, start=rng.standard_normal(input_dim), direction=rng.standard_normal(input_dim))
