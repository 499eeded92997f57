"""Writes an ONNX file: the few messages of onnx.proto3 that a convolutional graph needs.

The `onnx` package would do it too, at 60 MB with what it needs, for one file on one day. Written by hand the bytes
depend on nothing but the graph, so the manifest can name the SHA-256 of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Field numbers and enums: onnx.proto3 of ONNX 1.16.
_IR_VERSION, _OPSET = 9, 18
_FLOAT, _INT64 = 1, 7
_ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 2, 3, 7
_VARINT, _LENGTH = 0, 2

Attribute = int | str | Sequence[int]


@dataclass
class Graph:
    """Collects nodes and constants in order; `onnx_bytes` writes them."""

    _nodes: list[bytes] = field(default_factory=list)
    _constants: list[bytes] = field(default_factory=list)

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> str:
        """Append a node and return the name of what it computes; an empty input name is an absent one."""
        parts = [_bytes(1, name.encode()) for name in inputs]
        parts += [_bytes(2, output.encode()), _bytes(4, operator.encode())]
        parts += [_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return output

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Append a constant and return its name."""
        name = f"constant_{len(self._constants)}"
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        dims = b"".join(_int(1, size) for size in values.shape)
        raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        self._constants.append(dims + _int(2, kind) + _bytes(8, name.encode()) + _bytes(9, raw))
        return name

    def onnx_bytes(
        self, *, name: str, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int]]
    ) -> bytes:
        """Return the file; `inputs` and `outputs` map names to shapes of 32-bit floats."""
        body = [_bytes(1, node) for node in self._nodes] + [_bytes(2, name.encode())]
        body += [_bytes(5, constant) for constant in self._constants]
        body += [_bytes(11, _value(name, shape)) for name, shape in inputs.items()]
        body += [_bytes(12, _value(name, shape)) for name, shape in outputs.items()]
        return _int(1, _IR_VERSION) + _bytes(7, b"".join(body)) + _bytes(8, _int(2, _OPSET))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, str):
        return _bytes(1, name.encode()) + _bytes(4, value.encode()) + _int(20, _ATTRIBUTE_STRING)
    if isinstance(value, int):
        return _bytes(1, name.encode()) + _int(3, value) + _int(20, _ATTRIBUTE_INT)
    return _bytes(1, name.encode()) + b"".join(_int(8, item) for item in value) + _int(20, _ATTRIBUTE_INTS)


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_bytes(1, _int(1, size)) for size in shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _int(1, _FLOAT) + _bytes(2, dims)))


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Return a whole number from 0 on, seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
