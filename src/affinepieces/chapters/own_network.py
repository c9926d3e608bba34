"""Your own network: training on digits under watch, what cuts the regions, the same model as an ONNX file."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from affinepieces._extras import wanted
from affinepieces.importers.torch.module import from_torch
from affinepieces.layers import Chain, Kind
from affinepieces.pieces.count import activation_patterns, count_many, trace
from affinepieces.pieces.segment import Segment
from affinepieces.study.tasks import digits
from affinepieces.watch import Watch

SHAPE = (1, 8, 8)
STEPS, EVERY = 201, 20  # the first step and the last are counted
TRAINED, BATCH, RATE = 1400, 50, 0.01


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """All images of digits, (1797, 1, 8, 8) in float32, and their classes."""
    images, classes = digits()
    return torch.tensor(images, dtype=torch.float32).reshape(-1, *SHAPE), torch.tensor(classes)


def train(model: torch.nn.Module, seed: int, watch: Watch | None = None, steps: int = STEPS) -> None:
    """Adam with cross-entropy on the first 1400 images, in place, on one thread; afterwards in eval mode.

    seed: of the batches.  watch: is called after each step.
    """
    x, y = pictures()
    rng, optimiser = np.random.default_rng(seed), torch.optim.Adam(model.parameters(), RATE)
    model.train()
    with threadpool_limits(1):  # so that sums are added up in the same order everywhere, and because they are short
        for _ in range(steps):
            batch = torch.tensor(rng.choice(TRAINED, BATCH, replace=False))
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if watch is not None:
                watch(model)
    model.eval()


def accuracy(model: torch.nn.Module) -> float:
    """The share of the other 397 images that a model in eval mode gets right."""
    x, y = pictures()
    with torch.no_grad():
        return float((model(x[TRAINED:]).argmax(1) == y[TRAINED:]).double().mean())


def watched(make: Callable[[], torch.nn.Module], seeds: Iterable[int],
            way: Segment) -> tuple[list[torch.nn.Module], list[Watch]]:
    """A model for each seed, trained, and what was counted on the segment meanwhile."""
    models, watches = [], []
    for seed in seeds:
        torch.manual_seed(seed)
        models.append(make())
        watches.append(Watch(way, EVERY, SHAPE))
        train(models[-1], seed, watches[-1])
    return models, watches


def counts(models: Iterable[torch.nn.Module], ways: Sequence[Segment]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Regions and pieces of models in eval mode, both of shape (models, segments)."""
    found = [count_many(from_torch(model, SHAPE), ways) for model in models]
    return np.array([one.regions for one in found]), np.array([one.pieces for one in found])


def refusal(model: torch.nn.Module) -> str:
    """Why a model of images cannot be counted, without what was expected instead.

    >>> refusal(torch.nn.Sigmoid())
    'the module is Sigmoid, which is not supported'
    """
    try:
        net = from_torch(model, SHAPE)
    except ValueError as error:
        return str(error).split(": expected")[0].split(", expected")[0]
    raise ValueError(f"the model can be counted: {net}")


def cut_by(net: Chain, way: Segment) -> dict[Kind, tuple[int, int]]:
    """For neurons and for comparisons: at how many points of the segment one of them switches, and how many are kinks.

    Where both switch at the same point it is counted for both.

    >>> both = Chain([[[1.0], [1.0]], [[1.0, 0.0]]], [[0.0, -0.5], [0.0]], [[Kind.NEURON, Kind.COMPARISON]])
    >>> cut_by(both, Segment(-1, 1))
    {<Kind.NEURON: 'neuron'>: (1, 1), <Kind.COMPARISON: 'comparison'>: (1, 0)}
    """
    patterns, kinks = activation_patterns(net, way), trace(net, way).kinks
    switched = patterns[1:] != patterns[:-1]
    kinds = np.array([kind.value for layer in net.kinds for kind in layer if kind is not Kind.CARRIED])
    found = {}
    for kind in (Kind.NEURON, Kind.COMPARISON):
        here: NDArray[np.bool_] = switched[:, kinds == kind.value].any(axis=1)
        found[kind] = int(here.sum()), int((here & kinks).sum())
    return found


def write_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """The model of the page as an ONNX file, each layer one node, with the parameters as they are stored.

    Its output are the shares of a softmax of the tensor `scores`.

    model: x = max_pool(relu(norm(first(x)))), then last(x + relu(branch(x))), as `torch.nn.Module` with these parts.
    """
    with wanted("onnx"):
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    norm: Any = model.norm
    stored = {name: value.detach().numpy() for name, value in model.state_dict().items() if value.is_floating_point()}

    def node(kind: str, given: str, made: str, **attributes: Any) -> Any:
        return helper.make_node(kind, given.split(), [made], **attributes)

    nodes = [
        node("Conv", "x first.weight first.bias", "c", pads=[1] * 4),
        node("BatchNormalization", "c norm.weight norm.bias norm.running_mean norm.running_var", "n", epsilon=norm.eps),
        node("Relu", "n", "r"), node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p branch.weight branch.bias", "b", pads=[1] * 4),
        node("Relu", "b", "s"), node("Add", "p s", "a"),
        node("Flatten", "a", "f"), node("Gemm", "f last.weight last.bias", "scores", transB=1),
        node("Softmax", "scores", "shares")]
    graph = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *SHAPE])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(value, name) for name, value in stored.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    onnx.save(made, os.fspath(path))
