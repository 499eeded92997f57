"""A small graph as TensorFlow.js publishes one, with every operator that the conversion knows, and its arithmetic."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def _words(*words: str) -> dict[str, Any]:
    return {"list": {"s": [base64.b64encode(word.encode()).decode() for word in words]}}


def _convolution(
    name: str, source: str, kernel: str, *, stride: int, fused: tuple[str, ...] = (), depthwise: bool = False
) -> dict[str, Any]:
    operator = {(False, False): "Conv2D", (False, True): "_FusedConv2D", (True, False): "DepthwiseConv2dNative"}
    kind = operator.get((depthwise, bool(fused)), "FusedDepthwiseConv2dNative")
    bias = [f"{name}/bias"] if "BiasAdd" in fused else []
    attributes: dict[str, Any] = {
        "padding": {"s": base64.b64encode(b"SAME").decode()},
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
    }
    if fused:
        attributes["fused_ops"] = _words(*fused)
    return {"name": name, "op": kind, "input": [source, kernel, *bias], "attr": attributes}


def small_model(seed: int = 1) -> tuple[bytes, bytes, dict[str, Floats]]:
    """Return graph, weights and the constants by name: 512×512×3 → two outputs of 128×128."""
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "k1": (3, 3, 3, 4),
        "c1/bias": (4,),
        "k2": (5, 5, 4, 1),
        "d1/bias": (4,),
        "k3": (1, 1, 4, 2),
        "scale": (4,),
        "k4": (3, 3, 4, 1),
    }
    constants = {name: random.normal(0, 0.2, shape).astype(np.float16) for name, shape in shapes.items()}
    whole = {"axes": np.array([1, 2], np.int32), "size": np.array([128, 128], np.int32), "last": np.array(3, np.int32)}
    nodes = [
        {"name": "tower_0/images", "op": "Placeholder", "input": [], "attr": {}},
        _convolution("c1", "tower_0/images", "k1", stride=2, fused=("BiasAdd", "Relu6")),
        _convolution("d1", "c1", "k2", stride=2, fused=("BiasAdd", "Relu"), depthwise=True),
        _convolution("d2", "d1", "k4", stride=2, depthwise=True),
        {"name": "r6", "op": "Relu6", "input": ["d2"], "attr": {}},
        {"name": "up", "op": "ResizeBilinear", "input": ["r6", "size"], "attr": {}},
        {"name": "mean", "op": "Mean", "input": ["d1", "axes"], "attr": {}},
        {"name": "scaled", "op": "Mul", "input": ["d1", "scale"], "attr": {}},
        {"name": "lifted", "op": "AddV2", "input": ["scaled", "mean"], "attr": {}},
        {"name": "less", "op": "Sub", "input": ["lifted", "up"], "attr": {}},
        _convolution("c2", "less", "k3", stride=1),
        {"name": "tower_0/keypoints", "op": "Sigmoid", "input": ["c2"], "attr": {}},
        {"name": "tower_0/wh", "op": "ConcatV2", "input": ["c2", "less", "last"], "attr": {}},
        {"name": "tower_0/detections", "op": "TopKV2", "input": ["tower_0/keypoints"], "attr": {}},
    ]
    entries = [
        {"name": n, "shape": list(a.shape), "dtype": "float32", "quantization": {"dtype": "float16"}}
        for n, a in constants.items()
    ]
    entries += [{"name": n, "shape": list(a.shape), "dtype": "int32"} for n, a in whole.items()]
    arrays: list[NDArray[Any]] = [*constants.values(), *whole.values()]
    raw = b"".join(array.tobytes() for array in arrays)
    graph = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": entries}]}
    return json.dumps(graph).encode(), raw, {name: array.astype(np.float32) for name, array in constants.items()}


def small_outputs(picture: Floats, constants: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Return what the graph computes for a picture (512, 512, 3), by plain sums; channels last."""
    c1 = np.clip(_slide(picture, constants["k1"], 2) + constants["c1/bias"], 0, 6)
    d1 = np.maximum(_slide(c1, _diagonal(constants["k2"]), 2) + constants["d1/bias"], 0)
    r6 = np.clip(_slide(d1, _diagonal(constants["k4"]), 2), 0, 6)
    less = d1 * constants["scale"] + d1.mean((0, 1)) - _doubled(_doubled(r6, 0), 1)
    c2 = _slide(less, constants["k3"], 1)
    return (1 / (1 + np.exp(-c2))).astype(np.float32), np.concatenate([c2, less], axis=2)


def _diagonal(kernel: Floats) -> Floats:
    """Return a depthwise kernel as one that sees all channels and takes its own."""
    return np.asarray(kernel * np.eye(kernel.shape[2], dtype=np.float32), np.float32)


def _slide(picture: Floats, kernel: Floats, stride: int) -> Floats:
    rows, columns, _taken, made = kernel.shape
    height, width = -(-picture.shape[0] // stride), -(-picture.shape[1] // stride)
    down = max((height - 1) * stride + rows - picture.shape[0], 0)
    across = max((width - 1) * stride + columns - picture.shape[1], 0)
    over = [down, across]
    padded = np.pad(picture, [(n // 2, n - n // 2) for n in over] + [(0, 0)])
    out = np.zeros((height, width, made), np.float32)
    for y in range(rows):
        for x in range(columns):
            seen = padded[y : y + height * stride : stride, x : x + width * stride : stride][:height, :width]
            out += seen @ kernel[y, x]
    return out


def _doubled(values: Floats, axis: int) -> Floats:
    """Return twice as many rows or columns: each, and the middle to the next (the last one stands for its own next)."""
    following = np.concatenate([np.take(values, range(1, values.shape[axis]), axis), np.take(values, [-1], axis)], axis)
    shape = list(values.shape)
    shape[axis] *= 2
    return np.stack([values, (values + following) / 2], axis + 1).reshape(shape)
