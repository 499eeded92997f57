"""Puts textured flat pieces (walls standing up, patches lying on the ground) into the picture, in perspective."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.camera import Lens, Pose
from aiassist.rendering.palette import Palette
from aiassist.rendering.texture import Picture, Texture

NEAREST_M = 0.6  # pieces are cut off here, just before they would pass through the lens
SMALLEST_PX = 1.4

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A flat textured rectangle in road coordinates (along, across, up).

    The texture's bottom-left corner lies at `start`, bottom-right at `end`; `top` is the step from bottom to top
    ((0, 0, height) for a wall). `shade` brightens or darkens it; `order` is where along the road it is painted (what
    lies farther is painted first), its middle unless said otherwise.
    """

    texture: Texture
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    top: tuple[float, float, float]
    shade: float = 1.0
    order: float | None = None

    @property
    def along(self) -> float:
        return 0.5 * (self.start[0] + self.end[0]) if self.order is None else self.order


@dataclass(frozen=True)
class Canvas:
    """The picture being painted and the camera it is seen by. Rows from `bottom` on stay untouched (own bonnet)."""

    picture: Picture
    lens: Lens
    pose: Pose
    palette: Palette
    bottom: int


def seen_from(pose: Pose, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Road coordinates (along, across, up) as (right, down, forward) metres from the camera."""
    forward = place[:, 0] - pose.along
    right = place[:, 1] - pose.across + pose.curvature / 2 * forward * forward
    return np.stack([right, pose.height - place[:, 2], forward], axis=1)


@dataclass(frozen=True)
class Placed:
    """A piece as it falls into the picture: its corners in pixels, box (x0, y0, x1, y1), the visible share of the
    texture from left to right, its size in pixels and its distance in metres."""

    piece: Piece
    corners: NDArray[np.float32]
    box: tuple[int, int, int, int]
    shares: tuple[float, float]
    size: tuple[float, float]
    distance: float


def paint(canvas: Canvas, pieces: list[Piece]) -> None:
    """Draws pieces over what is there, in their order."""
    for placed in _placed(canvas, pieces):
        _draw(canvas, placed)


def _placed(canvas: Canvas, pieces: list[Piece]) -> list[Placed]:
    """Projects all pieces at once and leaves out what cannot be seen."""
    if not pieces:
        return []
    flat = np.array([piece.start + piece.end + piece.top for piece in pieces])
    start, end, top = flat[:, 0:3], flat[:, 3:6], flat[:, 6:9]
    left, right = _cut_shares(start[:, 0], end[:, 0], canvas.pose.along + NEAREST_M)
    first, last = start + (end - start) * left[:, None], start + (end - start) * right[:, None]
    places = np.stack([first, last, last + top, first + top], axis=1)
    distance = places[:, :, 0].mean(axis=1) - canvas.pose.along
    pixels = canvas.lens.project(seen_from(canvas.pose, places.reshape(-1, 3)), canvas.pose).reshape(-1, 4, 2)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    size = high - low
    corner = np.maximum(np.floor(low), 0).astype(int)
    limit = np.minimum(np.ceil(high).astype(int) + 1, [canvas.lens.width, canvas.bottom])
    room = (limit > corner).all(axis=1) & (size > SMALLEST_PX).all(axis=1) & (right - left > 1e-3)
    room &= np.maximum(start[:, 0], end[:, 0]) > canvas.pose.along + NEAREST_M + 0.05
    corners = (pixels - corner[:, None, :] - 0.5).astype(np.float32)
    return [
        Placed(
            pieces[index],
            corners[index],
            (int(corner[index, 0]), int(corner[index, 1]), int(limit[index, 0]), int(limit[index, 1])),
            (float(left[index]), float(right[index])),
            (float(size[index, 0]), float(size[index, 1])),
            float(distance[index]),
        )
        for index in np.flatnonzero(room)
    ]


def _cut_shares(start: NDArray[np.float64], end: NDArray[np.float64], near: float) -> tuple[Shares, Shares]:
    """Where along each piece the part before the lens begins and ends (0 to 1)."""
    length = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.clip(np.where(length != 0, (near - start) / length, 0.0), 0.0, 1.0)
    return np.where(start < near, crossing, 0.0), np.where((end < near) & (start >= near), crossing, 1.0)


def _draw(canvas: Canvas, placed: Placed) -> None:
    x0, y0, x1, y1 = placed.box
    left, right = placed.shares
    level = placed.piece.texture.level_for(placed.size[0] / (right - left), placed.size[1])
    height, width = level.shape[:2]
    near, far = left * width - 0.5, right * width - 0.5
    source = np.array([[near, height - 0.5], [far, height - 0.5], [far, -0.5], [near, -0.5]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, placed.corners)
    patch = cv2.warpPerspective(level, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    alpha = cv2.cvtColor(cv2.extractChannel(patch, 3), cv2.COLOR_GRAY2BGR)
    clear = math.exp(-max(placed.distance, 0.0) / canvas.palette.visibility_m)
    light = placed.piece.shade * canvas.palette.ambient * clear
    haze = canvas.palette.haze_grey / 255.0 * (1.0 - clear)
    over = cv2.addWeighted(cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), light, alpha, haze, 0.0)
    under = canvas.picture[y0:y1, x0:x1]
    under[...] = cv2.add(cv2.multiply(under, cv2.bitwise_not(alpha), scale=1 / 255.0), over)
