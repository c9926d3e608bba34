"""onnx's reference evaluator, with the operators put right that it has wrong in some opsets."""
from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted

with wanted("onnx"):
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import OpRun


class BatchNormalization(OpRun):
    """Of inference; the evaluator's own is that of training before opset 14."""

    op_domain = ""

    def _run(self, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, **attributes: Any) -> tuple[Any, ...]:
        scale, bias, mean, variance = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in (scale, bias, mean, variance))
        epsilon = np.float32(1e-5) if attributes.get("epsilon") is None else attributes["epsilon"]
        return (((x - mean) / np.sqrt(variance + epsilon) * scale + bias).astype(x.dtype),)


class GlobalMaxPool(OpRun):
    """In any number of dimensions; the evaluator's own is right for two."""

    op_domain = ""

    def _run(self, x: Any) -> tuple[Any, ...]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


class Evaluator:
    """Runs a model on numpy arrays, without warnings of numpy; ValueError if onnx cannot."""

    def __init__(self, model: Any) -> None:
        self._run = ReferenceEvaluator(model, new_ops=[BatchNormalization, GlobalMaxPool]).run

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> list[Any]:
        """The outputs."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(self._run(None, dict(given)))
