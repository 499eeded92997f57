"""Drives without a collision course: calm driving, standing, a pothole, a slammed door, a horn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiassist.rendering.drive import Bang, Drive, Impulse
from aiassist.rendering.kinematics import KMH, Series, acceleration, clock, smooth_noise, travelled, value_at
from aiassist.rendering.road import layout_of
from aiassist.rendering.scenario import ClipSpec
from aiassist.rendering.traffic import (
    LOOKS,
    Actor,
    drawn_body,
    lane_actor,
    oncoming_traffic,
    parked_cars,
    same_way_traffic,
)
from aiassist.types import Scenario

VIEW_M = 170.0  # nothing is drawn farther away


def cruise_speed(spec: ClipSpec, rng: np.random.Generator) -> float:
    """The speed in m/s that the spec asks for or that is usual on its road."""
    low, high = layout_of(spec.surroundings).usual_speed_kmh
    drawn = float(rng.uniform(low, high))
    return (drawn if spec.speed_kmh is None else spec.speed_kmh) * KMH


def wander(rng: np.random.Generator, count: int, spread_m: float = 0.10) -> Series:
    """How a driver drifts inside the lane: slow and small."""
    return smooth_noise(rng, count, low_hz=0.03, high_hz=0.12) * spread_m


def curvature(rng: np.random.Generator, speed_mps: float) -> float:
    """A gentle bend whose sideways acceleration stays under 0.7 m/s²; sharper bends need slower roads."""
    limit = min(0.7 / max(speed_mps, 6.0) ** 2, 0.004)
    return float(rng.uniform(-limit, limit))


def backdrop(
    spec: ClipSpec,
    rng: np.random.Generator,
    *,
    times: Series,
    along: Series,
    speed_mps: float,
    oncoming: bool = True,
    keep_free: float | None = None,
) -> list[Actor]:
    """The traffic that has nothing to do with the event."""
    layout = layout_of(spec.surroundings)
    reach = float(along[-1]) + VIEW_M
    actors = parked_cars(rng, layout, count=len(times), reach_m=reach)
    actors += same_way_traffic(rng, layout, times=times, speed_mps=speed_mps, keep_free=keep_free)
    if oncoming:
        actors += oncoming_traffic(rng, layout, times=times, reach_m=reach, speed_mps=max(speed_mps, 9.0))
    return actors


def calm(spec: ClipSpec) -> Drive:
    """Ordinary driving: slow changes of speed, sometimes a vehicle ahead at a safe distance."""
    rng = np.random.default_rng([spec.seed, 1])
    times = clock(spec.duration_seconds)
    cruise = cruise_speed(spec, rng)
    ripple = smooth_noise(rng, len(times), low_hz=0.02, high_hz=0.08) * 0.03
    speed = cruise * (1.0 + ripple)
    along = travelled(speed)
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=cruise)
    if rng.random() < 0.7:
        actors.append(_car_ahead(rng, speed=speed, cruise=cruise))
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times)),
        speed=speed,
        braking=acceleration(speed),
        scenario=Scenario.NO_EVENT,
        curvature=curvature(rng, cruise),
        actors=tuple(actors),
    )


def _car_ahead(rng: np.random.Generator, *, speed: Series, cruise: float) -> Actor:
    headway = float(rng.uniform(1.6, 3.0))
    pace = speed * (1.0 + smooth_noise(rng, len(speed), low_hz=0.02, high_hz=0.06) * 0.015)
    return lane_actor(
        body=drawn_body(rng), look=int(rng.integers(LOOKS)), speed=pace, start_m=cruise * headway + 8.0, across_m=0.0
    )


def pothole(spec: ClipSpec) -> Drive:
    """A calm drive through a hole in the road: a hard shake and a thump, but no collision."""
    drive = calm(spec)
    rng = np.random.default_rng([spec.seed, 2])
    at = spec.event_at
    place = value_at(drive.times, drive.along, at) - 0.8  # the front wheels run 0.8 m behind the bumper
    depth = float(rng.uniform(0.5, 1.3))
    across = value_at(drive.times, drive.across, at) + float(rng.choice(np.array([-0.72, 0.72])))
    return replace(
        drive,
        impulses=(Impulse(at=at, upward=depth),),
        bangs=(Bang(at=at, loudness=0.12 + 0.14 * depth, deep=True),),
        potholes_m=((place, across),),
    )


def horn_only(spec: ClipSpec) -> Drive:
    """A calm drive in which somebody sounds the horn."""
    rng = np.random.default_rng([spec.seed, 2])
    return replace(calm(spec), horns=((spec.event_at, float(rng.uniform(0.5, 1.6))),))


def parked(spec: ClipSpec) -> Drive:
    """Standing at the kerb while traffic passes."""
    rng = np.random.default_rng([spec.seed, 1])
    times = clock(spec.duration_seconds)
    still = np.zeros(len(times))
    lane = layout_of(spec.surroundings)
    actors = parked_cars(rng, lane, count=len(times), reach_m=VIEW_M)
    actors += oncoming_traffic(rng, lane, times=times, reach_m=VIEW_M, speed_mps=11.0)
    kerb = max(lane.parking_m) if lane.parking_m else lane.right_edge_m + 0.4
    ahead = [
        actor for actor in actors if not (abs(float(actor.across[0]) - kerb) < 1.0 and float(actor.along[0]) < 5.5)
    ]
    return Drive(
        times=times,
        along=still,
        across=np.full(len(times), kerb),
        speed=still.copy(),
        braking=still.copy(),
        scenario=Scenario.NO_EVENT,
        actors=tuple(ahead),
    )


def door_slam(spec: ClipSpec) -> Drive:
    """Parked, and somebody slams a door: a small shake and a dull bang."""
    drive = parked(spec)
    at = spec.event_at
    return replace(drive, impulses=(Impulse(at=at, upward=0.25),), bangs=(Bang(at=at, loudness=0.3, deep=True),))
