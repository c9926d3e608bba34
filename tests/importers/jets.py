"""Numbers along a segment, and the affine layers of torch on arrays of them, in Fractions."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch


class Jet:
    """A number along the segment: its value at t and its derivative to the right."""

    def __init__(self, value, slope=0):
        self.value, self.slope = Fraction(value), Fraction(slope)

    def __add__(self, other):
        other = jet(other)
        return Jet(self.value + other.value, self.slope + other.slope)

    def __mul__(self, factor):
        factor = Fraction(factor)
        return Jet(self.value * factor, self.slope * factor)

    def __truediv__(self, divisor):
        return self * (1 / float(divisor))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -jet(other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__


def jet(x):
    return x if isinstance(x, Jet) else Jet(x)


def exact(tensor):
    """A tensor of parameters as an array of Fractions."""
    values = tensor.detach().numpy()
    return np.array([Fraction(float(v)) for v in values.ravel()], object).reshape(values.shape)


def windows(x, kernel, stride, padding, dilation, outside):
    """(1, C, *S) -> (1, C, *O, K): what each window sees."""
    n = x.ndim - 2
    kernel, stride, padding, dilation = ([v] * n if isinstance(v, int) else list(v)
                                         for v in (kernel, stride, padding, dilation))
    padded = np.full((*x.shape[:2], *(s + 2 * p for s, p in zip(x.shape[2:], padding, strict=True))), outside, object)
    padded[(..., *(slice(p, p + s) for s, p in zip(x.shape[2:], padding, strict=True)))] = x
    out = [(s - d * (k - 1) - 1) // step + 1
           for s, d, k, step in zip(padded.shape[2:], dilation, kernel, stride, strict=True)]
    seen = np.empty((*x.shape[:2], *out, int(np.prod(kernel))), object)
    for place in np.ndindex(*out):
        part = tuple(slice(i * step, i * step + d * (k - 1) + 1, d)
                     for i, step, d, k in zip(place, stride, dilation, kernel, strict=True))
        seen[(slice(None), slice(None), *place)] = padded[(..., *part)].reshape(*x.shape[:2], -1)
    return seen


def adaptive(x, sizes, choose):
    sizes = [sizes] * (x.ndim - 2) if isinstance(sizes, int) else list(sizes)
    out = np.empty((*x.shape[:2], *sizes), object)
    for place in np.ndindex(*sizes):
        part = tuple(slice(i * n // m, -((-(i + 1) * n) // m))
                     for i, n, m in zip(place, x.shape[2:], sizes, strict=True))
        for c in range(x.shape[1]):
            out[(0, c, *place)] = choose(x[(0, c, *part)].ravel())
    return out


def mean(numbers):
    return sum(numbers, Jet(0)) * (1 / len(numbers))


def linear(x, weight, bias=None):
    y = x @ weight.T
    return y if bias is None else y + bias


def convolution(x, layer):
    kernel, groups = layer.kernel_size, layer.groups
    padding = layer.padding
    if isinstance(padding, str):
        padding = [d * (k - 1) // 2 if padding == "same" else 0
                   for d, k in zip(layer.dilation, kernel, strict=True)]  # kernels are odd
    seen = windows(x, kernel, layer.stride, padding, layer.dilation, Jet(0))
    weight = exact(layer.weight).reshape(groups, layer.out_channels // groups, -1)
    out = []
    for g, channels in enumerate(np.split(seen[0], groups)):
        points = np.moveaxis(channels, 0, -2)  # (*O, C / groups, K)
        out.append(np.moveaxis(points.reshape(*points.shape[:-2], -1) @ weight[g].T, -1, 0))
    y = np.concatenate(out)[None]
    return y if layer.bias is None else y + exact(layer.bias).reshape(-1, *[1] * (x.ndim - 2))


def batch_norm(x, layer):
    mean, var = layer.running_mean.numpy(), layer.running_var.numpy()
    gamma, beta = (layer.weight.numpy(), layer.bias.numpy()) if layer.affine else (np.ones(1), np.zeros(1))
    scale = gamma / np.sqrt(var + layer.eps)
    shift = beta - mean * scale
    shape = (-1, *[1] * (x.ndim - 2))
    return x * exact(torch.from_numpy(scale)).reshape(shape) + exact(torch.from_numpy(shift)).reshape(shape)
