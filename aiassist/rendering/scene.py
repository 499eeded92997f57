"""Draws one drive frame by frame: sky, ground, everything that stands or moves, and the camera's own marks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering import glass
from aiassist.rendering.camera import CameraPath, Lens, Pose, camera_path, pose_at
from aiassist.rendering.drive import Drive
from aiassist.rendering.ground import Ground, Rays, build_ground, draw_ground, horizon_rows
from aiassist.rendering.kinematics import STEP_HZ
from aiassist.rendering.painter import Canvas, Piece, paint, seen_from
from aiassist.rendering.palette import Palette, palette_of
from aiassist.rendering.road import layout_of
from aiassist.rendering.scenario import ClipSpec, Lighting, Surroundings
from aiassist.rendering.scenery import EDGING_M, MEDIAN_RAIL_M, Scenery, build_scenery
from aiassist.rendering.sky import build_sky, draw_sky
from aiassist.rendering.texture import Picture, Plane
from aiassist.rendering.traffic import Actor
from aiassist.rendering.vehicles import vehicle_pieces

VIEW_M = 140.0
LAMP_RED = np.array([40.0, 34.0, 235.0])
LAMP_WHITE = np.array([210.0, 235.0, 245.0])


@dataclass(frozen=True)
class Shot:
    """Everything that is built once for a clip before its frames are drawn."""

    spec: ClipSpec
    drive: Drive
    path: CameraPath
    lens: Lens
    rays: Rays
    palette: Palette
    ground: Ground
    panorama: Picture
    scenery: Scenery
    noise: list[Picture]
    light: Picture
    bonnet: tuple[Picture, NDArray[np.uint8], int]
    rain: list[Picture]
    bend: tuple[Plane, Plane] | None
    disc: Picture

    @classmethod
    def of(cls, spec: ClipSpec, drive: Drive) -> Shot:
        """Prepares textures, scenery and camera for a drive."""
        rng = np.random.default_rng([spec.seed, 4])
        lens, palette, layout = Lens.of(spec), palette_of(spec.lighting), layout_of(spec.surroundings)
        ground = build_ground(rng, layout, spec.surroundings, palette, lens, spec.camera_height_m)
        panorama = build_sky(rng, lens, palette, spec.surroundings)
        scenery = build_scenery(
            rng,
            layout,
            spec.surroundings,
            reach_m=float(drive.along[-1]) + VIEW_M + 20.0,
            crossroads=drive.crossroads_m,
            potholes=drive.potholes_m,
        )
        rainy = spec.lighting is Lighting.RAIN
        return cls(
            spec=spec,
            drive=drive,
            path=camera_path(drive, spec),
            lens=lens,
            rays=Rays.of(lens),
            palette=palette,
            ground=ground,
            panorama=panorama,
            scenery=scenery,
            noise=glass.noise_tiles(rng, lens, spec.noise_level * palette.noise),
            light=glass.light_mask(rng, lens, palette, headlights=spec.lighting is Lighting.NIGHT),
            bonnet=glass.bonnet(rng, lens, palette),
            rain=glass.rain_tiles(rng, lens) if rainy else [],
            bend=glass.droplets(rng, lens) if rainy else None,
            disc=glass.glow_disc(),
        )

    def frame(self, index: int) -> Picture:
        """One frame (blue, green, red); the same index always gives the same picture."""
        return _frame(self, index / self.spec.fps, np.random.default_rng([self.spec.seed, 5, index]))


def _frame(shot: Shot, at: float, rng: np.random.Generator) -> Picture:
    pose = pose_at(shot.drive, shot.path, shot.spec, at)
    picture: Picture = np.empty((shot.lens.height, shot.lens.width, 3), dtype=np.uint8)
    bottom = shot.bonnet[2] + round((shot.lens.height - shot.bonnet[2]) * 0.9)
    canvas = Canvas(picture, shot.lens, pose, shot.palette, bottom)
    speed = float(np.interp(at, shot.drive.times, shot.drive.speed))
    draw_sky(picture, shot.panorama, shot.lens, pose, min(horizon_rows(shot.lens, pose)[1] + 1, bottom))
    draw_ground(picture, shot.ground, shot.lens, shot.rays, pose, bottom, speed * shot.palette.exposure_seconds)
    lying = [piece for piece in shot.scenery.lying if -5.0 < piece.along - pose.along < VIEW_M]
    seen = _seen_actors(shot, pose, at)
    paint(canvas, lying + _standing(shot, pose, seen, at))
    return _finish(shot, canvas, seen, at, rng)


def _seen_actors(shot: Shot, pose: Pose, at: float) -> list[tuple[float, Actor]]:
    step = min(round(at * STEP_HZ), len(shot.drive.times) - 1)
    places = ((float(actor.along[step]) - pose.along, actor) for actor in shot.drive.actors)
    return sorted(((ahead, actor) for ahead, actor in places if -6.0 < ahead < VIEW_M), key=lambda pair: -pair[0])


def _standing(shot: Shot, pose: Pose, seen: list[tuple[float, Actor]], at: float) -> list[Piece]:
    """Scenery and vehicles in the order in which they must be painted, the farthest first."""
    groups: list[tuple[float, list[Piece]]] = [
        (piece.along, [piece]) for piece in shot.scenery.between(pose.along - EDGING_M - 2.0, pose.along + VIEW_M)
    ]
    for ahead, actor in seen:
        pieces = vehicle_pieces(actor, (pose.along, pose.across), at * STEP_HZ)
        order = pose.along + ahead - actor.size.length / 2
        groups.append((order - EDGING_M if _on_the_road(shot, actor, at) else order, pieces))
    groups.sort(key=lambda group: -group[0])
    return [piece for _, pieces in groups for piece in pieces]


def _on_the_road(shot: Shot, actor: Actor, at: float) -> bool:
    """Whether a vehicle stands before everything beside the road, also before an edging that begins nearer to us."""
    across = float(actor.across[min(round(at * STEP_HZ), len(shot.drive.times) - 1)])
    layout = layout_of(shot.spec.surroundings)
    left = MEDIAN_RAIL_M if shot.spec.surroundings is Surroundings.MOTORWAY else layout.left_edge_m
    return left < across < layout.right_edge_m


def _finish(
    shot: Shot, canvas: Canvas, seen: list[tuple[float, Actor]], at: float, rng: np.random.Generator
) -> Picture:
    """Light, lamps, blur, rain, bonnet, noise and caption."""
    before = pose_at(shot.drive, shot.path, shot.spec, max(at - 1.0 / shot.spec.fps, 0.0))
    share = shot.palette.exposure_seconds * shot.spec.fps
    picture = canvas.picture
    colour, mask, top = shot.bonnet
    picture[canvas.bottom :] = colour[canvas.bottom - top :]
    picture = glass.motion_blur(picture, before, canvas.pose, shot.lens, share)
    picture = np.asarray(cv2.multiply(picture, shot.light, scale=1 / 255.0), dtype=np.uint8)
    if shot.palette.lamps:
        _lamps(shot, picture, canvas.pose, seen, at)
    if shot.rain:
        picture = np.asarray(cv2.add(picture, shot.rain[int(rng.integers(len(shot.rain)))]), dtype=np.uint8)
    if shot.bend is not None:
        bent = cv2.remap(picture, *shot.bend, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        picture = np.asarray(bent, dtype=np.uint8)
    solid = cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)
    under = cv2.multiply(picture[top:], cv2.bitwise_not(solid), scale=1 / 255.0)
    picture[top:] = cv2.add(under, cv2.multiply(colour, solid, scale=1 / 255.0))
    picture = glass.add_noise(picture, shot.noise, rng)
    if shot.spec.caption:
        glass.burn_text(picture, shot.spec.caption)
    return np.ascontiguousarray(picture[:, ::-1]) if shot.spec.mirrored else picture


def _lamps(shot: Shot, picture: Picture, pose: Pose, seen: list[tuple[float, Actor]], at: float) -> None:
    """Glows of tail lamps and headlights, in place."""
    step = min(round(at * STEP_HZ), len(shot.drive.times) - 1)
    for ahead, actor in seen:
        heading = float(actor.heading[step])
        facing = abs(float(np.cos(heading))) > 0.8
        moving = abs(float(actor.along[step]) - float(actor.along[max(step - 20, 0)])) > 0.02
        if not facing or ahead < 3.0 or not (moving or bool(actor.braking[step])):
            continue
        toward = float(np.cos(heading)) < 0
        _pair(shot, picture, pose, actor, ahead, step, toward=toward)


def _pair(shot: Shot, picture: Picture, pose: Pose, actor: Actor, ahead: float, step: int, *, toward: bool) -> None:
    half = actor.size.width / 2 - 0.25
    near = float(actor.along[step]) - actor.size.length / 2
    across = float(actor.across[step])
    height = 0.66 if toward else 0.85
    places = np.array([[near, across - half, height], [near, across + half, height]])
    strength = 1.5 if toward else (1.25 if actor.braking[step] else 0.6)
    colour = (LAMP_WHITE if toward else LAMP_RED) * strength
    distance = max(near - pose.along, 1.0)
    radius = shot.lens.focal * (0.30 if toward else 0.22) / distance + shot.lens.height * 0.012
    for pixel in shot.lens.project(seen_from(pose, places), pose):
        glass.add_glow(picture, shot.disc, (float(pixel[0]), float(pixel[1])), radius * 2.0, colour)
