"""Layers of torch.nn, by their class."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from affinepieces.importers import operations
from affinepieces.importers.torch import arithmetic, shapes, windows
from affinepieces.importers.torch.here import Here, numbers_of

Rule = Callable[..., Any]


def _convolution(here: Here, m: Any, x: Any) -> Any:
    if m.padding_mode != "zeros":
        raise ValueError(f"layer {here.name} pads with mode {m.padding_mode!r}, expected zeros: pad the input first")
    return windows.convolution(here, x, m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups)


def _batch_norm(here: Here, m: Any, x: Any) -> Any:
    if m.training or m.running_mean is None:
        raise ValueError(f"layer {here.name} is {type(m).__name__} in training mode or without running statistics, "
                         "which mixes the points of a batch: call module.eval() first")
    gamma = 1.0 if m.weight is None else numbers_of(here, m.weight)
    beta = 0.0 if m.bias is None else numbers_of(here, m.bias)
    return operations.batch_norm(here.numbers, x, numbers_of(here, m.running_mean), numbers_of(here, m.running_var),
                                 gamma, beta, m.eps, here.name)


def _dropout(here: Here, m: Any, x: Any) -> Any:
    return arithmetic.dropout(here, x, m.p, m.training)


def _max_pool(here: Here, m: Any, x: Any) -> Any:
    return windows.max_pool(here, x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode,
                                    m.return_indices)


def _average_pool(here: Here, m: Any, x: Any) -> Any:
    return windows.average_pool(here, x, m.kernel_size, m.stride, m.padding, m.ceil_mode,
                                        m.count_include_pad, getattr(m, "divisor_override", None))


MODULES: dict[type[nn.Module], Rule] = {
    nn.Linear: lambda here, m, x: arithmetic.linear(here, x, m.weight, m.bias),
    nn.Conv1d: _convolution, nn.Conv2d: _convolution,
    nn.BatchNorm1d: _batch_norm, nn.BatchNorm2d: _batch_norm,
    nn.MaxPool1d: _max_pool, nn.MaxPool2d: _max_pool,
    nn.AvgPool1d: _average_pool, nn.AvgPool2d: _average_pool,
    nn.AdaptiveAvgPool1d: lambda here, m, x: windows.adaptive_average(here, x, m.output_size),
    nn.AdaptiveAvgPool2d: lambda here, m, x: windows.adaptive_average(here, x, m.output_size),
    nn.AdaptiveMaxPool1d: lambda here, m, x: windows.adaptive_max(here, x, m.output_size, m.return_indices),
    nn.AdaptiveMaxPool2d: lambda here, m, x: windows.adaptive_max(here, x, m.output_size, m.return_indices),
    nn.Flatten: lambda here, m, x: shapes.flatten(here, x, m.start_dim, m.end_dim),
    nn.Identity: lambda here, m, x: x,
    nn.Dropout: _dropout, nn.Dropout1d: _dropout, nn.Dropout2d: _dropout, nn.AlphaDropout: _dropout,
    nn.ReLU: lambda here, m, x: arithmetic.relu(here, x, m.inplace),
    nn.LeakyReLU: lambda here, m, x: arithmetic.leaky_relu(here, x, m.negative_slope, m.inplace),
    nn.PReLU: lambda here, m, x: arithmetic.prelu(here, x, m.weight),
    nn.ReLU6: lambda here, m, x: arithmetic.hardtanh(here, x, 0.0, 6.0, m.inplace),
    nn.Hardtanh: lambda here, m, x: arithmetic.hardtanh(here, x, m.min_val, m.max_val, m.inplace),
}
