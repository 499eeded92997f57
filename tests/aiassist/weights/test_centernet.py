"""The conversion: what the ONNX file computes is what the published graph computes, to the last asymmetric pad."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
import pytest

from aiassist.weights.centernet import INPUT, PEAKS, SIDE, SIDES, UnknownGraph, convert
from tests.aiassist.weights.small_graph import small_model, small_outputs


def test_the_converted_graph_computes_what_the_published_one_does() -> None:
    graph, weights, constants = small_model()
    picture = np.random.default_rng(2).uniform(0, 1, (SIDE, SIDE, 3)).astype(np.float32)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(convert(graph, weights), np.uint8))
    net.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None]), INPUT)
    peaks, sides = net.forward([PEAKS, SIDES])
    expected_peaks, expected_sides = small_outputs(picture, constants)
    np.testing.assert_allclose(peaks[0].transpose(1, 2, 0), expected_peaks, atol=2e-4)
    np.testing.assert_allclose(sides[0].transpose(1, 2, 0), expected_sides, atol=2e-3)


def test_the_same_input_gives_the_same_bytes() -> None:
    graph, weights, _ = small_model()
    sums = {hashlib.sha256(convert(graph, weights)).hexdigest() for _ in range(2)}
    other, others, _ = small_model(seed=2)
    assert len(sums) == 1 and hashlib.sha256(convert(other, others)).hexdigest() not in sums


@pytest.mark.parametrize("spoil", ["graph", "weights", "operator", "output"])
def test_a_graph_that_is_not_the_known_one_is_refused(spoil: str) -> None:
    graph, weights, _ = small_model()
    model = json.loads(graph)
    if spoil == "operator":
        model["modelTopology"]["node"][4]["op"] = "Elu"
    if spoil == "output":
        model["modelTopology"]["node"] = model["modelTopology"]["node"][:-3]
    graph = b"{" if spoil == "graph" else json.dumps(model).encode()
    with pytest.raises(UnknownGraph) as refusal:
        convert(graph, weights[:-4] if spoil == "weights" else weights)
    assert refusal.value.code == "weights_unknown_graph"
