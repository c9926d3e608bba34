"""A torch module as a chain of layers: traced, and lowered operation by operation."""
from __future__ import annotations

import copy
import operator
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
from affinepieces.importers.torch.here import Here, plain, refuse
from affinepieces.importers.torch.layers import MODULES
from affinepieces.importers.torch.table import FUNCTIONS, METHODS
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
        graph = _traced(own)
        changed = _without_widening(graph, module)
        if until is not None:
            graph, changed = _ended(graph, until), True
        outputs = _Reading(Here(numbers, own), own).follow(graph, np.arange(numbers.inputs).reshape(1, *shape))
        chain, sizes = numbers.chain(outputs.ravel())
        model = fx.GraphModule(own, graph) if changed else own
        check(chain, sizes, lambda x: _evaluated(model, torch.from_numpy(x).reshape(1, *shape)), EXACT,
              np.finfo(np.float64).smallest_normal, called(""), REMEDY)
    return chain


def _without_widening(graph: fx.Graph, module: nn.Module) -> bool:
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


def _ended(graph: fx.Graph, until: str) -> fx.Graph:
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


class _Reading:
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


def _traced(module: nn.Module) -> fx.Graph:
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


def _attribute(module: nn.Module, path: str) -> Any:
    *owners, name = path.split(".")
    return getattr(module.get_submodule(".".join(owners)), name)
