"""Painted roadside things: trees, bushes, houses, blocks of flats, poles, signs, guard rails."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.texture import Texture, fractal, grain


def _leaves(rng: np.random.Generator, height: int, width: int, colour: NDArray[np.float32]) -> NDArray[np.uint8]:
    unit = height / 150.0
    rough = fractal(
        rng, height, width, ((26 * unit, 26 * unit), (11 * unit, 11 * unit), (5 * unit, 5 * unit), (2.5, 2.5))
    )
    light = np.linspace(1.22, 0.62, height, dtype=np.float32)[:, None]
    return np.clip(colour * (light * (1.0 + 0.24 * rough))[..., None], 0, 255).astype(np.uint8)


def tree(rng: np.random.Generator) -> Texture:
    """A crown of many lumps on a trunk; 7 by 9 in shape."""
    width, height = 168, 216
    crown = np.zeros((height, width), dtype=np.uint8)
    for _ in range(44):
        angle, reach = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0, 1)) ** 0.5
        x, y = width / 2 + np.cos(angle) * reach * width * 0.34, height * 0.40 + np.sin(angle) * reach * height * 0.28
        cv2.circle(crown, (round(x), round(y)), int(rng.integers(9, 26)), 255, -1, cv2.LINE_AA)
    holes = fractal(rng, height, width, ((14, 14), (6, 6), (3, 3)))
    crown = (crown * np.clip(2.6 + 1.7 * holes, 0, 1)).astype(np.uint8)
    green = np.array([38, 88, 70], dtype=np.float32) * rng.uniform(0.7, 1.2) + rng.uniform(-10, 12, 3)
    colour = _leaves(rng, height, width, np.asarray(green, dtype=np.float32))
    bark = np.zeros_like(crown)
    cv2.fillPoly(
        bark, [np.array([[78, 120], [90, 120], [95, height - 2], [73, height - 2]], np.int32)], 255, cv2.LINE_AA
    )
    stem = np.clip(70 + 14 * grain(rng, height, width, (18, 3)), 20, 150)[..., None] * np.array([0.72, 0.86, 1.0])
    colour = np.where((crown > 90)[..., None], colour, stem.astype(np.uint8))
    return Texture.of(np.asarray(colour, dtype=np.uint8), np.maximum(crown, bark))


def bush(rng: np.random.Generator) -> Texture:
    width, height = 128, 72
    mask = np.zeros((height, width), dtype=np.uint8)
    for _ in range(26):
        cv2.circle(
            mask, (int(rng.integers(18, width - 18)), int(rng.integers(30, height))), int(rng.integers(9, 20)), 255, -1
        )
    green = np.array([44, 92, 76], dtype=np.float32) * rng.uniform(0.75, 1.2)
    return Texture.of(_leaves(rng, height, width, np.asarray(green, dtype=np.float32)), mask)


def house(rng: np.random.Generator) -> Texture:
    """The front of a house, 10 by 7 metres, with roof, windows and a door."""
    width, height = 250, 175
    wall = np.asarray(rng.uniform(128, 205) + rng.uniform(-26, 20, 3), dtype=np.float32)
    brick = 5.0 * fractal(rng, height, width, ((20, 30), (3, 6)))
    colour = np.clip(wall + brick[..., None], 0, 255).astype(np.uint8)
    roof = np.asarray([60, 66, 112], dtype=np.float32) * rng.uniform(0.6, 1.15)
    tiles = 12.0 * grain(rng, 70, width, (4, 7))
    colour[:70] = np.clip(roof + tiles[..., None], 0, 255).astype(np.uint8)
    alpha = np.full((height, width), 255, dtype=np.uint8)
    alpha[:72] = 0
    cv2.fillPoly(alpha, [np.array([[2, 72], [46, 4], [width - 46, 4], [width - 3, 72]], np.int32)], 255, cv2.LINE_AA)
    for x in (22, 78, 184):
        for y in (86, 132):
            _window(colour, x, y, 34, 28)
    cv2.rectangle(colour, (134, 118), (162, height), (44, 52, 78), -1)
    return Texture.of(colour, alpha)


def _window(colour: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> None:
    cv2.rectangle(colour, (x - 2, y - 2), (x + width + 2, y + height + 2), (214, 216, 218), -1)
    cv2.rectangle(colour, (x, y), (x + width, y + height), (74, 64, 54), -1)
    cv2.line(colour, (x + width // 2, y), (x + width // 2, y + height), (206, 208, 210), 2)
    cv2.line(colour, (x, y + height), (x + width // 2, y), (104, 94, 84), 3, cv2.LINE_AA)


def block(rng: np.random.Generator) -> Texture:
    """The front of a block of flats or shops, 14 by 12 metres."""
    width, height = 252, 216
    wall = np.asarray(rng.uniform(104, 186) + rng.uniform(-22, 26, 3), dtype=np.float32)
    rough = 6.0 * fractal(rng, height, width, ((40, 60), (9, 12), (3, 4)))
    colour = np.clip(wall + rough[..., None], 0, 255).astype(np.uint8)
    wide = int(rng.integers(15, 26))
    for y in range(12, height - 60, 40):
        for x in range(12, width - wide, wide + 15):
            _window(colour, x, y, wide, 24)
    for x in range(8, width - 50, 62):
        grey = int(rng.integers(40, 90))
        shade = tuple(grey + int(value) for value in rng.integers(-12, 16, 3))
        cv2.rectangle(colour, (x, height - 46), (x + 50, height - 3), shade, -1)
        cv2.rectangle(
            colour,
            (x, height - 52),
            (x + 50, height - 46),
            tuple(90 + int(value) for value in rng.integers(-50, 70, 3)),
            -1,
        )
        cv2.line(colour, (x + 8, height - 6), (x + 34, height - 44), (120, 116, 110), 3, cv2.LINE_AA)
    return Texture.of(colour)


def pole(rng: np.random.Generator) -> Texture:
    """A lamp post with its arm, 1.6 by 7 metres."""
    width, height = 48, 210
    grey = int(rng.integers(74, 132))
    alpha = np.zeros((height, width), dtype=np.uint8)
    cv2.rectangle(alpha, (38, 8), (43, height - 2), 255, -1)
    cv2.line(alpha, (40, 9), (6, 5), 255, 4, cv2.LINE_AA)
    cv2.ellipse(alpha, (9, 7), (8, 4), 0, 0, 360, 255, -1, cv2.LINE_AA)
    colour = np.clip(grey + 9.0 * grain(rng, height, width, (8, 3)), 0, 255)[..., None].repeat(3, axis=2)
    return Texture.of(colour.astype(np.uint8), alpha)


def sign(rng: np.random.Generator) -> Texture:
    """A round or square traffic sign on a post, 0.8 by 2.8 metres."""
    width, height = 56, 196
    colour = np.full((height, width, 3), 118, dtype=np.uint8)
    alpha = np.zeros((height, width), dtype=np.uint8)
    cv2.rectangle(alpha, (25, 40), (30, height - 2), 255, -1)
    if rng.random() < 0.6:
        cv2.circle(alpha, (28, 29), 26, 255, -1, cv2.LINE_AA)
        cv2.circle(colour, (28, 29), 27, (40, 34, 190), -1, cv2.LINE_AA)
        cv2.circle(colour, (28, 29), 19, (232, 234, 236), -1, cv2.LINE_AA)
        cv2.putText(
            colour, str(int(rng.choice(np.array([30, 50, 60, 80])))), (14, 36), 0, 0.62, (20, 20, 20), 2, cv2.LINE_AA
        )
    else:
        cv2.rectangle(alpha, (3, 3), (53, 55), 255, -1)
        cv2.rectangle(colour, (3, 3), (53, 55), (150, 74, 20), -1)
        cv2.arrowedLine(colour, (28, 50), (28, 10), (232, 234, 236), 5, cv2.LINE_AA)
    return Texture.of(colour, alpha)


def guard_rail(rng: np.random.Generator) -> Texture:
    """A length of steel rail on posts, 16 by 0.8 metres."""
    width, height = 640, 32
    alpha = np.zeros((height, width), dtype=np.uint8)
    alpha[3:17] = 255
    for x in range(10, width, 80):
        alpha[3:, x : x + 6] = 255
    shape = np.interp(np.arange(height), [0, 3, 7, 10, 13, 17, 31], [150, 168, 120, 178, 112, 140, 92])
    rough = 7.0 * fractal(rng, height, width, ((8, 40), (3, 6)))
    colour = np.clip(shape[:, None] + rough, 0, 255)[..., None].repeat(3, axis=2)
    return Texture.of(colour.astype(np.uint8), alpha)


def hedge(rng: np.random.Generator) -> Texture:
    """A length of hedge, 16 by 1.6 metres."""
    width, height = 512, 52
    green = np.array([40, 84, 66], dtype=np.float32) * rng.uniform(0.8, 1.15)
    colour = _leaves(rng, height, width, np.asarray(green, dtype=np.float32))
    tops = 6.0 + 3.0 * grain(rng, 2, width, (1, 14))[0]
    alpha = np.where(np.arange(height)[:, None] > tops[None, :], 255, 0).astype(np.uint8)
    return Texture.of(colour, alpha)
