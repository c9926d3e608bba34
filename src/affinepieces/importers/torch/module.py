"""A torch module as a chain of layers: traced, and lowered operation by operation."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from affinepieces import environment
from affinepieces._extras import wanted
from affinepieces._torch.refusals import called, refuse_changed_calls
from affinepieces._torch.tensors import FORMATS, numpy_of
from affinepieces.arguments import integer, items
from affinepieces.importers.guard import check
from affinepieces.importers.lowering import Numbers
from affinepieces.importers.torch.here import Here
from affinepieces.importers.torch.reading import Reading
from affinepieces.importers.torch.tracing import ended, traced, without_widening
from affinepieces.layers import Chain

with wanted("torch"):
    import torch
    from torch import fx, nn
    from torch.nn.modules.lazy import LazyModuleMixin
    from torch.nn.utils import parametrize

EXACT = 2.0**-52  # twice the unit roundoff of float64
REMEDY = "does the module keep a state, or compute anything that its graph does not show?"


def from_torch(module: nn.Module, input_shape: Sequence[int] | None = None, *, until: str | None = None) -> Chain:
    """The function of a torch module in eval mode, as a `Chain` with its exact parameters.

    module: anything that torch.fx can trace and that is made of Linear, Conv1d and 2d, BatchNorm, average and max
    pooling, ReLU, LeakyReLU, PReLU, ReLU6, Hardtanh, abs, clamp, maximum, minimum, sums, means, constants, and of what
    moves numbers about: own classes, F.relu, branches that are added or concatenated, modules that are used twice.
    input_shape: of one input without the batch, for example (3, 32, 32); known if the module begins with a Linear.
    until: path of a part of the module, or name of a node of its graph, where the function ends; to leave out a final
    softmax, for example.
    The chain takes the coordinates of one input as a vector, in their order in memory, and gives the outputs so.

    The module's own arithmetic with parameters alone is done in float64.  A batch norm is the affine map with scale
    gamma / sqrt(variance + eps) and shift beta - mean scale as float64 numbers; a mean over n numbers, and a division
    by n, multiply by the float64 number nearest to 1 / n.  Nothing else is rounded.
    Last, the chain is compared with the module's forward in float64 at a few points, within proved error bounds.
    Raises ValueError or TypeError, naming what is not supported and the remedy: training mode, hooks,
    parametrisations, products of two branches, Sigmoid, GELU, Softmax.

    >>> import torch
    >>> from affinepieces import Segment, count_pieces, from_torch
    >>> chain = from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LeakyReLU(), torch.nn.Linear(3, 1)))
    >>> count_pieces(chain, Segment(-9, 9, start=[0, 0], direction=[1, 2])) <= 4
    True
    """
    environment.check()
    if not isinstance(module, nn.Module):
        raise TypeError(f"module is {module!r:.80}, expected a torch.nn.Module")
    shape = _shape(module, input_shape)
    _refuse(module)
    own = _in_float64(module)
    numbers = Numbers(int(np.prod(shape)))
    with torch.no_grad(), torch.random.fork_rng([]):
        graph = traced(own)
        changed = without_widening(graph, module)
        if until is not None:
            graph, changed = ended(graph, until), True
        outputs = Reading(Here(numbers, own), own).follow(graph, np.arange(numbers.inputs).reshape(1, *shape))
        chain, sizes = numbers.chain(outputs.ravel())
        model = fx.GraphModule(own, graph) if changed else own
        check(chain, sizes, lambda x: _evaluated(model, torch.from_numpy(x).reshape(1, *shape)), EXACT,
              np.finfo(np.float64).smallest_normal, called(""), REMEDY)
    return chain


def _evaluated(module: nn.Module, x: torch.Tensor) -> Any:
    try:
        return module(x).numpy()
    except Exception as error:  # whatever a forward raises
        shape = tuple(x.shape[1:])
        raise ValueError(f"the module cannot be evaluated at an input of shape {shape}: {error}") from error


def _shape(module: nn.Module, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        return tuple(integer(n, f"input_shape[{i}]", 1) for i, n in enumerate(items(given, "input_shape", "integers")))
    first = next((part for part in module.modules() if not list(part.children())), module)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    raise ValueError(f"the shape of the input is not known, because the module begins with {type(first).__name__}: "
                     "give input_shape, without the batch, for example input_shape=(3, 32, 32)")


def _refuse(module: nn.Module) -> None:
    """What a trace would not show."""
    for name, part in module.named_modules():
        if not isinstance(part, LazyModuleMixin):  # whose hook is there to ask for a first evaluation
            refuse_changed_calls(part, name)
        if parametrize.is_parametrized(part):
            raise TypeError(f"{called(name)} is parametrised: fix it first, with "
                            "torch.nn.utils.parametrize.remove_parametrizations")
        if isinstance(part, LazyModuleMixin):
            raise TypeError(f"{called(name)} is {type(part).__name__}, which has no parameters yet: evaluate the "
                            "module once, so that it gets its shapes")
        for key, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if (tensor.is_floating_point() or tensor.is_complex()) and tensor.dtype not in FORMATS:
                raise TypeError(f"{key} of {called(name)} has dtype {tensor.dtype}, expected float16, bfloat16, "
                                "float32 or float64: convert the module first")
            if not np.all(np.isfinite(numpy_of(tensor, f"{key} of {called(name)}"))):
                raise ValueError(f"{key} of {called(name)} is not finite: did the training diverge?")


def _in_float64(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module).cpu().double()
    except Exception as error:  # whatever a module raises
        raise ValueError(f"the module cannot be copied and converted to float64: {error}") from error
