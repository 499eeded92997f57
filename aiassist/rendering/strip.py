"""Paints the ground as seen from above: a strip of road and verge that repeats along the road."""

from __future__ import annotations

import cv2
import numpy as np

from aiassist.rendering.road import Layout
from aiassist.rendering.scenario import Surroundings
from aiassist.rendering.texture import Plane, fractal, grain

HALF_WIDTH_M = 24.0  # farther out the verge is mirrored
TILE_M = 72.0  # a multiple of every dash cycle (9, 12 and 18 m)
CELL_ACROSS_M, CELL_ALONG_M = 0.03, 0.12  # finer than what a pixel covers from 9 m on
PAINT_WIDTH_M = 0.14

_VERGE: dict[Surroundings, tuple[float, float, float]] = {
    Surroundings.RURAL: (58.0, 116.0, 100.0),
    Surroundings.SUBURB: (62.0, 118.0, 96.0),
    Surroundings.CITY: (126.0, 130.0, 134.0),
    Surroundings.MOTORWAY: (74.0, 122.0, 118.0),
}


def paint_strip(rng: np.random.Generator, layout: Layout, surroundings: Surroundings, *, wet: bool) -> Plane:
    """The strip in full resolution: verge, pavement, asphalt with tracks, patches and cracks, markings."""
    height, width = round(TILE_M / CELL_ALONG_M), round(2 * HALF_WIDTH_M / CELL_ACROSS_M)
    strip = _verge(rng, height, width, surroundings)
    left, right, beside = layout.left_edge_m, layout.right_edge_m, layout.pavement_m
    if beside:
        for near, far in ((left - beside, left), (right, right + beside)):
            part = _columns(near, far)
            strip[:, part] = _slabs(rng, height, part.stop - part.start)
    road = _columns(left, right)
    strip[:, road] = _asphalt(rng, height, road, layout, wet=wet)
    if beside:
        for edge in (left, right):
            part = _columns(edge - 0.08, edge + 0.08)
            stone = 168.0 + 14.0 * grain(rng, height, part.stop - part.start, (9, 3))
            strip[:, part] = stone[..., None]
    _markings(rng, strip, layout)
    return strip


def _columns(left_m: float, right_m: float) -> slice:
    """The columns of the strip between two places across the road."""
    first, last = (round((place + HALF_WIDTH_M) / CELL_ACROSS_M) for place in (left_m, right_m))
    return slice(max(first, 0), min(max(last, first + 1), round(2 * HALF_WIDTH_M / CELL_ACROSS_M)))


def _places(part: slice) -> Plane:
    """Metres across the road of some columns."""
    return (np.arange(part.start, part.stop, dtype=np.float32) + np.float32(0.5)) * np.float32(
        CELL_ACROSS_M
    ) - np.float32(HALF_WIDTH_M)


def _verge(rng: np.random.Generator, height: int, width: int, surroundings: Surroundings) -> Plane:
    rough = fractal(rng, height, width, ((45, 160), (15, 50), (12, 16)))
    rough += 0.5 * grain(rng, height, width, (2.2, 3.4))
    rough *= 9.0 if surroundings is Surroundings.CITY else 15.0
    hue = fractal(rng, height, width, ((70, 200), (20, 70)))
    blue, green, red = _VERGE[surroundings]
    channels = [blue + rough + 2.0 * hue, green + rough + 6.0 * hue, red + rough + 11.0 * hue]
    return np.asarray(cv2.merge(channels), dtype=np.float32)


def _slabs(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Pavement of concrete slabs with joints."""
    stone = 142.0 + 7.0 * fractal(rng, height, width, ((30, 80), (6, 20), (2, 4)))
    stone[:: round(1.2 / CELL_ALONG_M)] -= 30.0
    stone[:, :: round(0.9 / CELL_ACROSS_M)] -= 26.0
    return np.asarray(cv2.merge([stone * 0.98, stone, stone * 1.02]), dtype=np.float32)


def _asphalt(rng: np.random.Generator, height: int, road: slice, layout: Layout, *, wet: bool) -> Plane:
    width = road.stop - road.start
    across = _places(road)
    stone = 84.0 + float(rng.uniform(-10, 14)) + 5.5 * fractal(rng, height, width, ((100, 90), (30, 40), (12, 16)))
    stone += 4.0 * grain(rng, height, width, (2.4, 6)) + 4.5 * grain(rng, height, width, (2.0, 2.4))
    for lane in layout.lanes:
        for place, depth, spread in ((-0.75, 9.0, 0.28), (0.75, 9.0, 0.28), (0.0, 5.0, 0.35)):
            stone -= depth * np.exp(-(((across - lane.across_m - place) / spread) ** 2))[None, :]
    _repairs(rng, stone)
    if wet:
        sheen = grain(rng, height, width, (80, 50)) + grain(rng, height, width, (210, 24))
        stone = stone * 0.72 + 16.0 * np.clip(sheen, -0.5, 1.6)
    return np.asarray(cv2.merge([stone * 1.02, stone, stone * 0.98]), dtype=np.float32)


def _repairs(rng: np.random.Generator, stone: Plane) -> None:
    """Patches, tar seams and cracks, in place."""
    height, width = stone.shape
    for _ in range(width // 40):
        top, left = int(rng.integers(0, height - 30)), int(rng.integers(0, width - 60))
        tall, wide = int(rng.integers(6, 65)), int(rng.integers(16, 90))
        stone[top : top + tall, left : left + wide] += float(rng.uniform(-17, 12))
    seams = np.zeros((height, width), dtype=np.uint8)
    for _ in range(width // 20):
        start = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        steps = np.cumsum(rng.normal(0.0, 1.0, (int(rng.integers(6, 22)), 2)) * np.array([9.0, 3.5]), axis=0)
        steps += np.outer(np.arange(len(steps)), rng.normal(0.0, 1.0, 2) * np.array([6.0, 3.0]))
        points = np.round(start + steps).astype(np.int32)
        thick = int(rng.integers(1, 3))
        cv2.polylines(seams, [points], isClosed=False, color=255, thickness=thick, lineType=cv2.LINE_AA)
    stone -= seams.astype(np.float32) * np.float32(30.0 / 255.0)


def _markings(rng: np.random.Generator, strip: Plane, layout: Layout) -> None:
    """Paints lines, solid and dashed, worn here and there, in place."""
    height = strip.shape[0]
    along = (np.arange(height, dtype=np.float32) + np.float32(0.5)) * np.float32(CELL_ALONG_M)
    dashes = np.where(along % layout.cycle_m < layout.dash_m, 1.0, 0.0).astype(np.float32)
    paint = np.array([214.0, 220.0, 222.0], dtype=np.float32)
    for place in (*layout.solid_lines_m, *layout.dashed_lines_m):
        part = _columns(place - PAINT_WIDTH_M / 2, place + PAINT_WIDTH_M / 2)
        wide = part.stop - part.start
        worn = 0.84 + 0.16 * grain(rng, height, wide, (3, 4)) + 0.1 * grain(rng, height, wide, (30, 5))
        cover = np.clip(worn, 0.25, 1.0)
        if place in layout.dashed_lines_m:
            cover = cover * dashes[:, None]
        strip[:, part] += (paint - strip[:, part]) * cover[..., None].astype(np.float32)
