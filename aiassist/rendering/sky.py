"""The far distance: sky with clouds, and hills or roofs along the horizon, as one wide picture that turns with us."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.camera import Lens, Pose
from aiassist.rendering.palette import Palette, lit, uncast
from aiassist.rendering.scenario import Surroundings
from aiassist.rendering.texture import Picture, Plane, fractal, grain, to_picture

BELOW_HORIZON = 0.2  # share of the panorama under the horizon, seen only before the ground is drawn over it


def build_sky(rng: np.random.Generator, lens: Lens, palette: Palette, surroundings: Surroundings) -> Picture:
    """A panorama three pictures wide; the horizon lies at `1 - BELOW_HORIZON` of its height."""
    width, height = 3 * lens.width, round(1.35 * lens.height)
    horizon = round(height * (1 - BELOW_HORIZON))
    rise = np.clip((horizon - np.arange(height, dtype=np.float32)) / horizon, 0, 1)[:, None, None]
    clear = uncast(palette.horizon, palette) * (1 - rise**0.7) + uncast(palette.zenith, palette) * rise**0.7
    sky = _clouds(rng, np.repeat(clear, width, axis=1).astype(np.float32), palette)
    unit = lens.focal / 450.0  # sizes were drawn for a focal length of 450 px
    _ridge(rng, sky, horizon, palette, tall=26.0 * unit, rough=90.0 * unit, colour=(118.0, 112.0, 92.0), mist=0.55)
    if surroundings is Surroundings.CITY:
        _roofs(rng, sky, horizon, palette, unit)
    else:
        _ridge(rng, sky, horizon, palette, tall=13.0 * unit, rough=9.0 * unit, colour=(52.0, 82.0, 66.0), mist=0.22)
    sky[horizon:] = np.float32(palette.haze_grey)
    return to_picture(sky)


def _clouds(rng: np.random.Generator, sky: Plane, palette: Palette) -> Plane:
    height, width = sky.shape[:2]
    unit = height / 486.0
    shape = fractal(
        rng,
        height,
        width,
        ((70 * unit, 260 * unit), (28 * unit, 90 * unit), (11 * unit, 34 * unit), (5 * unit, 12 * unit)),
    )
    cover = np.clip((shape + 2.2 * (palette.cloudiness - 0.5)) * 0.7 + 0.1, 0, 1)[..., None] * 0.9
    shading = 1.0 - 0.10 * np.clip(np.roll(shape, -round(9 * unit), axis=0), -1, 1)[..., None]
    return np.asarray(sky * (1 - cover) + uncast(palette.cloud, palette) * shading * cover, dtype=np.float32)


def _ridge(
    rng: np.random.Generator,
    sky: Plane,
    horizon: int,
    palette: Palette,
    *,
    tall: float,
    rough: float,
    colour: tuple[float, float, float],
    mist: float,
) -> None:
    """Hills (large `rough`) or a line of woods (small `rough`) along the horizon, in place."""
    height, width = sky.shape[:2]
    line = fractal(rng, 2, width, ((1, rough * 4), (1, rough), (1, max(2.0, rough / 3))))[0]
    tops = horizon - tall * (1.0 + 0.45 * line)
    rows = np.arange(height, dtype=np.float32)[:, None]
    mask = np.clip(rows - tops[None, :], 0, 1) * (rows < horizon + 2)
    leaf = 13.0 * fractal(rng, height, width, ((max(3.0, rough / 4), max(3.0, rough / 3)), (3, 3)))
    body = lit(np.asarray(colour, dtype=np.float32) + leaf[..., None], palette)
    body = body * (1 - mist) + np.float32(palette.haze_grey) * mist
    sky[...] = sky * (1 - mask[..., None]) + body * mask[..., None]


def _roofs(rng: np.random.Generator, sky: Plane, horizon: int, palette: Palette, unit: float) -> None:
    """A skyline of distant blocks, in place."""
    left, width = 0, sky.shape[1]
    haze = np.float32(palette.haze_grey)
    while left < width:
        wide, tall = int(rng.uniform(14, 52) * unit) + 3, int(rng.uniform(10, 62) * unit)
        wall = np.asarray(rng.uniform(96, 158) + rng.uniform(-10, 10, 3), dtype=np.float32)
        block = np.broadcast_to(wall, (max(tall, 3), min(wide, width - left), 3)).copy()
        block += 9.0 * grain(rng, block.shape[0], block.shape[1], (3, 3))[..., None]
        block[2 :: max(4, round(6 * unit)), ::3] -= 26.0
        sky[horizon - block.shape[0] : horizon, left : left + wide] = lit(block, palette) * 0.62 + haze * 0.38
        left += wide + int(rng.uniform(0, 9) * unit)


def draw_sky(picture: Picture, panorama: Picture, lens: Lens, pose: Pose, bottom: int) -> None:
    """Fills the rows above `bottom` with the panorama, turned, nodded and leant with the camera, in place."""
    if bottom <= 0:
        return
    height, width = panorama.shape[:2]
    centre = np.array([width / 2 + pose.heading * lens.focal, height * (1 - BELOW_HORIZON)])
    horizon = np.array([lens.centre_x, lens.centre_y - np.tan(pose.pitch) * lens.focal])
    cos, sin = np.cos(pose.roll), np.sin(pose.roll)
    turn: NDArray[np.float64] = np.array([[cos, -sin], [sin, cos]])
    matrix = np.hstack([turn, (centre - turn @ horizon)[:, None]])
    picture[:bottom] = cv2.warpAffine(
        panorama,
        matrix,
        (lens.width, bottom),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
