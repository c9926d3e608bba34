"""One walk through the graph of a module, operation by operation."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from affinepieces._torch.refusals import called
from affinepieces.importers.torch.here import Here, plain, refuse
from affinepieces.importers.torch.layers import MODULES
from affinepieces.importers.torch.table import FUNCTIONS, METHODS


class Reading:
    """One walk through the graph, with a value for each node: an array of numbers, or what torch itself computes.

    Beside it runs torch at one point, `own`.  What changes a tensor in place changes every view of it, and whether a
    reshape is a view depends on the order in memory: arrays lie as torch's tensors do, and are views of each other
    exactly where these are.
    """

    def __init__(self, here: Here, module: nn.Module) -> None:
        self.here, self.module = here, module
        self.values: dict[fx.Node, Any] = {}
        self.own: dict[fx.Node, Any] = {}

    def follow(self, graph: fx.Graph, x: Any) -> Any:
        """What the graph returns for the array of numbers x."""
        inputs = [node for node in graph.nodes if node.op == "placeholder"]
        if len([node for node in inputs if not node.args]) != 1:
            raise ValueError(f"the module takes {len(inputs)} inputs ({', '.join(str(n.target) for n in inputs)}), "
                             "expected one: wrap it in a module that fixes the others")
        for node in graph.nodes:
            self.here.name = str(node.target if node.op == "call_module" else node.name)
            if node.op == "output":
                return self._output(self._given(node.args[0]))
            if node is inputs[0]:
                self.values[node], self.own[node] = x, torch.zeros(x.shape, dtype=torch.float64)
                continue
            value = self._value(node)
            self.own[node] = own = self._computed(node, self.own) if _arrays(value) else value
            self.values[node] = self._placed(node, value, own)
        raise ValueError("the module returns nothing, expected a tensor")

    def _output(self, found: Any) -> Any:
        if not isinstance(found, np.ndarray):
            kind = "numbers that do not depend on the input" if isinstance(found, torch.Tensor) else \
                f"a {type(found).__name__}"
            raise ValueError(f"the module returns {kind}, expected one tensor: wrap it in a module that returns one")
        return found

    def _computed(self, node: fx.Node, values: dict[fx.Node, Any]) -> Any:
        """What torch itself has for this node, from its values for earlier ones."""
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda earlier: values[earlier])
        target: Any = node.target
        try:
            if node.op == "call_module":
                return self.module.get_submodule(target)(*args, **kwargs)
            method = node.op == "call_method"
            return getattr(args[0], target)(*args[1:], **kwargs) if method else target(*args, **kwargs)
        except Exception as error:  # whatever a forward raises
            raise ValueError(f"{called(self.here.name)} cannot be evaluated: {error}") from error

    def _placed(self, node: fx.Node, found: Any, own: Any) -> Any:
        """A view of what torch's tensor is a view of, or an array of its own in the same order in memory."""
        if isinstance(found, tuple) and isinstance(own, tuple | list):
            return tuple(self._placed(node, *pair) for pair in zip(found, own, strict=True))
        if not isinstance(found, np.ndarray) or not isinstance(own, torch.Tensor):
            return found
        if found.shape != own.shape:
            raise ValueError(f"{called(self.here.name)} has shape {found.shape} when it is read, and "
                             f"{tuple(own.shape)} in torch")
        above = node.all_input_nodes
        seen = any(_root(v) is _root(found) for v in _arrays([self.values[n] for n in above]))
        is_view = found.size > 0 and any(_storage(t) == _storage(own) for t in _tensors([self.own[n] for n in above]))
        if is_view and not seen:
            raise ValueError(f"{called(self.here.name)} is a view in torch of what it reads: put .clone() behind it")
        return found if is_view else _laid_out(found, own.stride())

    def _given(self, value: Any) -> Any:
        return fx.node.map_arg(value, lambda node: self.values[node])

    def _value(self, node: fx.Node) -> Any:
        args, kwargs = self._given(node.args), self._given(node.kwargs)
        if node.op == "placeholder":
            return node.args[0]
        if node.op == "get_attr":
            return _attribute(self.module, str(node.target))
        if node.op == "call_module":
            return self._module(str(node.target), args, kwargs)
        if plain((args, kwargs)):
            return self._computed(node, self.values)
        table: Any = METHODS if node.op == "call_method" else FUNCTIONS
        if node.target not in table:
            label = getattr(node.target, "__name__", str(node.target))
            refuse(self.here, f".{label}()" if node.op == "call_method" else label)
        return self._applied(table[node.target], args, kwargs)

    def _module(self, path: str, args: Any, kwargs: Any) -> Any:
        module = self.module.get_submodule(path)
        rule = next((MODULES[kind] for kind in type(module).__mro__ if kind in MODULES), None)
        if rule is None or plain((args, kwargs)):
            refuse(self.here, type(module).__name__)
        return self._applied(rule, (module, *args), kwargs)

    def _applied(self, rule: Any, args: Any, kwargs: Any) -> Any:
        try:
            return rule(self.here, *args, **kwargs)
        except (ArithmeticError, AttributeError, IndexError, TypeError) as error:
            raise ValueError(f"{called(self.here.name)} cannot be read: {error}") from error


def _arrays(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [array for part in value for array in _arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in _tensors(part)]
    return [value] if isinstance(value, torch.Tensor) else []


def _root(array: Any) -> Any:
    """What owns the memory."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _laid_out(array: Any, strides: Sequence[int]) -> Any:
    """A copy with the axes in the order of these strides."""
    order = sorted(range(array.ndim), key=lambda axis: -strides[axis])
    return array.transpose(order).copy().transpose(np.argsort(order)) if array.ndim else array.copy()


def _attribute(module: nn.Module, path: str) -> Any:
    *owners, name = path.split(".")
    return getattr(module.get_submodule(".".join(owners)), name)
