"""Where the roadside things stand, and the flat patches on the road (crossroads, potholes)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from aiassist.rendering.flora import block, bush, guard_rail, hedge, house, pole, sign, tree
from aiassist.rendering.painter import Piece
from aiassist.rendering.road import Layout
from aiassist.rendering.scenario import Surroundings
from aiassist.rendering.texture import Texture, fractal, grain, to_picture

CROSSROAD_HALF_M = 4.2
CLEAR_OF_CROSSROAD_M = 9.0
EDGING_M = 16.0  # the length of one piece of hedge or rail
MEDIAN_RAIL_M = -7.1


@dataclass(frozen=True)
class Scenery:
    """Standing pieces sorted by their place along the road, and pieces that lie on the road."""

    standing: tuple[Piece, ...]
    places: tuple[float, ...]
    lying: tuple[Piece, ...]

    def between(self, near: float, far: float) -> tuple[Piece, ...]:
        return self.standing[bisect_left(self.places, near) : bisect_right(self.places, far)]


class Planter:
    """Collects pieces while walking along the road; nothing is put into a crossroad."""

    def __init__(self, rng: np.random.Generator, crossroads: tuple[float, ...], reach_m: float) -> None:
        self.rng, self.crossroads, self.reach = rng, crossroads, reach_m
        self.pieces: list[Piece] = []

    def put(
        self, texture: Texture, along: float, across: float, width: float, height: float, shade: float = 1.0
    ) -> None:
        """A picture that faces the traffic."""
        if self._free(along, along):
            half = width / 2
            start, end = (along, across - half, -0.03), (along, across + half, -0.03)
            self.pieces.append(Piece(texture, start, end, (0.0, 0.0, height), shade))

    def front(
        self,
        texture: Texture,
        along: float,
        across: float,
        length: float,
        height: float,
        shade: float = 1.0,
        *,
        edging: bool = False,
    ) -> None:
        """A wall along the road. An `edging` (rail, hedge) stands before everything beside it, a house behind."""
        if self._free(along, along + length):
            near, far = (along, across, -0.03), (along + length, across, -0.03)
            start, end = (near, far) if across < 0 else (far, near)
            order = along if edging else along + length
            self.pieces.append(Piece(texture, start, end, (0.0, 0.0, height), shade, order))

    def walk(self, first: float, gap: tuple[float, float], plant: Callable[[float], None]) -> None:
        place = first + float(self.rng.uniform(*gap))
        while place < self.reach:
            plant(place)
            place += float(self.rng.uniform(*gap))

    def _free(self, near: float, far: float) -> bool:
        return all(far < x - CLEAR_OF_CROSSROAD_M or near > x + CLEAR_OF_CROSSROAD_M for x in self.crossroads)


def build_scenery(
    rng: np.random.Generator,
    layout: Layout,
    surroundings: Surroundings,
    *,
    reach_m: float,
    crossroads: tuple[float, ...],
    potholes: tuple[tuple[float, float], ...],
) -> Scenery:
    """Plants both sides of the road up to `reach_m`."""
    planter = Planter(rng, crossroads, reach_m)
    left, right = layout.left_edge_m - layout.pavement_m, layout.right_edge_m + layout.pavement_m
    {
        Surroundings.RURAL: _rural,
        Surroundings.SUBURB: _suburb,
        Surroundings.CITY: _city,
        Surroundings.MOTORWAY: _motorway,
    }[surroundings](planter, left, right)
    pieces = sorted(planter.pieces, key=lambda piece: piece.along)
    lying = tuple(crossroad(rng, place) for place in crossroads) + tuple(hole(rng, *place) for place in potholes)
    return Scenery(tuple(pieces), tuple(piece.along for piece in pieces), lying)


def _trees(
    planter: Planter, kinds: list[Texture], edges: tuple[float, float], gap: tuple[float, float], far: float
) -> None:
    rng = planter.rng

    def plant(place: float) -> None:
        side = -1 if rng.random() < 0.5 else 1
        across = (edges[0] if side < 0 else edges[1]) + side * float(rng.uniform(1.6, far))
        tall = float(rng.uniform(5.0, 10.5))
        planter.put(
            kinds[int(rng.integers(len(kinds)))], place, across, tall * 0.78, tall, float(rng.uniform(0.8, 1.12))
        )

    planter.walk(-5.0, gap, plant)


def _low(planter: Planter, kinds: list[Texture], edges: tuple[float, float], gap: tuple[float, float]) -> None:
    rng = planter.rng

    def plant(place: float) -> None:
        side = -1 if rng.random() < 0.5 else 1
        across = (edges[0] if side < 0 else edges[1]) + side * float(rng.uniform(1.2, 7.0))
        wide = float(rng.uniform(1.2, 3.2))
        planter.put(
            kinds[int(rng.integers(len(kinds)))], place, across, wide, wide * 0.58, float(rng.uniform(0.85, 1.1))
        )

    planter.walk(-5.0, gap, plant)


def _posts(planter: Planter, texture: Texture, across: float, gap: float, width: float, height: float) -> None:
    planter.walk(0.0, (gap * 0.94, gap * 1.06), lambda place: planter.put(texture, place, across, width, height))


def _signs(planter: Planter, across: float) -> None:
    kinds = [sign(planter.rng), sign(planter.rng)]
    planter.walk(
        10.0, (45.0, 120.0), lambda place: planter.put(kinds[int(planter.rng.integers(2))], place, across, 0.8, 2.8)
    )


def _run(planter: Planter, texture: Texture, across: float, length: float, height: float) -> None:
    """An unbroken line of equal lengths along the road."""
    place = -8.0
    while place < planter.reach:
        planter.front(texture, place, across, length, height, 0.9, edging=True)
        place += length


def _rural(planter: Planter, left: float, right: float) -> None:
    rng = planter.rng
    _trees(planter, [tree(rng) for _ in range(4)], (left, right), (4.0, 13.0), 11.0)
    _low(planter, [bush(rng) for _ in range(3)], (left, right), (3.0, 10.0))
    _signs(planter, right + 0.9)
    _posts(planter, pole(rng), left - 1.2, 42.0, 1.6, 7.5)
    if rng.random() < 0.5:
        _run(planter, hedge(rng), left - 3.0, EDGING_M, 1.5)
    if rng.random() < 0.4:
        _run(planter, guard_rail(rng), right + 0.8, EDGING_M, 0.8)


def _suburb(planter: Planter, left: float, right: float) -> None:
    rng = planter.rng
    kinds = [house(rng) for _ in range(3)]
    for side, edge in ((-1, left), (1, right)):

        def plant(place: float, side: int = side, edge: float = edge) -> None:
            across = edge + side * float(rng.uniform(3.0, 6.0))
            picture = kinds[int(rng.integers(3))]
            planter.front(picture, place, across, 10.0, 7.0, float(rng.uniform(0.82, 1.05)))
            planter.put(picture, place, across + side * 4.0, 8.0, 7.0, float(rng.uniform(0.7, 0.9)))

        planter.walk(-14.0, (13.0, 24.0), plant)
    _trees(planter, [tree(rng) for _ in range(3)], (left, right), (7.0, 18.0), 2.6)
    _low(planter, [bush(rng) for _ in range(3)], (left, right), (5.0, 13.0))
    _posts(planter, pole(rng), right - 0.5, 31.0, 1.6, 6.5)
    _signs(planter, right - 0.4)
    _run(planter, hedge(rng), left - 0.9, EDGING_M, 1.3)


def _city(planter: Planter, left: float, right: float) -> None:
    rng = planter.rng
    kinds = [block(rng) for _ in range(4)]
    for side, edge in ((-1, left), (1, right)):
        place = -20.0
        while place < planter.reach:
            picture, shade = kinds[int(rng.integers(4))], float(rng.uniform(0.75, 1.05))
            tall = float(rng.uniform(10.0, 16.0))
            planter.front(picture, place, edge + side * 0.3, 14.0, tall, shade)
            if rng.random() < 0.3:
                place += float(rng.uniform(3.0, 6.0))
                planter.put(picture, place + 14.0, edge + side * 7.0, 13.0, tall, shade * 0.8)
            place += 14.0
    _trees(planter, [tree(rng) for _ in range(2)], (left + 3.2, right - 3.2), (16.0, 32.0), 2.0)
    _posts(planter, pole(rng), right - 3.1, 27.0, 1.6, 7.0)
    _posts(planter, sign(rng), left + 3.2, 38.0, 0.8, 2.8)
    _signs(planter, right - 2.9)


def _motorway(planter: Planter, left: float, right: float) -> None:
    rng = planter.rng
    _trees(planter, [tree(rng) for _ in range(4)], (left - 2.0, right + 2.0), (4.0, 14.0), 13.0)
    _low(planter, [bush(rng) for _ in range(3)], (left - 1.0, right + 1.0), (5.0, 12.0))
    rail = guard_rail(rng)
    _run(planter, rail, MEDIAN_RAIL_M, EDGING_M, 0.8)
    _run(planter, rail, right + 0.7, EDGING_M, 0.8)
    _posts(planter, pole(rng), right + 1.6, 45.0, 1.6, 9.0)
    _signs(planter, right + 1.3)


def crossroad(rng: np.random.Generator, place: float) -> Piece:
    """A road that crosses ours at right angles, with a stop line on either side."""
    height, width = 640, 128
    stone = 86.0 + 6.0 * fractal(rng, height, width, ((70, 40), (20, 14), (6, 5), (3, 3)))
    colour = to_picture(np.stack([stone * 1.02, stone, stone * 0.98], axis=-1))
    for edge in (6, width - 10):
        cv2.line(colour, (edge, 0), (edge, height), (186, 190, 192), 2, cv2.LINE_AA)
    for y in range(0, height, 26):
        cv2.line(colour, (width // 2, y), (width // 2, y + 9), (198, 202, 204), 2, cv2.LINE_AA)
    near, far = (place - CROSSROAD_HALF_M, -40.0, 0.0), (place + CROSSROAD_HALF_M, -40.0, 0.0)
    return Piece(Texture.of(colour), near, far, (0.0, 80.0, 0.0))


def hole(rng: np.random.Generator, place: float, across: float) -> Piece:
    """A ragged dark patch where the asphalt is broken."""
    size = 64
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    ragged = np.hypot(x, y) + 0.16 * grain(rng, size, size, (12, 12))
    alpha = np.clip((0.86 - ragged) * 9.0, 0, 1) * 240
    colour = to_picture((38.0 + 12.0 * grain(rng, size, size, (5, 5)))[..., None].repeat(3, axis=2))
    texture = Texture.of(colour, alpha.astype(np.uint8))
    return Piece(texture, (place - 0.55, across - 0.4, 0.0), (place + 0.55, across - 0.4, 0.0), (0.0, 0.8, 0.0))
