"""Networks that were fine-tuned here as ONNX models in 8-bit integers, built operator by operator: one window in, no padding, no mask.

Weights keep seven bits, so that processors with and without wide integer products give the same sums. Of the large network a model holds
only what was learned; what is the base model's own it finds in the prepared file (`coprod_nlp.reading.base_model`).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from coprod_nlp.reading import base_model
from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SPAN_LABELS
from coprod_nlp.training.network import Geometry, State
from coprod_nlp.training.pretrained import MINILM, MPNET

OPSET, IR = 20, 10
# What stands for none among the integers of a row.
MIDDLE = 128
# The linear maps of a layer, and which parts of it each of them joins.
LINEAR = {"joint": ("query", "key", "value"), "out": ("out",), "inner": ("inner",), "outer": ("outer",)}


def to_onnx(state: State) -> bytes:
    """The small network, quantised, as `coprod_nlp.reading.encoder.Encoder` runs it."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.onnx", Path(folder) / "packed.onnx"
        onnx.save(plain_model(state), plain)
        quantize_dynamic(
            plain, packed, op_types_to_quantize=["MatMul", "Gather"], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
        return packed.read_bytes()


def plain_model(state: State) -> onnx.ModelProto:
    """The same in 32-bit floats."""
    model = _Graph(state, MINILM).model()
    onnx.checker.check_model(model)
    return model


def to_adapter_onnx(state: State, geometry: Geometry = MPNET) -> bytes:
    """What the large network, or its lowest layers, learned, quantised, beside names of places in the prepared file."""
    raw: bytes = _AdapterGraph(state, geometry).model().SerializeToString()
    return raw


class _Graph:
    """Nodes and constants as they are added; every method returns the name of what it computes."""

    def __init__(self, state: State, geometry: Geometry) -> None:
        self.state, self.geometry = state, geometry
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def model(self) -> onnx.ModelProto:
        hidden = self.embedded()
        for place in range(self.geometry.layers):
            hidden = self.layer(f"layers.{place}.", hidden)
        self.heads(hidden)
        inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["pieces"])]
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [len(LABELS)]),
            helper.make_tensor_value_info("spans", TensorProto.FLOAT, ["pieces", len(SPAN_LABELS)]),
            helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [self.geometry.width]),
        ]
        made = helper.make_graph(self.nodes, "reading", inputs, outputs, self.constants)
        return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="coprod")

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

    def share(self, part: str) -> np.float32:
        """What a linear map is multiplied by: of queries a share, so that their products with keys are small."""
        return np.float32(1 / np.sqrt(self.geometry.width / self.geometry.heads) if part == "query" else 1)

    def layer_linear(self, stem: str, name: str, hidden: str) -> str:
        """One of the linear maps of a layer."""
        weight, bias = (
            np.concatenate([self.state[f"{stem}{part}.{kind}"] * self.share(part) for part in LINEAR[name]]) for kind in ("weight", "bias")
        )
        return self.linear(f"{stem}{name}", hidden, weight, bias)

    def norm(self, stem: str, hidden: str) -> str:
        weight, bias = (self.norm_constant(f"{stem}.{part}") for part in ("weight", "bias"))
        return self.node("LayerNormalization", hidden, weight, bias, name=f"{stem}.out", epsilon=self.geometry.epsilon, axis=-1)

    def norm_constant(self, name: str) -> str:
        return self.constant(name, self.state[name])

    def length(self) -> str:
        """(1,) how many wordpieces there are, and the constants that slices need."""
        for name, value in (("zero", 0), ("one", 1)):
            self.constant(name, np.array([value], np.int64))
        return self.node("Shape", "input_ids", name="length")

    def embedded(self) -> str:
        words = self.node("Gather", self.constant("words", self.state["words.weight"]), "input_ids", name="word")
        places = self.constant("places", self.state["positions.weight"] + self.state["kinds.weight"][0])
        place = self.node("Slice", places, "zero", self.length(), "zero", "one", name="place")
        return self.norm("norm", self.node("Add", words, place, name="embedded"))

    def scores(self, name: str, query: str, key: str) -> str:
        """(heads, pieces, pieces) how much each piece attends to each."""
        return self.node("MatMul", query, key, name=name)

    def layer(self, stem: str, hidden: str) -> str:
        heads, width = self.geometry.heads, self.geometry.width
        self.node("Split", self.layer_linear(stem, "joint", hidden), name=f"{stem}part", outputs=3, axis=-1, num_outputs=3)
        shape = self.constant(f"{stem}heads", np.array([0, heads, width // heads], np.int64))
        query, key, value = (
            self.node(
                "Transpose", self.node("Reshape", f"{stem}part.{place}", shape, name=f"{stem}split.{place}"), name=f"{stem}turned.{place}",
                perm=[1, 2, 0] if place == 1 else [1, 0, 2],
            )
            for place in range(3)
        )  # fmt: skip
        weight = self.node("Softmax", self.scores(f"{stem}scores", query, key), name=f"{stem}weights", axis=-1)
        turned = self.node("Transpose", self.node("MatMul", weight, value, name=f"{stem}mixed"), name=f"{stem}back", perm=[1, 0, 2])
        joined = self.node("Reshape", turned, self.constant(f"{stem}width", np.array([0, width], np.int64)), name=f"{stem}joined")
        attended = self.layer_linear(stem, "out", joined)
        hidden = self.norm(f"{stem}norm_attention", self.node("Add", hidden, attended, name=f"{stem}attended"))
        bent = self.node("Gelu", self.layer_linear(stem, "inner", hidden), name=f"{stem}bent")
        return self.norm(f"{stem}norm_output", self.node("Add", hidden, self.layer_linear(stem, "outer", bent), name=f"{stem}sum"))

    def heads(self, hidden: str) -> None:
        state = self.state
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


class _AdapterGraph(_Graph):
    """A graph whose base model stands in a file of its own, and beside whose linear maps stands what was learned."""

    def __init__(self, state: State, geometry: Geometry) -> None:
        super().__init__(state, geometry)
        floats = {"tiny": 1e-12, "steps": MIDDLE - 1, "middle": MIDDLE}
        for name, value in floats.items():
            self.constant(name, np.float32(value))
        self.constant("nothing", np.uint8(MIDDLE))
        self.constant("last", np.array([-1], np.int64))

    def stored(self, name: str) -> str:
        """An array of the prepared file."""
        place = base_model.layout()[name]
        found = TensorProto(name=name, dims=place.shape, data_type=helper.np_dtype_to_tensor_dtype(place.dtype))
        found.data_location = TensorProto.EXTERNAL
        for key, value in (("location", base_model.PREPARED.name), ("offset", place.offset), ("length", place.length)):
            found.external_data.add(key=key, value=str(value))
        self.constants.append(found)
        return name

    def norm_constant(self, name: str) -> str:
        return self.stored(name)

    def embedded(self) -> str:
        whole, worth = (self.node("Gather", self.stored(name), "input_ids", name=f"{name}.taken") for name in ("words", "words.scale"))
        words = self.node("Mul", self.node("Cast", whole, name="words.cast", to=TensorProto.FLOAT), worth, name="word")
        place = self.node("Slice", self.stored("places"), "zero", self.length(), "zero", "one", name="place")
        ends = self.node("Concat", "length", "length", name="ends", axis=0)
        starts, axes = self.constant("starts", np.array([0, 0], np.int64)), self.constant("axes", np.array([1, 2], np.int64))
        self.node("Slice", self.stored("distances"), starts, ends, axes, name="bias")
        return self.norm("norm", self.node("Add", words, place, name="embedded"))

    def scores(self, name: str, query: str, key: str) -> str:
        return self.node("Add", super().scores(f"{name}.product", query, key), "bias", name=name)

    def layer_linear(self, stem: str, name: str, hidden: str) -> str:
        whole = f"{stem}{name}"
        rows = self.rows(f"{whole}.rows", hidden)
        product = self.product(whole, rows, *(self.stored(f"{whole}.{part}") for part in ("weight", "scale")))
        own = self.node("Add", product, self.stored(f"{whole}.bias"), name=f"{whole}.own")
        if f"{stem}{LINEAR[name][0]}.down.weight" not in self.state:
            return own
        learned = [self.learned(stem, part, rows) for part in LINEAR[name]]
        joined = self.node("Concat", *learned, name=f"{whole}.learned", axis=-1) if len(learned) > 1 else learned[0]
        return self.node("Add", own, joined, name=whole)

    def learned(self, stem: str, part: str, rows: str) -> str:
        """What stands beside a linear map; of a query, the share that the prepared file holds of it too."""
        whole = f"{stem}{part}"
        down = self.product(f"{whole}.down", rows, *self.integers(f"{whole}.down", self.state[f"{whole}.down.weight"]))
        between = self.rows(f"{whole}.between", down)
        return self.product(f"{whole}.up", between, *self.integers(f"{whole}.up", self.state[f"{whole}.up.weight"] * self.share(part)))

    def integers(self, name: str, weight: NDArray[np.float32]) -> tuple[str, str]:
        """A matrix and what one of its integers is worth."""
        integers, scale = base_model.quantised(weight.T, axis=0)
        return self.constant(f"{name}.weight", integers), self.constant(f"{name}.scale", scale[0])

    def rows(self, name: str, hidden: str) -> str:
        """Integers around `MIDDLE` and what one of them is worth (`.worth`), for each row its own: one for all leaves little of most."""
        largest = self.node("ReduceMax", self.node("Abs", hidden, name=f"{name}.abs"), "last", name=f"{name}.largest", keepdims=1)
        self.node("Div", self.node("Max", largest, "tiny", name=f"{name}.some"), "steps", name=f"{name}.worth")
        steps = self.node("Round", self.node("Div", hidden, f"{name}.worth", name=f"{name}.steps"), name=f"{name}.whole")
        return self.node("Cast", self.node("Add", steps, "middle", name=f"{name}.moved"), name=name, to=TensorProto.UINT8)

    def product(self, name: str, rows: str, weight: str, scale: str) -> str:
        """The product of two matrices of integers, as floats."""
        whole = self.node("MatMulInteger", rows, weight, "nothing", name=f"{name}.integers")
        by_row = self.node("Mul", self.node("Cast", whole, name=f"{name}.cast", to=TensorProto.FLOAT), f"{rows}.worth", name=f"{name}.row")
        return self.node("Mul", by_row, scale, name=f"{name}.product")
