"""A drawing sheet in metres, on which the sides of vehicles are painted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.texture import Picture, Texture, grain

PX_PER_M = 96
TYRE = (24, 24, 24)

Points = list[tuple[float, float]]


class Sheet:
    """A side of a vehicle to draw on, in metres: x from the left, y up from the road."""

    def __init__(self, width_m: float, height_m: float) -> None:
        self.width_m, self.height_m = width_m, height_m
        shape = (round(height_m * PX_PER_M), round(width_m * PX_PER_M))
        self.colour: Picture = np.zeros((*shape, 3), dtype=np.uint8)
        self.alpha: NDArray[np.uint8] = np.zeros(shape, dtype=np.uint8)

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        return np.array(
            [[round(x * PX_PER_M * 8), round((self.height_m - y) * PX_PER_M * 8)] for x, y in points], np.int32
        )

    def area(self, points: Points, colour: tuple[int, int, int]) -> None:
        """Fills a polygon and makes it solid."""
        pixels = [self._pixels(points)]
        cv2.fillPoly(self.colour, pixels, colour, cv2.LINE_AA, 3)
        cv2.fillPoly(self.alpha, pixels, 255, cv2.LINE_AA, 3)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
        self.area([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def line(self, points: Points, colour: tuple[int, int, int], width_px: int = 1) -> None:
        pixels = [self._pixels(points)]
        cv2.polylines(
            self.colour, pixels, isClosed=False, color=colour, thickness=width_px, lineType=cv2.LINE_AA, shift=3
        )

    def wheel(self, x: float, radius: float) -> None:
        middle = (round(x * PX_PER_M * 8), round((self.height_m - radius) * PX_PER_M * 8))
        for share, colour in ((1.0, TYRE), (0.64, (128, 128, 130)), (0.5, (84, 84, 88)), (0.16, (150, 150, 150))):
            size = round(radius * share * PX_PER_M * 8)
            cv2.circle(self.colour, middle, size, colour, -1, cv2.LINE_AA, 3)
            cv2.circle(self.alpha, middle, size, 255, -1, cv2.LINE_AA, 3)

    def texture(self, rng: np.random.Generator) -> Texture:
        """Shades it from the sky down, roughens it a little, and closes it."""
        height, width = self.alpha.shape
        light = np.linspace(1.16, 0.80, height, dtype=np.float32)[:, None]
        rough = 1.0 + 0.035 * grain(rng, height, width, (16, 22)) + 0.02 * grain(rng, height, width, (4, 5))
        colour = np.clip(self.colour.astype(np.float32) * (light * rough)[..., None], 0, 255).astype(np.uint8)
        return Texture.of(colour, self.alpha)
