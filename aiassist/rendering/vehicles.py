"""Vehicles as textured boxes: a painted back, front and side for each body and look, brake lamps lit or not."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.painter import Piece
from aiassist.rendering.sheet import TYRE, Points, Sheet
from aiassist.rendering.texture import Texture
from aiassist.rendering.traffic import DIMENSIONS, Actor, Body

DETAIL_M = 55.0  # beyond it the second side of a car in the next lane is 1 px wide: it is not drawn, nor is the shadow
_PAINTS = (
    (34, 34, 36),
    (70, 70, 74),
    (150, 152, 154),
    (196, 198, 200),
    (222, 224, 226),
    (38, 34, 132),
    (120, 66, 30),
    (92, 58, 38),
    (54, 74, 44),
    (60, 92, 122),
    (146, 118, 82),
    (28, 70, 150),
)
_GLASS = (52, 46, 40)
_LAMP_OFF, _LAMP_ON = (34, 22, 120), (90, 84, 255)


class Face(StrEnum):
    """The sides of a vehicle that can be seen; LEFT and RIGHT as its driver says."""

    BACK = "BACK"
    BACK_BRAKING = "BACK_BRAKING"
    FRONT = "FRONT"
    LEFT = "LEFT"
    RIGHT = "RIGHT"


@lru_cache(maxsize=160)  # about 150 kB each; many vehicles share a look, so clips share the paint
def face_texture(body: Body, look: int, face: Face) -> Texture:
    """Paints one side of a vehicle; the same `look` gives the same paint."""
    rng = np.random.default_rng([look, 11])
    paint = _PAINTS[look % len(_PAINTS)]
    if face is Face.FRONT:
        return _front(body, paint, rng)
    if face in (Face.BACK, Face.BACK_BRAKING):
        return _back(body, paint, rng, braking=face is Face.BACK_BRAKING)
    side = _truck_side(paint, rng) if body is Body.TRUCK else _side(body, paint)
    if face is Face.RIGHT:
        side.colour, side.alpha = side.colour[:, ::-1].copy(), side.alpha[:, ::-1].copy()
    return side.texture(rng)


def _darker(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    return (round(colour[0] * share), round(colour[1] * share), round(colour[2] * share))


def _shell(body: Body, paint: tuple[int, int, int]) -> tuple[Sheet, float]:
    """Tyres and outline of a back or front, and the height of the belt line."""
    size = DIMENSIONS[body]
    wide, tall = size.width, size.height
    sheet = Sheet(wide, tall)
    belt = tall * (0.62 if body in (Body.CAR, Body.SUV) else 0.52)
    inset = {Body.CAR: 0.24, Body.SUV: 0.17, Body.VAN: 0.08, Body.TRUCK: 0.0}[body]
    for left in (0.06, wide - 0.28):
        sheet.box(left, 0.0, left + 0.22, 0.45, TYRE)
    sheet.box(0.1, 0.17, wide - 0.1, 0.34, (30, 30, 30))
    sheet.area(
        [
            (0.04, 0.28),
            (wide - 0.04, 0.28),
            (wide - 0.01, 0.55),
            (wide - 0.02, belt - 0.04),
            (wide - 0.07, belt),
            (wide - inset - 0.02, tall - 0.08),
            (wide - inset - 0.14, tall - 0.01),
            (inset + 0.14, tall - 0.01),
            (inset + 0.02, tall - 0.08),
            (0.07, belt),
            (0.02, belt - 0.04),
            (0.01, 0.55),
        ],
        paint,
    )
    return sheet, belt


def _back(body: Body, paint: tuple[int, int, int], rng: np.random.Generator, *, braking: bool) -> Texture:
    lamp = _LAMP_ON if braking else _LAMP_OFF
    if body is Body.TRUCK:
        return _truck_back(paint, lamp, rng).texture(rng)
    sheet, belt = _shell(body, paint)
    wide, tall = sheet.width_m, sheet.height_m
    inset = 0.34 if body is Body.CAR else 0.26
    glass: Points = [(0.17, belt + 0.03), (wide - 0.17, belt + 0.03), (wide - inset, tall - 0.13), (inset, tall - 0.13)]
    sheet.area(glass, _GLASS)
    sheet.area(
        [(wide * 0.2, belt + 0.03), (wide * 0.42, belt + 0.03), (wide * 0.56, tall - 0.14), (wide * 0.36, tall - 0.14)],
        (78, 70, 62),
    )
    sheet.box(0.03, 0.30, wide - 0.03, 0.44, _darker(paint, 0.7))
    sheet.line([(0.12, 0.56), (wide - 0.12, 0.56)], _darker(paint, 0.6), 2)
    sheet.line([(0.2, belt - 0.02), (wide - 0.2, belt - 0.02)], _darker(paint, 0.72), 1)
    low = belt - (0.24 if body is Body.CAR else 0.30)
    for x0, x1 in ((0.05, 0.40), (wide - 0.40, wide - 0.05)):
        sheet.box(x0, low, x1, belt - 0.07, lamp)
        sheet.box(x0 + 0.04, low + 0.02, x1 - 0.2, low + 0.07, (150, 170, 205))
    if braking:
        sheet.box(wide * 0.40, tall - 0.125, wide * 0.60, tall - 0.085, _LAMP_ON)
    sheet.box(wide / 2 - 0.26, low + 0.02, wide / 2 + 0.26, low + 0.13, (206, 214, 216))
    for step in range(7):
        x = wide / 2 - 0.21 + step * 0.06
        sheet.box(x, low + 0.045, x + float(rng.uniform(0.02, 0.045)), low + 0.105, (44, 44, 44))
    return sheet.texture(rng)


def _front(body: Body, paint: tuple[int, int, int], rng: np.random.Generator) -> Texture:
    if body is Body.TRUCK:
        return _truck_front(paint).texture(rng)
    sheet, belt = _shell(body, paint)
    wide, tall = sheet.width_m, sheet.height_m
    inset = 0.32 if body is Body.CAR else 0.24
    sheet.area(
        [(0.14, belt + 0.02), (wide - 0.14, belt + 0.02), (wide - inset, tall - 0.11), (inset, tall - 0.11)], _GLASS
    )
    sheet.area(
        [(wide * 0.55, belt + 0.03), (wide * 0.8, belt + 0.03), (wide * 0.74, tall - 0.13), (wide * 0.6, tall - 0.13)],
        (86, 78, 70),
    )
    sheet.box(wide * 0.28, 0.50, wide * 0.72, belt - 0.20, (32, 32, 34))
    for step in range(3):
        y = 0.53 + step * 0.055
        sheet.line([(wide * 0.3, y), (wide * 0.7, y)], (96, 96, 98), 1)
    for x0, x1 in ((0.07, 0.44), (wide - 0.44, wide - 0.07)):
        sheet.box(x0, belt - 0.32, x1, belt - 0.17, (226, 230, 232))
        sheet.box(x0 + 0.06, belt - 0.29, x1 - 0.12, belt - 0.2, (190, 196, 200))
    sheet.box(wide / 2 - 0.26, 0.36, wide / 2 + 0.26, 0.47, (206, 214, 216))
    return sheet.texture(rng)


def _side(body: Body, paint: tuple[int, int, int]) -> Sheet:
    """The left side: front to the left."""
    size = DIMENSIONS[body]
    long, tall = size.length, size.height
    sheet = Sheet(long, tall)
    belt, roof = tall * (0.60 if body is not Body.VAN else 0.52), tall - 0.02
    nose = {Body.CAR: 0.30, Body.SUV: 0.28}.get(body, 0.14)
    tail = {Body.CAR: 0.90, Body.SUV: 0.97}.get(body, 0.985)
    outline: Points = [
        (0.05, 0.25),
        (long - 0.05, 0.25),
        (long - 0.01, 0.55),
        (long * 0.985, belt),
        (long * tail, roof - 0.05),
        (long * (tail - 0.07), roof),
        (long * (nose + 0.16), roof),
        (long * (nose + 0.1), roof - 0.04),
        (long * nose, belt),
        (0.2, belt - 0.12),
        (0.03, belt - 0.3),
    ]
    sheet.area(outline, paint)
    top = roof - 0.1
    sheet.area(
        [(long * (nose + 0.03), belt), (long * 0.56, belt), (long * 0.56, top), (long * (nose + 0.15), top)], _GLASS
    )
    back = 0.88 if body is not Body.VAN else 0.7
    sheet.area([(long * 0.58, belt), (long * back, belt), (long * (back - 0.06), top), (long * 0.58, top)], _GLASS)
    for share in (nose + 0.06, 0.57, 0.78):
        sheet.line([(long * share, belt), (long * share, 0.32)], _darker(paint, 0.6), 1)
    sheet.line([(0.2, belt - 0.14), (long - 0.2, belt - 0.1)], _darker(paint, 0.75), 2)
    sheet.box(0.3, 0.25, long - 0.3, 0.33, _darker(paint, 0.5))
    sheet.box(long - 0.22, belt - 0.25, long - 0.03, belt - 0.1, _LAMP_OFF)
    sheet.box(0.04, belt - 0.35, 0.28, belt - 0.22, (214, 218, 220))
    for x in (long * 0.185, long * 0.80):
        sheet.wheel(x, 0.33)
    return sheet


def _truck_back(paint: tuple[int, int, int], lamp: tuple[int, int, int], rng: np.random.Generator) -> Sheet:
    size = DIMENSIONS[Body.TRUCK]
    wide, tall = size.width, size.height
    sheet = Sheet(wide, tall)
    for left in (0.1, wide - 0.6):
        sheet.box(left, 0.0, left + 0.5, 0.95, TYRE)
    sheet.box(0.03, 0.85, wide - 0.03, tall - 0.02, (188, 192, 194))
    sheet.box(0.1, 0.98, wide - 0.1, tall - 0.12, _darker(paint, 0.8) if max(paint) > 60 else (150, 152, 150))
    sheet.line([(wide / 2, 0.98), (wide / 2, tall - 0.12)], (60, 60, 60), 3)
    for x in (wide * 0.3, wide * 0.7):
        sheet.line([(x, 1.0), (x, tall - 0.15)], (120, 120, 120), 2)
    for step in range(5):
        sheet.box(0.1 + step * 0.48, 0.62, 0.34 + step * 0.48, 0.78, (40, 60, 215) if step % 2 else (220, 224, 226))
    sheet.box(0.06, 0.55, wide - 0.06, 0.64, (40, 40, 40))
    for x0, x1 in ((0.1, 0.5), (wide - 0.5, wide - 0.1)):
        sheet.box(x0, 0.66, x1, 0.82, lamp)
    for y in np.arange(1.05, tall - 0.15, 0.22):
        sheet.line([(0.1, float(y)), (wide - 0.1, float(y))], (136, 140, 142), 1)
    ink = _darker((150, 90, 60), float(rng.uniform(0.5, 1.4)))
    for row, letters in ((2.35, 7), (1.75, 11)):  # the haulier's name and address, as blocks
        for step in range(letters):
            left, size_m = 0.22 + step * 2.06 / letters, 2.06 / letters * float(rng.uniform(0.45, 0.85))
            sheet.box(left, row, left + size_m, row + 1.6 / letters, ink)
    return sheet


def _truck_front(paint: tuple[int, int, int]) -> Sheet:
    size = DIMENSIONS[Body.TRUCK]
    wide, tall = size.width, size.height
    sheet = Sheet(wide, tall)
    for left in (0.1, wide - 0.5):
        sheet.box(left, 0.0, left + 0.4, 0.7, TYRE)
    sheet.box(0.03, 0.35, wide - 0.03, tall - 0.02, (180, 184, 186))
    sheet.box(0.06, 0.35, wide - 0.06, 2.7, paint)
    sheet.box(0.2, 1.6, wide - 0.2, 2.45, _GLASS)
    sheet.box(0.5, 0.75, wide - 0.5, 1.35, (36, 36, 38))
    for x0, x1 in ((0.12, 0.48), (wide - 0.48, wide - 0.12)):
        sheet.box(x0, 0.5, x1, 0.72, (226, 230, 232))
    return sheet


def _truck_side(paint: tuple[int, int, int], rng: np.random.Generator) -> Sheet:
    size = DIMENSIONS[Body.TRUCK]
    long, tall = size.length, size.height
    sheet = Sheet(long, tall)
    sheet.box(0.1, 0.45, long - 0.1, 0.9, (46, 46, 48))
    sheet.box(2.1, 0.9, long - 0.02, tall - 0.02, (192, 195, 196))
    sheet.box(2.9, 1.6, long - 0.8, 2.6, _darker((190, 170, 150), float(rng.uniform(0.4, 1.0))))
    for step in range(8):
        x = 2.5 + step * 0.78
        sheet.line([(x, 0.95), (x, tall - 0.1)], (150, 152, 154), 2)
    sheet.box(0.03, 0.5, 1.95, 2.75, paint)
    sheet.box(0.15, 1.6, 1.3, 2.4, _GLASS)
    for x in (1.0, long - 2.6, long - 1.5):
        sheet.wheel(x, 0.48)
    return sheet


@lru_cache(maxsize=1)
def soft_shadow() -> Texture:
    """The dark patch under a vehicle."""
    y, x = np.mgrid[-1:1:48j, -1:1:48j].astype(np.float32)
    alpha = np.clip((1.0 - np.maximum(np.abs(x), np.abs(y)) ** 4) * 1.3, 0, 1) * 168
    return Texture.of(np.full((48, 48, 3), 12, dtype=np.uint8), alpha.astype(np.uint8))


def vehicle_pieces(actor: Actor, camera: tuple[float, float], step: float) -> list[Piece]:
    """The visible sides of a vehicle, the farthest first; `step` is the (fractional) simulation step."""
    low = int(step)
    along, across = _between(actor.along, low, step - low), _between(actor.across, low, step - low)
    heading = float(actor.heading[low])
    size = actor.size
    cos, sin = math.cos(heading), math.sin(heading)
    long, wide = size.length / 2, size.width / 2

    def corner(front: int, side: int) -> tuple[float, float, float]:
        return (along + cos * front * long - sin * side * wide, across + sin * front * long + cos * side * wide, 0.0)

    back = Face.BACK_BRAKING if actor.braking[low] else Face.BACK
    walls = (
        (corner(-1, -1), corner(-1, 1), (-cos, -sin), back, 1.0),
        (corner(1, 1), corner(1, -1), (cos, sin), Face.FRONT, 0.94),
        (corner(1, -1), corner(-1, -1), (sin, -cos), Face.LEFT, 0.86),
        (corner(-1, 1), corner(1, 1), (-sin, cos), Face.RIGHT, 0.78),
    )
    pieces = []
    for start, end, outward, face, shade in walls:
        to_eye = (camera[0] - (start[0] + end[0]) / 2, camera[1] - (start[1] + end[1]) / 2)
        if outward[0] * to_eye[0] + outward[1] * to_eye[1] > 0.02:
            texture = face_texture(actor.body, actor.look, face)
            pieces.append(Piece(texture, start, end, (0.0, 0.0, size.height), shade))
    pieces.sort(key=lambda piece: -abs(piece.along - camera[0]))
    if along - camera[0] > DETAIL_M:
        return pieces[-1:]
    return [_shadow(along, across, actor, heading), *pieces]


def _between(values: NDArray[np.float64], low: int, share: float) -> float:
    high = min(low + 1, len(values) - 1)
    return float(values[low]) * (1 - share) + float(values[high]) * share


def _shadow(along: float, across: float, actor: Actor, heading: float) -> Piece:
    """Lies square to the road, so that cutting it at the lens stays simple."""
    cos, sin = abs(math.cos(heading)), abs(math.sin(heading))
    half_along = (cos * actor.size.length + sin * actor.size.width) / 2 + 0.25
    half_across = (sin * actor.size.length + cos * actor.size.width) / 2 + 0.2
    start, end = (along - half_along, across - half_across, 0.01), (along + half_along, across - half_across, 0.01)
    return Piece(soft_shadow(), start, end, (0.0, 2 * half_across, 0.0))
