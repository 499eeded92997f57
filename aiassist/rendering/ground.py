"""The ground: the painted strip of road and verge, filtered for each distance, seen through the moving camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.camera import Lens, Pose
from aiassist.rendering.palette import Palette, lit
from aiassist.rendering.road import Layout
from aiassist.rendering.scenario import Surroundings
from aiassist.rendering.strip import CELL_ACROSS_M, CELL_ALONG_M, HALF_WIDTH_M, TILE_M, paint_strip
from aiassist.rendering.texture import Picture, Plane, to_picture

LEVEL_DISTANCES_M = (9.0, 15.0, 26.0, 45.0, 78.0, 135.0)  # each level is filtered for its distance
FARTHEST_M = 900.0
SMEAR_STEP_M, SMEAR_STEPS = 0.12, 7
FOLD_M = 6.0  # the widest road (motorway) leaves 7 m of verge inside the strip


@dataclass(frozen=True)
class Ground:
    """Filtered strips, nearest first; `rows` and `columns` are their pixels per metre along and across.

    `near` holds the nearest strip smeared along the road as the open shutter does, by `SMEAR_STEP_M` more each.
    """

    levels: tuple[Picture, ...]
    near: tuple[Picture, ...]
    columns_per_m: tuple[float, ...]
    rows_per_m: tuple[float, ...]
    haze_grey: float
    visibility_m: float


def build_ground(
    rng: np.random.Generator, layout: Layout, surroundings: Surroundings, palette: Palette, lens: Lens, height_m: float
) -> Ground:
    """Paints the strip once and filters it for each distance, so that nothing sparkles far away."""
    base = to_picture(lit(paint_strip(rng, layout, surroundings, wet=palette.wet), palette))
    levels: list[Picture] = []
    columns: list[float] = []
    rows: list[float] = []
    for distance in LEVEL_DISTANCES_M:
        across = max(CELL_ACROSS_M, 0.9 * distance / lens.focal)
        along = max(CELL_ALONG_M, 0.8 * distance**2 / (lens.focal * height_m))
        size = (max(64, round(2 * HALF_WIDTH_M / across)), max(6, round(TILE_M / along)))
        level = cv2.resize(base, size, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(level, dtype=np.uint8))
        columns.append(size[0] / (2 * HALF_WIDTH_M))
        rows.append(size[1] / TILE_M)
    return Ground(
        tuple(levels),
        _smeared(levels[0], rows[0]),
        tuple(columns),
        tuple(rows),
        palette.haze_grey,
        palette.visibility_m,
    )


def _smeared(level: Picture, rows_per_m: float) -> tuple[Picture, ...]:
    sizes = [max(1, round(step * SMEAR_STEP_M * rows_per_m)) for step in range(SMEAR_STEPS)]
    return tuple(
        level if size == 1 else np.asarray(cv2.blur(level, (1, size), borderType=cv2.BORDER_REFLECT), dtype=np.uint8)
        for size in sizes
    )


@dataclass(frozen=True)
class Rays:
    """Where the pixels of a picture point: columns and rows as slopes from the camera's axis."""

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]

    @classmethod
    def of(cls, lens: Lens) -> Rays:
        columns = (np.arange(lens.width, dtype=np.float32) + 0.5 - lens.centre_x) / lens.focal
        rows = (np.arange(lens.height, dtype=np.float32) + 0.5 - lens.centre_y) / lens.focal
        return cls(columns[None, :].astype(np.float32), rows[:, None].astype(np.float32))


def horizon_rows(lens: Lens, pose: Pose) -> tuple[int, int]:
    """First row that may show ground and first row that shows nothing else."""
    slopes = (np.array([0.0, lens.width]) - lens.centre_x) / lens.focal
    turned = pose.rotation
    down = -(slopes * turned[0, 1] + turned[2, 1]) / max(float(turned[1, 1]), 1e-6)
    rows = down * lens.focal + lens.centre_y
    top, bottom = int(np.floor(rows.min())), int(np.ceil(rows.max())) + 2
    return int(np.clip(top, 0, lens.height)), int(np.clip(bottom, 0, lens.height))


def draw_ground(
    picture: Picture, ground: Ground, lens: Lens, rays: Rays, pose: Pose, bottom: int, smear_m: float
) -> None:
    """Draws the ground over everything below the horizon and above row `bottom`, in place.

    `smear_m` is the way driven while the shutter is open.
    """
    top, full = horizon_rows(lens, pose)
    if top >= bottom:
        return
    turned = pose.rotation.astype(np.float32)
    rows = rays.rows[top:bottom]
    down = rays.columns * turned[0, 1] + (rows * turned[1, 1] + turned[2, 1])
    distance = pose.height / np.maximum(down, pose.height / FARTHEST_M)
    forward = (rays.columns * turned[0, 2] + (rows * turned[1, 2] + turned[2, 2])) * distance
    right = (rays.columns * turned[0, 0] + (rows * turned[1, 0] + turned[2, 0])) * distance
    across = right + np.float32(pose.across) - np.float32(pose.curvature / 2) * forward * forward
    np.abs(across, out=right)
    outside = right > HALF_WIDTH_M
    if outside.any():
        across[outside] = np.sign(across[outside]) * _folded(right[outside])
    along = forward + np.float32(pose.along % TILE_M)
    middle = forward[:, lens.width // 2]
    near = ground.near[min(round(smear_m / SMEAR_STEP_M), SMEAR_STEPS - 1)]
    band = _sample(ground, near, across + np.float32(HALF_WIDTH_M), along, forward, middle)
    _fade(band, ground, forward, middle)
    mixed = min(max(full - top, 0), band.shape[0])
    if mixed:
        edge = np.clip(down[:mixed] * np.float32(lens.focal), 0.0, 1.0)[..., None]
        under = picture[top : top + mixed].astype(np.float32)
        picture[top : top + mixed] = (under * (1 - edge) + band[:mixed] * edge).astype(np.uint8)
    picture[top + mixed : bottom] = band[mixed:]


def _folded(distance: Plane) -> Plane:
    """Places beyond the strip, mirrored back and forth inside its outermost verge."""
    over = np.mod(distance - HALF_WIDTH_M, 2 * FOLD_M)
    return np.asarray(HALF_WIDTH_M - FOLD_M + np.abs(over - FOLD_M), dtype=np.float32)


def _sample(ground: Ground, near: Picture, across: Plane, along: Plane, forward: Plane, middle: Plane) -> Picture:
    """Looks the strip up, blending the two levels that enclose each row's distance."""
    out = np.empty((*across.shape, 3), dtype=np.uint8)
    steps = np.interp(np.log(np.maximum(middle, 0.1)), np.log(LEVEL_DISTANCES_M), np.arange(len(ground.levels)))
    lower = np.minimum(np.floor(steps).astype(int), len(ground.levels) - 2)
    lower[steps <= 0] = -1  # nearer than the first level: no blending needed
    for index in np.unique(lower):
        rows = np.flatnonzero(lower == index)
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        strip = near if index <= 0 else ground.levels[index]
        first = _look_up(ground, strip, max(int(index), 0), across[part], along[part])
        if index < 0:
            out[part] = first
            continue
        second = _look_up(ground, ground.levels[index + 1], int(index) + 1, across[part], along[part])
        close, far = np.log(LEVEL_DISTANCES_M[index]), np.log(LEVEL_DISTANCES_M[index + 1])
        share = np.clip((np.log(forward[part]) - np.float32(close)) / np.float32(far - close), 0, 1)
        out[part] = cv2.blendLinear(first, second, 1 - share, share)
    return out


def _look_up(ground: Ground, strip: Picture, level: int, across: Plane, along: Plane) -> Picture:
    columns = across * np.float32(ground.columns_per_m[level]) - np.float32(0.5)
    rows = along * np.float32(ground.rows_per_m[level]) - np.float32(0.5)
    found = cv2.remap(strip, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, dtype=np.uint8)


def _fade(band: Picture, ground: Ground, forward: Plane, middle: Plane) -> None:
    """Blends far places into the haze, in place."""
    rows = np.flatnonzero(middle > 0.04 * ground.visibility_m)
    if not rows.size:
        return
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    clear = np.exp(forward[part] * np.float32(-1.0 / ground.visibility_m))
    haze = np.full_like(band[part], round(ground.haze_grey))
    band[part] = cv2.blendLinear(band[part], haze, clear, 1 - clear)
