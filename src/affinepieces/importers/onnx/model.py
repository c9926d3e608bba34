"""From an ONNX file to a chain of layers, with the exact numbers of the file."""
from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment
from affinepieces._extras import wanted
from affinepieces._files import path_of
from affinepieces.arguments import integer, items
from affinepieces.importers import guard
from affinepieces.importers.lowering import Ids, Numbers
from affinepieces.importers.onnx.evaluator import Evaluator
from affinepieces.importers.onnx.file import Graph, read_graph, read_model
from affinepieces.importers.onnx.graph import lower
from affinepieces.importers.unsupported import UnsupportedError
from affinepieces.layers import Chain

with wanted("onnx"):
    import onnx

# unit roundoff times two, smallest normal number, largest number
ARITHMETIC = {"float16": (2.0**-10, 2.0**-24, 65504.0), "bfloat16": (2.0**-7, 2.0**-126, 3.38e38),
              "float32": (2.0**-23, 2.0**-126, 3.4e38), "float64": (2.0**-52, 2.0**-1022, 1.79e308)}
REMEDY = "convert it with onnx.version_converter.convert_version(model, 17), and report it if this remains"


def from_onnx(path: str | os.PathLike[str], *, until: str | None = None,
              input_shape: Sequence[int] | None = None) -> Chain:
    """The function of an ONNX model of opset 7 to 21: (N_0,), its input flattened, to its output flattened.

    until: name of a tensor or node where the network ends, for models with several outputs, or to leave out a final
    Softmax, LogSoftmax or Sigmoid.
    input_shape: where the file leaves dimensions open; a first one that is open or 1, the batch, may be left out.

    Every number is that of the file, float16, bfloat16 and float32 widened to float64.  To divide by a constant c is
    to multiply by the float64 number nearest to 1 / c, a mean of k numbers multiplies by the one nearest to 1 / k, and
    batch normalisation by the one that float64 arithmetic gives for gamma / sqrt(variance + epsilon).  Dropout and
    batch normalisation are those of inference.  Clip at the largest number of the format or beyond is none.
    Last, the chain is compared with onnx's reference evaluator at a few points; rounding must explain the difference.

    Raises OSError if the file cannot be opened, ImportError without onnx, and ValueError, naming the file, for what is
    no ONNX model; if operators are not supported, one `UnsupportedError`, which is a ValueError, names all of them.
    Nothing is unpickled.

    >>> import onnx, tempfile
    >>> relu, x = onnx.helper.make_node("Relu", ["x"], ["y"]), onnx.helper.make_tensor_value_info("x", 1, [1, 2])
    >>> graph = onnx.helper.make_graph([relu], "relu", [x], [onnx.helper.make_tensor_value_info("y", 1, [1, 2])])
    >>> with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
    ...     onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), file.name)
    ...     from_onnx(file.name)
    Chain(2 inputs, 2 layers, 2 neurons, 2 outputs, float64)
    """
    environment.check()
    file = path_of(path)
    if not isinstance(until, str | None):
        raise TypeError(f"until is {until!r}, expected the name of a tensor or a node")
    shape = None if input_shape is None else [
        integer(n, f"input_shape[{i}]", 1) for i, n in enumerate(items(input_shape, "input_shape", "integers"))]
    try:
        graph = read_graph(read_model(file), until, shape)
        return _checked(graph, *lower(graph))
    except (OSError, ImportError):
        raise
    except Exception as error:  # of onnx, protobuf and numpy, for files that are damaged
        if isinstance(error, UnsupportedError):
            raise UnsupportedError(f"{path}: {error}", error.operators) from error
        told = str(error) if type(error) is ValueError else \
            f"the file is damaged, or no model that onnx accepts ({error}): write or download it again"
        raise ValueError(f"{path}: {told}") from error


def _checked(graph: Graph, numbers: Numbers, outputs: Ids, formats: set[str]) -> Chain:
    chain, sizes = numbers.chain(outputs)
    evaluator = Evaluator(graph.part)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(graph.part.graph.input[0].type.tensor_type.elem_type)

    def evaluate(x: NDArray[np.float64]) -> NDArray[np.float64]:
        try:
            return np.asarray(evaluator({graph.input: x.reshape(graph.shape).astype(dtype)})[0]).astype(np.float64)
        except Exception as error:  # whatever its operators raise
            raise ValueError(f"the reference evaluator of onnx cannot run the model ({error}), so that what was read "
                             f"cannot be compared with it: {REMEDY}") from error

    units, smallest, largest = zip(*(ARITHMETIC[name] for name in formats), strict=True)
    guard.check(chain, sizes, evaluate, max(units), max(smallest), "the model",
                REMEDY, min(largest))
    return chain
