"""What lies between the world and the file: headlight, lamps, rain, own bonnet, sensor noise, blur, burnt-in text."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.camera import Lens, Pose
from aiassist.rendering.palette import Palette, lit
from aiassist.rendering.texture import Picture, Plane, fractal, grain, to_picture

NOISE_TILES = 5


def bonnet(rng: np.random.Generator, lens: Lens, palette: Palette) -> tuple[Picture, NDArray[np.uint8], int]:
    """The own bonnet as a picture with its mask, and the first row it can touch."""
    height = round(lens.height * float(rng.uniform(0.075, 0.11)))
    x = np.linspace(-1, 1, lens.width, dtype=np.float32)
    tops = height * (0.16 + 0.55 * np.abs(x) ** 2.6)
    rows = np.arange(height, dtype=np.float32)[:, None]
    mask = np.clip(rows - tops[None, :] + 0.5, 0, 1)
    paint = np.asarray(
        rng.choice(np.array([[38, 36, 36], [98, 96, 94], [150, 150, 150], [44, 40, 92]])), dtype=np.float32
    )
    depth = np.clip((rows - tops[None, :]) / height, 0, 1)
    sky = np.asarray(palette.horizon, dtype=np.float32)
    shine = np.exp(-depth * 5.5)[..., None] * 0.42
    dirt = 1.0 + 0.03 * fractal(rng, height, lens.width, ((9, 60), (3, 6)))[..., None]
    colour = (lit(paint, palette) * (1.0 - 0.3 * depth[..., None]) * (1 - shine) + sky * shine) * dirt
    alpha = (mask * 255).astype(np.uint8)
    return np.clip(colour, 0, 255).astype(np.uint8), alpha, lens.height - height


def noise_tiles(rng: np.random.Generator, lens: Lens, level: float) -> list[Picture]:
    """Sensor noise around grey 128, a little larger than a picture so that it can be shifted."""
    shape = (lens.height + 32, lens.width + 32)
    tiles = []
    for _ in range(NOISE_TILES):
        grey = rng.standard_normal(shape, dtype=np.float32)[..., None]
        colour = rng.standard_normal((*shape, 3), dtype=np.float32)
        grey *= np.float32(0.8 * level)
        colour *= np.float32(0.6 * level)
        tiles.append(to_picture(colour + grey + np.float32(128.5)))
    return tiles


def add_noise(picture: Picture, tiles: list[Picture], rng: np.random.Generator) -> Picture:
    pick, y, x = int(rng.integers(len(tiles))), int(rng.integers(32)), int(rng.integers(32))
    height, width = picture.shape[:2]
    tile = tiles[pick][y : y + height, x : x + width]
    return np.asarray(cv2.addWeighted(picture, 1.0, tile, 1.0, -128.0), dtype=np.uint8)


def light_mask(rng: np.random.Generator, lens: Lens, palette: Palette, *, headlights: bool) -> Picture:
    """How much each pixel keeps (255 all): the cast, darker corners, and at night the pool of the own headlights."""
    y, x = np.mgrid[0 : lens.height, 0 : lens.width].astype(np.float32)
    off = np.hypot((x - lens.width / 2) / lens.width, (y - lens.height / 2) / lens.height)
    light = 1.0 - float(rng.uniform(0.12, 0.24)) * off**2 * 2.0
    if headlights:
        sideways = (x - lens.centre_x) / (0.42 * lens.width)
        down = (y - lens.centre_y) / lens.height
        pool = np.exp(-(sideways**2)) * np.clip(down / 0.06 + 0.7, 0, 1) * np.exp(-np.clip(down - 0.1, 0, 1) * 2.2)
        light *= 0.34 + 0.66 * pool
    return to_picture(light[..., None] * palette.cast * np.float32(255))


def motion_blur(picture: Picture, before: Pose, now: Pose, lens: Lens, share: float) -> Picture:
    """Smears the picture along the way the camera turned while the shutter was open."""
    right = (now.yaw - before.yaw) * lens.focal * share
    down = (now.pitch - before.pitch) * lens.focal * share
    length = float(np.hypot(right, down))
    if length < 1.2:
        return picture
    size = 2 * int(np.ceil(min(length, 0.04 * lens.width) / 2)) + 1
    kernel = np.zeros((size, size), dtype=np.float32)
    half = (size - 1) / 2
    step = np.array([right, down]) / length * half
    ends = [(round(half - step[0]), round(half - step[1])), (round(half + step[0]), round(half + step[1]))]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), dtype=np.uint8)


def glow_disc() -> Picture:
    """A round glow that fades outwards, for lamps."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j].astype(np.float32)
    return np.asarray(np.clip(255 * np.exp(-5.5 * np.hypot(x, y)) - 1.2, 0, 255), dtype=np.uint8)


def add_glow(
    picture: Picture, disc: Picture, centre: tuple[float, float], radius: float, colour: NDArray[np.float64]
) -> None:
    """Adds a glow around a pixel, in place."""
    size = int(np.clip(2 * radius, 3, 220))
    x0, y0 = round(centre[0] - size / 2), round(centre[1] - size / 2)
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = min(size, picture.shape[1] - x0), min(size, picture.shape[0] - y0)
    if right <= left or bottom <= top:
        return
    spot = cv2.resize(disc, (size, size), interpolation=cv2.INTER_AREA)[top:bottom, left:right]
    part = picture[y0 + top : y0 + bottom, x0 + left : x0 + right]
    part[...] = cv2.add(part, cv2.transform(spot, (colour / 255.0).reshape(3, 1)))


def rain_tiles(rng: np.random.Generator, lens: Lens) -> list[Picture]:
    """Slanted streaks of falling rain, to be added."""
    tiles = []
    unit = lens.height / 360.0
    for _ in range(8):
        tile = np.zeros((lens.height, lens.width), dtype=np.uint8)
        for _ in range(110):
            x, y = rng.uniform(0, lens.width), rng.uniform(-20, lens.height)
            long, lean = rng.uniform(7, 26) * unit, (x / lens.width - 0.5) * 0.5
            cv2.line(
                tile,
                (round(x), round(y)),
                (round(x + lean * long), round(y + long)),
                int(rng.integers(14, 42)),
                1,
                cv2.LINE_AA,
            )
        tiles.append(np.repeat(cv2.GaussianBlur(tile, (3, 3), 0)[..., None], 3, axis=2).astype(np.uint8))
    return tiles


def droplets(rng: np.random.Generator, lens: Lens) -> tuple[Plane, Plane]:
    """Where each pixel is looked up (x, y) through the drops on the windscreen, which turn the picture over."""
    unit = lens.height / 360.0
    y, x = np.mgrid[0 : lens.height, 0 : lens.width].astype(np.float32)
    bent_x, bent_y = x.copy(), y.copy()
    for _ in range(24):
        centre_x, centre_y = rng.uniform(0, lens.width), rng.uniform(0, lens.height)
        inside = np.hypot(x - centre_x, y - centre_y) < rng.uniform(2.5, 6.5) * unit
        bent_x[inside] -= 2.4 * (x[inside] - centre_x)
        bent_y[inside] -= 2.4 * (y[inside] - centre_y)
    return bent_x, bent_y


def burn_text(picture: Picture, text: str) -> None:
    """Writes a caption along the lower edge as cheap dashcams do, in place."""
    scale = picture.shape[0] / 360.0 * 0.42
    place = (round(8 * scale / 0.42), picture.shape[0] - round(9 * scale / 0.42))
    cv2.putText(
        picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), max(2, round(3 * scale / 0.42)), cv2.LINE_AA
    )
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (235, 235, 235), 1, cv2.LINE_AA)


def windscreen_dirt(rng: np.random.Generator, lens: Lens) -> Picture:
    """A faint still reflection of the dashboard, to be added."""
    veil = np.clip(2.0 + 2.2 * grain(rng, lens.height, lens.width, (90, 140)), 0, 9)
    return np.repeat(veil.astype(np.uint8)[..., None], 3, axis=2)
