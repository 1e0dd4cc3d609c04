"""The fine-tuned encoder as an ONNX model in 8-bit integers, built operator by operator: one window in, no padding, no mask.

Weights keep seven bits, so that processors with and without wide integer products give the same sums.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SPAN_LABELS
from coprod_nlp.training.network import State
from coprod_nlp.training.pretrained import MINILM

OPSET, IR = 20, 10


def to_onnx(state: State) -> bytes:
    """A quantised model, as `coprod_nlp.reading.encoder.Encoder` runs it."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.onnx", Path(folder) / "packed.onnx"
        onnx.save(plain_model(state), plain)
        quantize_dynamic(
            plain, packed, op_types_to_quantize=["MatMul", "Gather"], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
        return packed.read_bytes()


def plain_model(state: State) -> onnx.ModelProto:
    """The same model in 32-bit floats."""
    graph = _Graph()
    hidden = graph.embedded(state)
    for place in range(MINILM.layers):
        hidden = graph.layer(state, f"layers.{place}.", hidden)
    graph.heads(state, hidden)
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["pieces"])]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, [len(LABELS)]),
        helper.make_tensor_value_info("spans", TensorProto.FLOAT, ["pieces", len(SPAN_LABELS)]),
        helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [MINILM.width]),
    ]
    made = helper.make_graph(graph.nodes, "reading", inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="coprod")
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants as they are added; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, *inputs: str, name: str, outputs: int = 1, **attributes: Any) -> str:
        names = [name] if outputs == 1 else [f"{name}.{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{name}/{kind}", **attributes))
        return name

    def linear(self, name: str, hidden: str, weight: Any, bias: Any) -> str:
        product = self.node("MatMul", hidden, self.constant(f"{name}.weight", weight.T), name=f"{name}.product")
        return self.node("Add", product, self.constant(f"{name}.bias", bias), name=name)

    def norm(self, state: State, stem: str, hidden: str) -> str:
        weight, bias = (self.constant(f"{stem}.{part}", state[f"{stem}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", hidden, weight, bias, name=f"{stem}.out", epsilon=MINILM.epsilon, axis=-1)

    def embedded(self, state: State) -> str:
        words = self.node("Gather", self.constant("words", state["words.weight"]), "input_ids", name="word")
        zero, one = self.constant("zero", np.array([0], np.int64)), self.constant("one", np.array([1], np.int64))
        length = self.node("Shape", "input_ids", name="length")
        places = self.constant("places", state["positions.weight"] + state["kinds.weight"][0])
        place = self.node("Slice", places, zero, length, zero, one, name="place")
        return self.norm(state, "norm", self.node("Add", words, place, name="embedded"))

    def layer(self, state: State, stem: str, hidden: str) -> str:
        scale = np.float32(1 / np.sqrt(MINILM.width / MINILM.heads))
        weights = [state[f"{stem}{part}.weight"] for part in ("query", "key", "value")]
        biases = [state[f"{stem}{part}.bias"] for part in ("query", "key", "value")]
        joint = self.linear(
            f"{stem}joint", hidden, np.concatenate([weights[0] * scale, *weights[1:]]), np.concatenate([biases[0] * scale, *biases[1:]])
        )
        self.node("Split", joint, name=f"{stem}part", outputs=3, axis=-1, num_outputs=3)
        shape = self.constant(f"{stem}heads", np.array([0, MINILM.heads, MINILM.width // MINILM.heads], np.int64))
        query, key, value = (
            self.node(
                "Transpose", self.node("Reshape", f"{stem}part.{place}", shape, name=f"{stem}split.{place}"), name=f"{stem}turned.{place}",
                perm=[1, 2, 0] if place == 1 else [1, 0, 2],
            )
            for place in range(3)
        )  # fmt: skip
        weight = self.node("Softmax", self.node("MatMul", query, key, name=f"{stem}scores"), name=f"{stem}weights", axis=-1)
        turned = self.node("Transpose", self.node("MatMul", weight, value, name=f"{stem}mixed"), name=f"{stem}back", perm=[1, 0, 2])
        joined = self.node("Reshape", turned, self.constant(f"{stem}width", np.array([0, MINILM.width], np.int64)), name=f"{stem}joined")
        attended = self.linear(f"{stem}out", joined, state[f"{stem}out.weight"], state[f"{stem}out.bias"])
        hidden = self.norm(state, f"{stem}norm_attention", self.node("Add", hidden, attended, name=f"{stem}attended"))
        inner = self.linear(f"{stem}inner", hidden, state[f"{stem}inner.weight"], state[f"{stem}inner.bias"])
        outer = self.linear(
            f"{stem}outer", self.node("Gelu", inner, name=f"{stem}bent"), state[f"{stem}outer.weight"], state[f"{stem}outer.bias"]
        )
        return self.norm(state, f"{stem}norm_output", self.node("Add", hidden, outer, name=f"{stem}sum"))

    def heads(self, state: State, hidden: str) -> None:
        first = self.constant("first_axis", np.array([0], np.int64))
        last = self.constant("last_axis", np.array([1], np.int64))
        self.linear("spans", hidden, state["evidence.weight"], state["evidence.bias"])
        best = self.node("ReduceMax", "spans", first, name="best", keepdims=0)
        self.node("ReduceMean", hidden, first, name="pooled", keepdims=0)
        weights = self.node("Softmax", self.linear("attend", hidden, state["attend.weight"], state["attend.bias"]), name="attends", axis=0)
        seen = self.node("MatMul", self.node("Transpose", weights, name="by_label", perm=[1, 0]), hidden, name="seen")
        judged = self.node(
            "ReduceSum", self.node("Mul", seen, self.constant("judge", state["judge"]), name="weighed"), last, name="judged", keepdims=0
        )
        mean = self.linear("mean", "pooled", state["mean.weight"], state["mean.bias"] + state["bias"])
        mixed = self.node("Mul", best, self.constant("mix", state["mix"]), name="mixed")
        padded = self.node("Concat", self.constant("none", np.zeros(FIRST_SPAN, np.float32)), mixed, name="padded", axis=0)
        self.node("Add", self.node("Add", judged, mean, name="whole"), padded, name="logits")
