"""Affine pieces of a torch module by definition: its own layers on value and right derivative, in Fractions."""
from __future__ import annotations

import itertools
from fractions import Fraction
from functools import reduce

import numpy as np
import torch

from importers.jets import Jet, adaptive, batch_norm, convolution, exact, jet, linear, mean, windows


class Walker(torch.fx.Interpreter):
    """The module's graph on jets at one t; `end` is where the first decision may change."""

    def __init__(self, graph, t, end):
        super().__init__(graph)
        self.t, self.end = t, end

    def larger(self, x, y):
        """By value, then by the right derivative."""
        x, y = jet(x), jet(y)
        gap = x - y
        if gap.slope != 0 and -gap.value / gap.slope > 0:
            self.end = min(self.end, self.t - gap.value / gap.slope)
        return x if (gap.value, gap.slope) > (0, 0) else y

    def smaller(self, x, y):
        return -self.larger(-jet(x), -jet(y))

    def largest(self, numbers):
        return reduce(self.larger, numbers)

    def get_attr(self, target, args, kwargs):
        return exact(self.fetch_attr(target))

    def call_module(self, target, args, kwargs):
        layer = self.fetch_attr(target)
        return getattr(self, type(layer).__name__)(args[0], layer)

    def call_function(self, target, args, kwargs):
        own = getattr(self, target.__name__, None)
        return own(*args, **kwargs) if own else target(*args, **kwargs)  # operators on arrays and numbers

    def call_method(self, target, args, kwargs):
        return getattr(self, target)(*args, **kwargs)

    def each(self, x, rule, inplace=False):
        new = np.array([rule(number) for number in x.ravel()], object).reshape(x.shape)
        if inplace:
            x[...] = new
        return x if inplace else new

    def pair(self, rule, x, y):
        x, y = np.broadcast_arrays(x, y)
        return np.array([rule(a, b) for a, b in zip(x.ravel(), y.ravel(), strict=True)], object).reshape(x.shape)

    # functions and methods

    def relu(self, x, inplace=False):
        return self.each(x, lambda z: self.larger(z, 0), inplace)

    def relu_(self, x):
        return self.relu(x, True)

    def leaky_relu(self, x, negative_slope=0.01, inplace=False):
        return self.each(x, lambda z: self.leaky(z, negative_slope), inplace)

    def leaky(self, z, slope):
        positive = self.larger(z, 0)
        return positive + (z - positive) * slope

    def hardtanh(self, x, min_val=-1.0, max_val=1.0, inplace=False):
        return self.each(x, lambda z: self.smaller(self.larger(z, min_val), max_val), inplace)

    def relu6(self, x, inplace=False):
        return self.hardtanh(x, 0, 6, inplace)

    def clamp(self, x, min=None, max=None):
        x = x if min is None else self.each(x, lambda z: self.larger(z, min))
        return x if max is None else self.each(x, lambda z: self.smaller(z, max))

    def abs(self, x):
        return self.each(x, lambda z: self.larger(z, -z))

    def maximum(self, x, y):
        return self.pair(self.larger, x, y)

    def minimum(self, x, y):
        return self.pair(self.smaller, x, y)

    def add(self, x, y, alpha=1):
        return x + y * alpha

    def sub(self, x, y):
        return x - y

    def mul(self, x, y):
        return x * y

    def neg(self, x):
        return -x

    def dropout(self, x, p, training, inplace=False):
        assert not training
        return x

    def over(self, x, axes, keepdim, rule):
        axes = sorted(a % x.ndim for a in ((axes,) if isinstance(axes, int) else axes))
        rest = [a for a in range(x.ndim) if a not in axes]
        points = x.transpose(*rest, *axes).reshape(*(x.shape[a] for a in rest), -1)
        y = np.array([rule(points[place]) for place in np.ndindex(*points.shape[:-1])], object)
        return y.reshape([1 if a in axes else n for a, n in enumerate(x.shape) if keepdim or a not in axes])

    def mean(self, x, dim, keepdim=False):
        return self.over(x, dim, keepdim, mean)

    def sum(self, x, dim, keepdim=False):
        return self.over(x, dim, keepdim, lambda numbers: sum(numbers, Jet(0)))

    def max_pool1d(self, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        seen = windows(x, kernel_size, stride or kernel_size, padding, dilation, None)
        return self.over(seen, -1, False, lambda numbers: self.largest(z for z in numbers if z is not None))

    def avg_pool1d(self, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
                   divisor_override=None):
        seen = windows(x, kernel_size, stride or kernel_size, padding, 1, Jet(0) if count_include_pad else None)
        if divisor_override:
            return self.over(seen, -1, False, lambda numbers: sum((z for z in numbers if z is not None), Jet(0))
                             * (1 / divisor_override))
        return self.over(seen, -1, False, lambda numbers: mean([z for z in numbers if z is not None]))

    def adaptive_max_pool1d(self, x, size, return_indices=False):
        return adaptive(x, size, self.largest)

    def adaptive_avg_pool1d(self, x, size):
        return adaptive(x, size, mean)

    max_pool2d, avg_pool2d = max_pool1d, avg_pool1d
    adaptive_max_pool2d, adaptive_avg_pool2d = adaptive_max_pool1d, adaptive_avg_pool1d

    # what only moves numbers about

    def size(self, x, dim=None):
        return x.shape if dim is None else x.shape[dim]

    def reshape(self, x, *shape):
        return x.reshape(*shape)

    def flatten(self, x, start_dim=0, end_dim=-1):
        end = end_dim % x.ndim
        return x.reshape(*x.shape[:start_dim], -1, *x.shape[end + 1:])

    def permute(self, x, *axes):
        return x.transpose(*axes)

    def transpose(self, x, a, b):
        return np.swapaxes(x, a, b)

    def unsqueeze(self, x, dim):
        return np.expand_dims(x, dim)

    def squeeze(self, x, dim):
        return np.squeeze(x, dim) if x.shape[dim] == 1 else x

    def cat(self, parts, dim=0):
        return np.concatenate(parts, dim)

    def stack(self, parts, dim=0):
        return np.stack(parts, dim)

    def split(self, x, size, dim=0):
        cuts = np.cumsum(size)[:-1] if isinstance(size, list) else range(size, x.shape[dim], size)
        return np.split(x, list(cuts), dim)

    def chunk(self, x, chunks, dim=0):
        return self.split(x, -(-x.shape[dim] // chunks), dim)

    view = reshape

    # layers

    def Identity(self, x, layer):
        return x

    Dropout = Identity

    def Flatten(self, x, layer):
        return self.flatten(x, layer.start_dim, layer.end_dim)

    def Linear(self, x, layer):
        return linear(x, exact(layer.weight), None if layer.bias is None else exact(layer.bias))

    def Conv1d(self, x, layer):
        return convolution(x, layer)

    def BatchNorm1d(self, x, layer):
        return batch_norm(x, layer)

    def ReLU(self, x, layer):
        return self.relu(x, layer.inplace)

    def LeakyReLU(self, x, layer):
        return self.leaky_relu(x, layer.negative_slope, layer.inplace)

    def PReLU(self, x, layer):
        slopes = exact(layer.weight).reshape(-1, *[1] * (x.ndim - 2))
        return self.pair(self.leaky, x, slopes)

    def Hardtanh(self, x, layer):
        return self.hardtanh(x, layer.min_val, layer.max_val, layer.inplace)

    def MaxPool1d(self, x, layer):
        return self.max_pool1d(x, layer.kernel_size, layer.stride, layer.padding, layer.dilation)

    def AvgPool1d(self, x, layer):
        return self.avg_pool1d(x, layer.kernel_size, layer.stride, layer.padding, False, layer.count_include_pad,
                               getattr(layer, "divisor_override", None))

    def AdaptiveMaxPool1d(self, x, layer):
        return adaptive(x, layer.output_size, self.largest)

    def AdaptiveAvgPool1d(self, x, layer):
        return adaptive(x, layer.output_size, mean)

    Conv2d, BatchNorm2d, ReLU6, MaxPool2d, AvgPool2d = Conv1d, BatchNorm1d, Hardtanh, MaxPool1d, AvgPool1d
    AdaptiveMaxPool2d, AdaptiveAvgPool2d = AdaptiveMaxPool1d, AdaptiveAvgPool1d


def walk(module, shape, segment):
    """Where the slope of some output changes, with both ends, and the outputs there: (r + 1,), (r + 1, m)."""
    graph = torch.fx.symbolic_trace(module)
    start, direction = ([Fraction(float(v)) for v in values] for values in (segment.start, segment.direction))
    t, steps = Fraction(segment.a), []
    while t < segment.b:
        x = [Jet(s + t * d, d) for s, d in zip(start, direction, strict=True)]
        walker = Walker(graph, t, Fraction(segment.b))
        y = walker.run(np.array(x, object).reshape(1, *shape)).ravel()
        steps.append((t, [jet(z).value for z in y], [jet(z).slope for z in y]))
        t = walker.end
    kept = [steps[0], *(right for left, right in itertools.pairwise(steps) if left[2] != right[2])]
    begin, value, slope = kept[-1]
    last = [v + (Fraction(segment.b) - begin) * s for v, s in zip(value, slope, strict=True)]
    return [s[0] for s in kept] + [Fraction(segment.b)], [s[1] for s in kept] + [last]
