"""The graph of a module, as torch.fx records it, and where it ends."""
from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn

from affinepieces.importers.torch.layers import MODULES


class _Changing:
    """x += y and its like, which change a tensor in place; torch.fx alone would record x = x + y."""

    def __iadd__(self, other: Any) -> Any:
        return self._changed(operator.iadd, other)

    def __isub__(self, other: Any) -> Any:
        return self._changed(operator.isub, other)

    def __imul__(self, other: Any) -> Any:
        return self._changed(operator.imul, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._changed(operator.itruediv, other)

    def _changed(self: Any, function: Any, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", function, (self, other), {})


class _Proxy(_Changing, fx.Proxy):
    def __getattr__(self, name: str) -> Any:
        return _Attribute(self, name)


class _Attribute(_Changing, fx.proxy.Attribute):
    pass


class _Tracer(fx.Tracer):
    """Modules of torch.nn are read by their class, also where a subclass changes nothing but their construction."""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        kind = next((kind for kind in MODULES if isinstance(m, kind)), None)
        return super().is_leaf_module(m, module_qualified_name) or (
            kind is not None and type(m).forward is kind.forward)


def traced(module: nn.Module) -> fx.Graph:
    """The graph; ValueError, with the reason, where there is none."""
    try:
        if _Tracer().is_leaf_module(module, ""):  # one layer alone
            module_in = nn.Sequential(module)
            graph = _Tracer().trace(module_in)
            for node in graph.nodes:
                node.target = "" if node.op == "call_module" else node.target
            return graph
        return _Tracer().trace(module)
    except Exception as error:  # whatever a forward raises when it is given no numbers
        raise ValueError(f"torch.fx cannot trace the module: {error}; what it computes must not depend on the values "
                         "in its tensors, and a part for which that holds can be converted alone") from error


def without_widening(graph: fx.Graph, module: nn.Module) -> bool:
    """Leave out casts to float32 where nothing in the module is wider, so that they change no number; whether any."""
    if any(tensor.dtype == torch.float64 for tensor in (*module.parameters(), *module.buffers())):
        return False
    given = {node: (*node.args[1:], *node.kwargs.values()) for node in graph.nodes if node.op == "call_method"}
    casts = [node for node, values in given.items()
             if node.target == "float" or (node.target == "to" and values == (torch.float32,))]
    for node in casts:
        node.replace_all_uses_with(node.args[0])
        graph.erase_node(node)
    return bool(casts)


def ended(graph: fx.Graph, until: str) -> fx.Graph:
    """The graph up to the last node of this name."""
    nodes = list(graph.nodes)
    found = [i for i, node in enumerate(nodes) if until in (node.name, node.target) and node.op != "output"]
    if not found:
        names = [str(node.target) if node.op == "call_module" else node.name for node in nodes[:-1]]
        raise ValueError(f"until is {until!r}, expected one of {', '.join(names)}")
    for node in reversed(nodes[found[-1] + 1:]):
        graph.erase_node(node)
    graph.output(nodes[found[-1]])
    return graph
