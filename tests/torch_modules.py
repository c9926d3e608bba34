"""Random torch modules, some with one trap: something that makes them another function than their layers say."""
from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune


class Chain(nn.Sequential):
    """Another name, the same function."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.author = "somebody"

    def count(self):
        return len(self)


class PlainLinear(nn.Linear):
    def extra_repr(self):
        return "plain"


class Residual(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + 1


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Negated(nn.Linear):
    weight = property(lambda self: -self._parameters["kept"])


class Leaky(nn.ReLU):
    def forward(self, x):
        return nn.functional.leaky_relu(x)


class Backwards(nn.Sequential):
    def __iter__(self):
        return reversed(list(self._modules.values()))


class Own(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = nn.Sequential(inner)

    def forward(self, x):
        return self.inner(x) ** 2


@dataclass(frozen=True)
class Case:
    """A module, its input dimension, and its trap with the path where it lies first; both empty if it has none."""

    module: nn.Module
    inputs: int
    trap: str = ""
    path: str = ""


def random_case(rng: np.random.Generator) -> Case:
    """A float64 module of small dyadic parameters, in which nothing is rounded at small dyadic points."""
    widths = [int(n) for n in rng.integers(1, 5, rng.integers(2, 6))]
    module = _nested(_chain(widths, rng), rng).double()
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.copy_(torch.from_numpy(rng.integers(-2, 3, tuple(layer.weight.shape))))
                if layer.bias is not None:
                    layer.bias.copy_(torch.from_numpy(rng.integers(-4, 5, layer.out_features) / 2))
    return _trapped(module, widths[0], rng) if rng.random() < 0.5 else Case(module, widths[0])


def _chain(widths, rng) -> list[nn.Module]:
    """Linear and ReLU in turn, with objects that come again and layers that are passed over."""
    relu, passed = nn.ReLU(), [nn.Identity(), nn.Dropout(0.5).eval(), nn.Dropout(0.0), nn.Flatten(), nn.Flatten(-1, 1)]
    layers: list[nn.Module] = []
    for m, n in itertools.pairwise(widths):
        linear = (PlainLinear if rng.random() < 0.2 else nn.Linear)(m, n, bias=bool(rng.random() < 0.8))
        layers += [linear, relu if rng.random() < 0.5 else nn.ReLU(inplace=bool(rng.random() < 0.5))]
        if rng.random() < 0.3:
            layers += [nn.Sequential(nn.Linear(n, n), nn.ReLU())] * 2
        if rng.random() < 0.4:
            layers.insert(int(rng.integers(len(layers) + 1)), passed[rng.integers(len(passed))])
    if rng.random() < 0.3:
        layers[-1].register_full_backward_hook(lambda *_: None)
    return layers if rng.random() < 0.3 else [*layers, nn.Linear(widths[-1], 1)]


def _nested(layers: list[nn.Module], rng) -> nn.Sequential:
    if len(layers) < 4 or rng.random() < 0.3:
        return (Chain if rng.random() < 0.3 else nn.Sequential)(*layers)
    cut = int(rng.integers(1, len(layers)))
    return nn.Sequential(_nested(layers[:cut], rng), *layers[cut:cut + 1], _nested(layers[cut + 1:], rng))


def places(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every path in the order of evaluation, and what lies there."""
    yield path, module
    if isinstance(module, nn.Sequential):
        for key, child in module._modules.items():
            yield from places(child, f"{path}.{key}".lstrip("."))


def _trapped(module: nn.Module, inputs: int, rng) -> Case:
    """Put a trap at a random place that it fits."""
    name = list(TRAPS)[rng.integers(len(TRAPS))]
    fits, trap, _ = TRAPS[name]
    fitting = [place for place in places(module) if fits(place[1])]
    if not fitting:
        return Case(module, inputs)
    path, layer = fitting[rng.integers(len(fitting))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch advises against is a trap as well
        put = trap(layer)
    if path:
        above, _, key = path.rpartition(".")
        module.get_submodule(above)._modules[key] = put
    else:
        module = put
    return Case(module, inputs, name, next(path for path, found in places(module) if found is put))


def _in_place(change: Callable[[Any], object]) -> Callable[[Any], nn.Module]:
    def trap(layer):
        change(layer)
        return layer
    return trap


def _parameter(change: Callable) -> Callable[[Any], nn.Module]:
    def put(layer):
        layer.weight = nn.Parameter(change(layer.weight.detach()), requires_grad=False)
    return _in_place(put)


def _of_class(kind: type) -> Callable[[Any], nn.Module]:
    return _in_place(lambda layer: setattr(layer, "__class__", kind))


def _own_weight(layer: nn.Module) -> None:
    layer._parameters["kept"] = layer._parameters.pop("weight")
    layer.__class__ = Negated


def _own_call(layer: nn.Module) -> None:
    old = layer.forward
    layer.forward = lambda x: old(x) + 1


def plus_one(layer, inputs, output):
    return output + 1


def doubled(layer, inputs):
    return 2 * inputs[0]


def pruned(layer):
    prune.random_unstructured(layer, "weight", 1)


def is_linear(layer):
    return isinstance(layer, nn.Linear)


def is_relu(layer):
    return isinstance(layer, nn.ReLU)


def has_bias(layer):
    return isinstance(layer, nn.Linear) and layer.bias is not None


def anything(layer):
    return True


# where it fits, how it is put there, what the refusal says
TRAPS: dict[str, tuple[Callable[[Any], bool], Callable[[Any], nn.Module], str]] = {
    "own Linear": (is_linear, _of_class(Doubled), "a subclass of nn.Linear that defines forward"),
    "own weight": (is_linear, _in_place(_own_weight), "a subclass of nn.Linear that defines weight"),
    "own ReLU": (is_relu, _of_class(Leaky), "a subclass of nn.ReLU that defines forward"),
    "own Sequential": (anything, Residual, r"Residual, .* that defines forward itself.*nn\.Sequential\(\*module\)"),
    "own order": (anything, lambda m: Backwards(m, nn.Identity()), "defines __iter__ itself"),
    "own module": (anything, Own, r"Own, expected .*convert its nn.Sequential, module\.inner"),
    "own call": (anything, _in_place(_own_call), "has a forward of its own"),
    "tanh": (is_relu, lambda _: nn.Tanh(), "Tanh, expected an nn.Sequential of Linear and ReLU"),
    "flatten": (anything, lambda _: nn.Flatten(0), r"Flatten\(start_dim=0"),
    "dropout": (anything, lambda _: nn.Dropout(0.5), r"call module\.eval\(\) first"),
    "nothing": (anything, lambda _: None, "None, expected a torch.nn.Sequential"),
    "wrapper": (anything, nn.DataParallel, r"convert the module inside, \.module"),
    "lazy": (is_linear, lambda _: nn.LazyLinear(3), "evaluate the module once"),
    "hook": (anything, _in_place(lambda m: m.register_forward_hook(plus_one)), r"hook \(plus_one\).*\.remove\(\)"),
    "pre-hook": (anything, _in_place(lambda m: m.register_forward_pre_hook(doubled)), r"forward pre-hook \(doubled\)"),
    "weight_norm": (is_linear, _in_place(nn.utils.weight_norm), "remove_weight_norm"),
    "spectral_norm": (is_linear, _in_place(nn.utils.spectral_norm), "remove_spectral_norm"),
    "prune": (is_linear, _in_place(pruned), r"prune\.remove\(layer, 'weight'"),
    "parametrised": (is_linear, _in_place(parametrizations.weight_norm), r"remove_parametrizations\(layer, 'weight'\)"),
    "meta": (is_linear, _parameter(lambda w: w.to("meta")), "meta tensor.*load_state_dict"),
    "float8": (is_linear, _parameter(lambda w: w.to(torch.float8_e4m3fn)), r"float8_e4m3fn.*to\(torch\.bfloat16\)"),
    "integers": (is_linear, _parameter(lambda w: w.long()), "dtype torch.int64, expected float16, bfloat16"),
    "complex": (is_linear, _parameter(lambda w: w.to(torch.complex128)), "dtype torch.complex128, expected float16"),
    "sparse": (is_linear, _parameter(lambda w: w.to_sparse()), r"layout torch.sparse_coo.*to_dense\(\)"),
    "two formats": (has_bias, _parameter(lambda w: w.half()), "with which torch computes no forward pass"),
}


def ordinary_module(rng: np.random.Generator, dtype: torch.dtype, width: int = 12) -> nn.Sequential:
    """Linear and ReLU in turn with parameters of any scale; sums may overflow in float16, parameters do not."""
    widths = [int(n) for n in rng.integers(1, width + 1, rng.integers(2, 7))]
    scale = 10.0 ** rng.uniform(-3, 3)
    layers: list[nn.Module] = []
    for m, n in itertools.pairwise(widths):
        layers += [nn.Linear(m, n), nn.ReLU()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(scale * rng.standard_normal((n, m))))
            layers[-2].bias.copy_(torch.from_numpy(scale * rng.standard_normal(n)))
    return nn.Sequential(*layers[:-1]).to(dtype)
