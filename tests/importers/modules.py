"""Random small torch modules of every supported layer, many of them with ties, dead channels and reuse."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDEST = 24  # numbers in a tensor
Step = Callable[[torch.Tensor], torch.Tensor]
Shape = tuple[int, ...]


class Steps(nn.Module):
    """One step after the other, modules or functions."""

    def __init__(self, steps):
        super().__init__()
        self.layers = nn.ModuleList(step for step in steps if isinstance(step, nn.Module))
        self.steps = list(steps)

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Residual(Steps):
    def forward(self, x):
        return x + super().forward(x)


class Difference(Steps):
    def forward(self, x):
        y = super().forward(x)
        return y - 0.5 * x


class Twice(Steps):
    def forward(self, x):
        return super().forward(F.relu(super().forward(x)))


class Blocks(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return x


class Joined(nn.Module):
    """Two branches side by side."""

    def __init__(self, left, right):
        super().__init__()
        self.left, self.right = left, right

    def forward(self, x):
        return torch.cat([self.left(x), x, self.right(x)], dim=1)


class Stacked(Joined):
    def forward(self, x):
        return torch.stack((self.left(x), self.right(x)), dim=1).flatten(1, 2)


class Larger(Joined):
    def forward(self, x):
        return torch.maximum(self.left(x), self.right(x))


class Smaller(Joined):
    def forward(self, x):
        return torch.minimum(self.left(x), self.right(x))


class Scaled(nn.Module):
    """A parameter and a buffer that the forward pass reads itself."""

    def __init__(self, channels, axes):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1, channels, *[1] * (axes - 1)))
        self.register_buffer("shift", torch.zeros(channels, *[1] * (axes - 1)))

    def forward(self, x):
        return x * self.factor - self.shift


def random_module(seed: int, longest: int = 6) -> tuple[nn.Module, Shape]:
    """A float64 module in eval mode and the shape of its input without batch dimension."""
    rng = np.random.default_rng([31, seed])
    first = [(int(rng.integers(1, 6)),), (int(rng.integers(1, 3)), int(rng.integers(3, 7))),
             (int(rng.integers(1, 3)), int(rng.integers(2, 5)), int(rng.integers(2, 5)))][rng.integers(3)]
    steps: list[Step] = []
    shape, x = first, torch.zeros(1, *first)
    while len(steps) < longest or len(shape) > 1:
        step = _step(rng, shape, closing=len(steps) >= longest)
        y = _evaluated(step, x)
        if y is not None and 0 < y.numel() <= WIDEST and y.ndim <= 4:
            steps.append(step)
            shape, x = tuple(y.shape[1:]), y
    steps.append(nn.Linear(shape[0], int(rng.integers(1, 3)), bias=bool(rng.random() < 0.7)))
    plain = all(isinstance(step, nn.Module) for step in steps)
    module = nn.Sequential(*steps) if plain else Steps(steps)
    _fill(module.double().eval(), rng, seed)
    return module.requires_grad_(False), first


def _evaluated(step: Step, x: torch.Tensor) -> torch.Tensor | None:
    """None if the step takes a view that torch cannot take."""
    try:
        with torch.no_grad():
            return (step.eval() if isinstance(step, nn.Module) else step)(x)
    except RuntimeError as error:
        if "view size is not compatible" in str(error):
            return None
        raise


def _step(rng, shape: Shape, closing: bool = False) -> Step:
    if closing and len(shape) > 1 and rng.random() < 0.7:
        return _pick(rng, FLAT)
    kinds = [_affine, _affine, _activation, _activation, _activation, _rearranged, _branches, _reduced]
    if len(shape) > 1:
        kinds += [_pooling, _pooling]
    step = _pick(rng, kinds)(rng, shape)
    return step if rng.random() < 0.85 else nn.Sequential(step) if isinstance(step, nn.Module) else Steps([step])


def _pick(rng, things):
    return things[int(rng.integers(len(things)))]


def _affine(rng, shape: Shape) -> Step:
    kind, bias, out = rng.integers(6), bool(rng.random() < 0.8), int(rng.integers(1, 5))
    if kind == 0:
        return _pick(rng, [_norm, _scaled])(rng, shape)
    if kind == 1:
        return _pick(rng, [lambda x: 2 * x - 1, lambda x: x / 3, lambda x: 1 - x, lambda x: -x, lambda x: 0.3 + x,
                           lambda x: torch.add(x, x, alpha=2), lambda x: x.mul(0.7).sub(0.25), lambda x: (x - 1) / 7,
                           nn.Identity(), nn.Dropout(0.5), lambda x: F.dropout(x, 0.5, False), torch.neg])
    if len(shape) == 1 or kind == 2:
        return nn.Linear(shape[-1], int(rng.integers(1, 7)), bias=bias)
    return _convolution(rng, shape, out, bias)


def _norm(rng, shape: Shape) -> nn.Module:
    kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    return kind(shape[0], eps=_pick(rng, [1e-5, 0.1]), affine=bool(rng.random() < 0.7))


def _scaled(rng, shape: Shape) -> nn.Module:
    return Scaled(shape[0], len(shape))


def _convolution(rng, shape: Shape, out: int, bias: bool) -> nn.Module:
    kind = nn.Conv2d if len(shape) == 3 else nn.Conv1d
    groups = shape[0] if rng.random() < 0.3 else 1
    kernel = [int(rng.integers(1, min(n, 3) + 1)) for n in shape[1:]]
    padding = [int(rng.integers(0, 2)) for _ in kernel]
    stride = [int(rng.integers(1, 3)) for _ in kernel]
    dilation = [2 if 2 * (k - 1) + 1 <= n + 2 * p and rng.random() < 0.3 else 1
                for k, n, p in zip(kernel, shape[1:], padding, strict=True)]
    same = rng.random() < 0.3 and all(k % 2 for k in kernel)
    return kind(shape[0], out * groups if groups > 1 else out, kernel, 1 if same else stride,
                "same" if same else padding, dilation, groups, bias)


def _activation(rng, shape: Shape) -> Step:
    return _pick(rng, [
        nn.ReLU(), nn.ReLU(inplace=True), F.relu, torch.relu, lambda x: x.relu(), lambda x: F.relu(x, inplace=True),
        nn.ReLU(), F.relu, nn.LeakyReLU(0.25), nn.LeakyReLU(), nn.LeakyReLU(-0.5, inplace=True), nn.PReLU(),
        nn.PReLU(shape[0]), lambda x: F.leaky_relu(x, 0.1), nn.ReLU6(), F.relu6, nn.Hardtanh(-0.5, 2.0), F.hardtanh,
        torch.abs, lambda x: x.abs(), lambda x: abs(x), lambda x: torch.clamp(x, -1, 0.5), lambda x: x.clamp(min=-0.3),
        lambda x: torch.clamp(x, max=0.7), lambda x: torch.maximum(x, -x), lambda x: torch.minimum(x, 0.5 * x)])


def _keeping(rng, shape: Shape) -> Step:
    """A step that leaves the shape as it is."""
    kind = rng.integers(3)
    if kind == 0:
        return _activation(rng, shape)
    if len(shape) == 1 or kind == 1:
        return nn.Linear(shape[-1], shape[-1])
    return (nn.Conv2d if len(shape) == 3 else nn.Conv1d)(shape[0], shape[0], 3, padding=1)


def _branches(rng, shape: Shape) -> Step:
    kind = rng.integers(7)
    if kind < 2:
        steps = [_keeping(rng, shape) for _ in range(rng.integers(1, 4))]
        return [Residual, Difference][kind](steps)
    if kind == 2:
        return Twice([_keeping(rng, shape)])
    if kind == 3:
        return Blocks([Steps([_keeping(rng, shape)]) for _ in range(rng.integers(1, 3))])
    left, right = (Steps([_keeping(rng, shape)]) for _ in range(2))
    right = left if rng.random() < 0.2 else right
    return _pick(rng, [Joined, Stacked, Larger, Smaller])(left, right)


def _maxout(x):
    a, b = x.chunk(2, dim=1)
    return torch.maximum(a, b)


def _gated(x):
    a, b = torch.chunk(x, 2, 1)
    return a + F.relu(b)


def _turned(x):
    first, rest = x.split([1, x.shape[1] - 1], dim=1)
    return torch.cat((rest, first), 1)


def _summed(x):
    parts = torch.split(x, 1, dim=1)
    return torch.cat([parts[0], parts[-1] - parts[0]], dim=1)


def _rearranged(rng, shape: Shape) -> Step:
    if len(shape) == 1:
        n = shape[0]
        steps = [lambda x: x[:, 1:], lambda x: x[:, ::2], lambda x: x.unsqueeze(1), lambda x: x.view(-1, 1, n)]
        for k in (2, 3):
            if n % k == 0:
                steps += [lambda x, k=k: x.view(x.size(0), k, -1), lambda x, k=k: x.reshape(-1, n // k, k),
                          lambda x, k=k: torch.reshape(x, (x.shape[0], k, n // k, 1))]
    elif len(shape) == 2:
        steps = [lambda x: x.permute(0, 2, 1), lambda x: x.transpose(1, 2), lambda x: x[..., :-1], lambda x: x[:, 0],
                 lambda x: x.transpose(-1, -2).reshape(1, -1), lambda x: x.unsqueeze(-1), *FLAT]
    else:
        steps = [lambda x: x.permute(0, 3, 1, 2), lambda x: torch.transpose(x, 2, 3), lambda x: x[:, :, 0],
                 lambda x: x[:, :, 1:, :-1], lambda x: x.flatten(2), lambda x: x[:, None, 0].squeeze(1), *FLAT]
    if shape[0] % 2 == 0:
        steps += [_maxout, _gated, _turned, _summed]
    return _pick(rng, steps)


def _reduced(rng, shape: Shape) -> Step:
    steps = [lambda x: x.mean(1, keepdim=True), lambda x: torch.sum(x, dim=1, keepdim=True),
             lambda x: x - x.mean(1, keepdim=True)]
    if len(shape) > 1:
        steps += [lambda x: x.mean(dim=-1), lambda x: x.sum(1), lambda x: x.mean((1, 2), True).squeeze(1),
                  lambda x: torch.mean(x, dim=2)]
    return _pick(rng, steps)


def _pooling(rng, shape: Shape) -> Step:
    axes = len(shape) - 1
    kernel = [int(rng.integers(1, min(n, 3) + 1)) for n in shape[1:]]
    stride = [int(rng.integers(1, 3)) for _ in kernel]
    padding = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
    out = tuple(int(rng.integers(1, n + 1)) for n in shape[1:])
    if axes == 1:
        kernel, stride, padding, out = kernel[0], stride[0], padding[0], out[0]
    maximal, average, most, mean = [
        (nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveMaxPool1d, nn.AdaptiveAvgPool1d),
        (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)][axes - 1]
    functions = [(F.max_pool1d, F.avg_pool1d, F.adaptive_max_pool1d, F.adaptive_avg_pool1d),
                 (F.max_pool2d, F.avg_pool2d, F.adaptive_max_pool2d, F.adaptive_avg_pool2d)][axes - 1]
    steps = [maximal(kernel, stride, padding), average(kernel, stride, padding), most(out), mean(out),
             average(kernel, stride, padding, count_include_pad=False), maximal(2, 1, 1),
             lambda x: functions[0](x, kernel, stride=stride, padding=padding),
             lambda x: functions[1](x, kernel, stride, padding), lambda x: functions[2](x, out),
             lambda x: functions[3](x, out)]
    if min(shape[1:]) > 1:
        steps += [maximal(2), average(2)]
    if min(shape[1:]) > 2:
        steps += [maximal(2, 1, 0, dilation=2), lambda x: functions[0](x, 2, 1, 1, 2)]
    if axes == 2:
        steps.append(average(kernel, stride, padding, divisor_override=int(rng.integers(1, 6))))
    return _pick(rng, steps)


FLAT: list[Step] = [nn.Flatten(), lambda x: x.flatten(1), lambda x: torch.flatten(x, 1),
                    lambda x: x.view(x.size(0), -1), lambda x: x.reshape(x.shape[0], -1)]


def _fill(module: nn.Module, rng, seed: int) -> None:
    """Parameters and running statistics: small integers for a third of the seeds, dead and equal channels."""
    whole = seed % 3 == 0

    def draw(like, scale=1.0):
        values = scale * rng.standard_normal(tuple(like.shape))
        like.copy_(torch.from_numpy(np.round(1.5 * values) if whole else values))

    with torch.no_grad():
        for layer in module.modules():
            for name, parameter in layer.named_parameters(recurse=False):
                draw(parameter, 0.25 if isinstance(layer, nn.PReLU) else 0.7)
                if name == "bias" and rng.random() < 0.3:
                    parameter.zero_()
            for name, buffer in layer.named_buffers(recurse=False):
                if name == "running_var":
                    buffer.copy_(torch.from_numpy(rng.choice([0.25, 1.0, 4.0, 0.3, 1e-3], tuple(buffer.shape))))
                elif name != "num_batches_tracked":
                    draw(buffer)
            if hasattr(layer, "weight") and not isinstance(layer, nn.PReLU) and layer.weight is not None:
                _degenerate(layer, rng)


def _degenerate(layer: nn.Module, rng) -> None:
    n = len(layer.weight)
    if rng.random() < 0.2:  # dead
        layer.weight[int(rng.integers(n))] = 0
    if rng.random() < 0.3 and n > 1:  # twice the same channel, perhaps the other way round
        a, b = (int(k) for k in rng.choice(n, 2, replace=False))
        sign = _pick(rng, [1.0, 1.0, -1.0])
        layer.weight[a] = sign * layer.weight[b]
        if layer.bias is not None:
            layer.bias[a] = sign * layer.bias[b]
