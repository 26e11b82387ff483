"""A BERT encoder with mean pooling as an ONNX graph, built from the weights by their published names.

Devlin et al., 2019, "BERT"; the pooling and normalisation are those of sentence-transformers.
The operators of the domain `com.microsoft` are onnxruntime's own fused ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_EPSILON = 1e-12
_OPSET = 17
_FUSED = "com.microsoft"


@dataclass(slots=True)
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    weights: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self.node(operator, inputs, output, domain=_FUSED, **attributes)


def encoder(weights: Mapping[str, NDArray[np.float32]], *, layers: int, heads: int) -> bytes:
    """The serialised model: `ids` and `mask` (batch, tokens; int32) to `vectors` (batch, dimensions; length 1)."""
    graph = _Graph()
    state = _embed(graph, weights)
    for layer in range(layers):
        state = _layer(graph, weights, state, prefix=f"encoder.layer.{layer}", heads=heads)
    _pool(graph, state)
    tokens = ["batch", "tokens"]
    dimensions = int(weights["embeddings.LayerNorm.bias"].shape[0])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "encoder",
            [helper.make_tensor_value_info(name, TensorProto.INT32, tokens) for name in ("ids", "mask")],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", dimensions])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=9,
    )
    return model.SerializeToString()


def _embed(graph: _Graph, weights: Mapping[str, NDArray[np.float32]]) -> str:
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    # every token is of type 0 (one sentence), so that its embedding is a constant added to the positions
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    table = graph.weight("positions", positions)
    graph.node("Gather", [words, "ids"], "word_states")
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    start, axis = graph.weight("zero", np.array([0])), graph.weight("axis", np.array([0]))
    graph.node("Slice", [table, start, "length", axis], "position_states")
    graph.node("Add", ["word_states", "position_states"], "summed")
    return _normalise(graph, weights, "summed", name="embeddings.LayerNorm")


def _normalise(graph: _Graph, weights: Mapping[str, NDArray[np.float32]], state: str, *, name: str) -> str:
    scale = graph.weight(f"{name}.weight", weights[f"{name}.weight"])
    bias = graph.weight(f"{name}.bias", weights[f"{name}.bias"])
    return graph.node("LayerNormalization", [state, scale, bias], f"{name}.out", axis=-1, epsilon=_EPSILON)


def _layer(graph: _Graph, weights: Mapping[str, NDArray[np.float32]], state: str, *, prefix: str, heads: int) -> str:
    parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
    projection = graph.weight(f"{prefix}.qkv", np.concatenate([weights[f"{part}.weight"] for part in parts]).T)
    bias = graph.weight(f"{prefix}.qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    attended = graph.fused("Attention", [state, projection, bias, "mask"], f"{prefix}.attended", num_heads=heads)
    attended = _dense(graph, weights, attended, name=f"{prefix}.attention.output.dense")
    state = graph.node("Add", [state, attended], f"{prefix}.attention.sum")
    state = _normalise(graph, weights, state, name=f"{prefix}.attention.output.LayerNorm")
    hidden = _dense(graph, weights, state, name=f"{prefix}.intermediate.dense")
    hidden = graph.fused("Gelu", [hidden], f"{prefix}.gelu")
    hidden = _dense(graph, weights, hidden, name=f"{prefix}.output.dense")
    state = graph.node("Add", [state, hidden], f"{prefix}.sum")
    return _normalise(graph, weights, state, name=f"{prefix}.output.LayerNorm")


def _dense(graph: _Graph, weights: Mapping[str, NDArray[np.float32]], state: str, *, name: str) -> str:
    matrix = graph.weight(f"{name}.weight", weights[f"{name}.weight"].T)
    bias = graph.weight(f"{name}.bias", weights[f"{name}.bias"])
    product = graph.node("MatMul", [state, matrix], f"{name}.product")
    return graph.node("Add", [product, bias], f"{name}.out")


def _pool(graph: _Graph, state: str) -> None:
    """Mean over the tokens that are not padding, then length 1 (the sum does as well as the mean)."""
    graph.node("Cast", ["mask"], "kept", to=TensorProto.FLOAT)
    last, tokens = graph.weight("last", np.array([2])), graph.weight("tokens", np.array([1]))
    graph.node("Unsqueeze", ["kept", last], "kept_column")
    graph.node("Mul", [state, "kept_column"], "kept_states")
    graph.node("ReduceSum", ["kept_states", tokens], "sum", keepdims=0)
    graph.node("LpNormalization", ["sum"], "vectors", axis=-1, p=2)
