"""How a player turns the pictures of a file: phones and upside-down mounts write a matrix instead of turned pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

# Nine 32-bit numbers, 16.16 fixed point: x' = a x + c y, y' = b x + d y.
MATRIX = struct.Struct("=9i")


@dataclass(frozen=True)
class Turn:
    """Axes swapped first, then left and right or top and bottom."""

    swaps_axes: bool = False
    flips_x: bool = False
    flips_y: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown."""
        return (height, width) if self.swaps_axes else (width, height)

    def shown(self, image: Any) -> Any:
        """A view of an array (rows, columns) as shown."""
        if self.swaps_axes:
            image = image.T
        if self.flips_x:
            image = image[:, ::-1]
        return image[::-1] if self.flips_y else image


AS_STORED = Turn()


def turn_of(frame: Any) -> Turn:
    """The turn that a decoded picture asks for, to the nearest quarter; as stored where it asks for none.

    Ask once per stream: a picture whose side data was looked at stays in memory until the garbage collector comes.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None or matrix.buffer_size != MATRIX.size:
        return AS_STORED
    a, b, _, c, d, *_ = MATRIX.unpack(bytes(matrix))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(swaps_axes=True, flips_x=c < 0, flips_y=b < 0)
    return Turn(flips_x=a < 0, flips_y=d < 0)
