"""The detector's published graph (TensorFlow.js, channels last) becomes an ONNX file with channels first.

MobileNetV3-CenterNet on the 80 classes of COCO. In: RGB 0–255, 512×512, the picture stretched. Out, on a grid of 128:
`peaks`, the share 0–1 that an object of a class has its middle in the cell; `sides`, the distances from (4x, 4y) to its
left, top, right and bottom edge in input pixels. Finding the peaks is left to `aiassist/video/detection.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiassist.weights.onnx_file import Graph
from observability.errors import UnusableContent

SIDE, CELLS, CLASSES = 512, 128, 80
INPUT, PEAKS, SIDES = "pictures", "peaks", "sides"
_GRAPH_INPUT = "tower_0/images"
_GRAPH_OUTPUTS = {"tower_0/keypoints": PEAKS, "tower_0/wh": SIDES}
# Where the axes of a channels-last tensor stand in a channels-first one.
_AXES = {0: 0, 1: 2, 2: 3, 3: 1}
_CONVOLUTIONS = {
    "Conv2D": False,
    "_FusedConv2D": False,
    "DepthwiseConv2dNative": True,
    "FusedDepthwiseConv2dNative": True,
}
_ELEMENTWISE = {"Mul": "Mul", "Add": "Add", "AddV2": "Add", "Sub": "Sub"}
_PLAIN = {"Relu", "Sigmoid", "Identity"}

Node = Mapping[str, Any]
Floats = NDArray[np.float32]


class UnknownGraph(UnusableContent):
    code = "weights_unknown_graph"
    message = "The weights' graph is not the one that the conversion knows."


@dataclass(frozen=True)
class _Tensor:
    name: str
    channels: int
    height: int
    width: int


def convert(graph_json: bytes, weights: bytes) -> bytes:
    """Return the ONNX file; the same input gives the same bytes. Raises UnknownGraph for anything unforeseen."""
    try:
        model = json.loads(graph_json)
        conversion = _Conversion(_nodes_of(model), _weights_of(model, weights))
        return conversion.onnx_bytes()
    except (KeyError, ValueError, IndexError, TypeError) as problem:
        raise UnknownGraph(f"{UnknownGraph.message} ({type(problem).__name__})") from problem


def _nodes_of(model: Mapping[str, Any]) -> dict[str, Node]:
    return {node["name"]: node for node in model["modelTopology"]["node"]}


def _weights_of(model: Mapping[str, Any], raw: bytes) -> dict[str, NDArray[Any]]:
    """Return the constants by name; halves are widened, nothing may be left over."""
    found: dict[str, NDArray[Any]] = {}
    offset = 0
    for entry in model["weightsManifest"][0]["weights"]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(raw, stored, count, offset)
        offset += values.nbytes
        found[entry["name"]] = values.astype(entry["dtype"]).reshape(entry["shape"])
    if offset != len(raw):
        raise ValueError("bytes are left over")
    return found


class _Conversion:
    """Walks from the wanted outputs to the input, so the published decoding head is never touched."""

    def __init__(self, nodes: dict[str, Node], weights: dict[str, NDArray[Any]]) -> None:
        self._nodes, self._weights = nodes, weights
        self._graph = Graph()
        self._done = {_GRAPH_INPUT: _Tensor(INPUT, 3, SIDE, SIDE)}

    def onnx_bytes(self) -> bytes:
        outputs = {}
        for name, wanted in _GRAPH_OUTPUTS.items():
            made = self._tensor(name)
            self._graph.add("Identity", [made.name], wanted)
            outputs[wanted] = (1, made.channels, made.height, made.width)
        return self._graph.onnx_bytes(name="centernet", inputs={INPUT: (1, 3, SIDE, SIDE)}, outputs=outputs)

    def _tensor(self, name: str) -> _Tensor:
        name = name.partition(":")[0]
        if name not in self._done:
            self._done[name] = self._computed(self._nodes[name])
        return self._done[name]

    def _computed(self, node: Node) -> _Tensor:
        operator, name, inputs = node["op"], node["name"], node["input"]
        if operator in _CONVOLUTIONS:
            return self._convolution(node, depthwise=_CONVOLUTIONS[operator])
        if operator in _ELEMENTWISE:
            return self._elementwise(_ELEMENTWISE[operator], name, inputs)
        if operator == "ConcatV2":
            return self._joined(name, inputs[:-1], axis=int(self._weights[inputs[-1]]))
        source = self._tensor(inputs[0])
        if operator == "Relu6":
            return self._clipped(source, name)
        if operator in _PLAIN:
            return _Tensor(self._graph.add(operator, [source.name], name), source.channels, source.height, source.width)
        if operator == "Mean":
            return self._mean(source, name, self._weights[inputs[1]])
        if operator == "ResizeBilinear":
            return self._resized(source, name, self._weights[inputs[1]])
        raise ValueError(f"unknown operator {operator}")

    def _convolution(self, node: Node, *, depthwise: bool) -> _Tensor:
        name, source = node["name"], self._tensor(node["input"][0])
        kernel, strides = self._weights[node["input"][1]], _numbers(node, "strides")[1:3]
        height, width, taken, made = kernel.shape
        channels = taken * made if depthwise else made
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        filters = kernel.transpose(order).reshape(channels, 1 if depthwise else taken, height, width)
        fused = _words(node, "fused_ops")
        inputs = [source.name, self._graph.constant(filters)]
        if "BiasAdd" in fused:
            inputs.append(self._graph.constant(self._weights[node["input"][2]]))
        # The amounts are spelled out: OpenCV's engine takes `auto_pad` for symmetric, which moves every box.
        vertical = _padding(source.height, height, strides[0], same=_word(node, "padding") == "SAME")
        across = _padding(source.width, width, strides[1], same=_word(node, "padding") == "SAME")
        pads = [vertical[0], across[0], vertical[1], across[1]]
        group = source.channels if depthwise else 1
        plain = [step for step in fused if step != "BiasAdd"]
        out = self._graph.add(
            "Conv", inputs, f"{name}/conv" if plain else name, strides=strides, pads=pads, group=group
        )
        rows = (source.height + sum(vertical) - height) // strides[0] + 1
        columns = (source.width + sum(across) - width) // strides[1] + 1
        return self._activated(_Tensor(out, channels, rows, columns), plain, name)

    def _activated(self, tensor: _Tensor, steps: Sequence[str], name: str) -> _Tensor:
        if not steps:
            return tensor
        if list(steps) == ["Relu6"]:
            return self._clipped(tensor, name)
        if list(steps) == ["Relu"]:
            return _Tensor(self._graph.add("Relu", [tensor.name], name), tensor.channels, tensor.height, tensor.width)
        raise ValueError(f"unknown activation {steps}")

    def _clipped(self, source: _Tensor, name: str) -> _Tensor:
        low, high = (self._graph.constant(np.array(bound, np.float32)) for bound in (0.0, 6.0))
        out = self._graph.add("Clip", [source.name, low, high], name)
        return _Tensor(out, source.channels, source.height, source.width)

    def _elementwise(self, operator: str, name: str, inputs: Sequence[str]) -> _Tensor:
        known = [self._tensor(given) for given in inputs if given not in self._weights]
        names = [
            self._graph.constant(_channels_first(self._weights[given]))
            if given in self._weights
            else self._tensor(given).name
            for given in inputs
        ]
        out = self._graph.add(operator, names, name)
        return _Tensor(out, max(t.channels for t in known), max(t.height for t in known), max(t.width for t in known))

    def _joined(self, name: str, inputs: Sequence[str], *, axis: int) -> _Tensor:
        parts = [self._tensor(given) for given in inputs]
        if _AXES[axis] != 1:
            raise ValueError("only channels are joined")
        out = self._graph.add("Concat", [part.name for part in parts], name, axis=1)
        return _Tensor(out, sum(part.channels for part in parts), parts[0].height, parts[0].width)

    def _mean(self, source: _Tensor, name: str, axes: NDArray[Any]) -> _Tensor:
        if sorted(_AXES[int(axis)] for axis in np.atleast_1d(axes)) != [2, 3]:
            raise ValueError("only whole pictures are averaged")
        over = self._graph.constant(np.array([2, 3], np.int64))
        return _Tensor(self._graph.add("ReduceMean", [source.name, over], name, keepdims=1), source.channels, 1, 1)

    def _resized(self, source: _Tensor, name: str, size: NDArray[Any]) -> _Tensor:
        height, width = (int(pixels) for pixels in size)
        shape = self._graph.constant(np.array([1, source.channels, height, width], np.int64))
        out = self._graph.add(
            "Resize", [source.name, "", "", shape], name, mode="linear", coordinate_transformation_mode="asymmetric"
        )
        return _Tensor(out, source.channels, height, width)


def _channels_first(values: NDArray[Any]) -> Floats:
    """Return a constant so that it meets each channel of a picture."""
    return values.astype(np.float32).reshape((1, -1, 1, 1))


def _padding(size: int, kernel: int, stride: int, *, same: bool) -> tuple[int, int]:
    """Return the zeros before and after; TensorFlow's SAME puts the odd one behind."""
    if not same:
        return 0, 0
    whole = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return whole // 2, whole - whole // 2


def _numbers(node: Node, name: str) -> list[int]:
    return [int(number) for number in node["attr"][name]["list"]["i"]]


def _words(node: Node, name: str) -> list[str]:
    entry = node["attr"].get(name, {}).get("list", {})
    return [base64.b64decode(word).decode() for word in entry.get("s", [])]


def _word(node: Node, name: str) -> str:
    return base64.b64decode(node["attr"][name]["s"]).decode()
