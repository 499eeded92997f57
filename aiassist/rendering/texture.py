"""Raw material of pictures: tileable noise, colours, pyramids of premultiplied textures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # blue, green, red as OpenCV orders them; with a fourth channel where there is alpha
Plane = NDArray[np.float32]

COARSE_PX = 12.0


def grain(rng: np.random.Generator, height: int, width: int, cell: tuple[float, float]) -> Plane:
    """Smooth noise of about unit spread that repeats at its borders; `cell` is the blob size in pixels (y, x)."""
    rows, columns = max(2, round(height / cell[0])), max(2, round(width / cell[1]))
    coarse = np.pad(rng.standard_normal((rows, columns)).astype(np.float32), 2, mode="wrap")
    scale_y, scale_x = height / rows, width / columns
    big = cv2.resize(
        coarse, (round((columns + 4) * scale_x), round((rows + 4) * scale_y)), interpolation=cv2.INTER_CUBIC
    )
    top, left = round(2 * scale_y), round(2 * scale_x)
    return np.ascontiguousarray(big[top : top + height, left : left + width], dtype=np.float32)


def fractal(rng: np.random.Generator, height: int, width: int, cells: tuple[tuple[float, float], ...]) -> Plane:
    """Noise of several sizes, the first the strongest (1, 0.6, 0.36 …)."""
    coarse = [cell for cell in cells if min(cell) >= COARSE_PX and min(height, width) >= 4 * COARSE_PX]
    total = np.zeros((height, width), dtype=np.float32)
    if coarse:  # large blobs need few pixels: a quarter of the size each way, then enlarged once
        small = np.zeros((-(-height // 4), -(-width // 4)), dtype=np.float32)
        for power, cell in enumerate(coarse):
            small += 0.6**power * grain(rng, *small.shape, (cell[0] / 4, cell[1] / 4))
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    for power, cell in enumerate(cell for cell in cells if cell not in coarse):
        total += 0.6 ** (len(coarse) + power) * grain(rng, height, width, cell)
    return total


def to_picture(values: NDArray[np.float32]) -> Picture:
    return np.clip(values, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Texture:
    """A picture with premultiplied alpha in several sizes, the largest first; the alpha is 0 along the border."""

    levels: tuple[Picture, ...]

    @classmethod
    def of(cls, colour: Picture, alpha: NDArray[np.uint8] | None = None) -> Texture:
        height, width = colour.shape[:2]
        mask = np.full((height, width), 255, dtype=np.uint8) if alpha is None else alpha.copy()
        mask[[0, -1], :] = 0
        mask[:, [0, -1]] = 0
        shade = mask[..., None].astype(np.float32) / 255.0
        full = np.dstack([(colour * shade).astype(np.uint8), mask])
        levels = [full]
        while min(levels[-1].shape[:2]) > 7:
            top = levels[-1]
            half = (max(2, top.shape[1] // 2), max(2, top.shape[0] // 2))
            levels.append(np.asarray(cv2.resize(top, half, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        return cls(tuple(levels))

    def level_for(self, width_px: float, height_px: float) -> Picture:
        """The smallest size that still has at least as many pixels as will be seen (down to two thirds)."""
        height, width = self.levels[0].shape[:2]
        ratio = min(width / max(width_px, 1.0), height / max(height_px, 1.0))
        return self.levels[min(int(math.log2(max(ratio, 1.0)) + 0.4), len(self.levels) - 1)]
