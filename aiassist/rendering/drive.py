"""One simulated drive: the insured vehicle's motion, everyone else's, what is heard, and the truth measured from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aiassist.rendering.kinematics import Series, acceleration
from aiassist.rendering.scenario import ClipSpec, Truth, severity_of
from aiassist.rendering.traffic import EGO_WIDTH_M, Actor
from aiassist.types import Scenario

# Harsh braking in fleet telematics starts at 0.35-0.45 g; below that is ordinary driving.
HARD_BRAKE_MPS2 = 4.0


@dataclass(frozen=True)
class Impulse:
    """A sudden change of the own motion in m/s. `upward` is a blow from the road or a door, no collision."""

    at: float
    forward: float = 0.0
    sideways: float = 0.0
    upward: float = 0.0


@dataclass(frozen=True)
class Bang:
    """A short loud noise; `loudness` 1 is an impact with a delta-v of 30 km/h on us, `deep` a thump without metal."""

    at: float
    loudness: float
    deep: bool = False


@dataclass(frozen=True)
class Drive:
    """Everything that moves and sounds. `along` is the own front bumper; `braking` the own speed change in m/s²
    without impacts; crossroads and potholes are places on the road."""

    times: Series
    along: Series
    across: Series
    speed: Series
    braking: Series
    scenario: Scenario
    curvature: float = 0.0
    actors: tuple[Actor, ...] = ()
    impulses: tuple[Impulse, ...] = ()
    bangs: tuple[Bang, ...] = ()
    horns: tuple[tuple[float, float], ...] = ()
    skids: tuple[tuple[float, float], ...] = ()
    crossroads_m: tuple[float, ...] = ()
    potholes_m: tuple[tuple[float, float], ...] = ()
    impact_at: float | None = None
    third_party_impact_at: float | None = None

    @property
    def delta_v_kmh(self) -> float:
        """The vector sum of what the impacts did to the own speed."""
        forward = sum(blow.forward for blow in self.impulses)
        sideways = sum(blow.sideways for blow in self.impulses)
        return float(np.hypot(forward, sideways)) * 3.6


def path_gap(drive: Drive, actor: Actor) -> Series:
    """Distance from the own front to a vehicle in metres; NaN while it is not in the own path or lies behind."""
    half_along, half_across = actor.half_extents()
    beside = np.abs(actor.across - drive.across) > half_across + EGO_WIDTH_M / 2 - 0.1
    gap = actor.along - half_along - drive.along
    passed = actor.along < drive.along - 0.5
    return np.where(beside | passed, np.nan, gap)


def _closest(drive: Drive, until: float, frames_end: float) -> tuple[float | None, float | None, float | None]:
    """Smallest gap, when, and smallest time to contact up to `until` over every vehicle in the path."""
    best: tuple[float, float] | None = None
    shortest: float | None = None
    seen = drive.times < frames_end
    for actor in drive.actors:
        gap = np.where(seen, path_gap(drive, actor), np.nan)
        if not np.isfinite(gap).any():
            continue
        touching = gap <= 0.0
        place = int(np.argmax(touching)) if touching.any() else int(np.nanargmin(gap))
        if best is None or gap[place] < best[0]:
            best = (float(gap[place]), float(drive.times[place]))
        if touching[drive.times <= until + 1e-6].any():
            shortest = 0.0
            continue
        closing = -np.gradient(gap, drive.times)
        with np.errstate(divide="ignore", invalid="ignore"):
            seconds = np.where((closing > 0.3) & (drive.times < until) & (gap > 0.05), gap / closing, np.nan)
        if np.isfinite(seconds).any():
            value = float(np.nanmin(seconds))
            shortest = value if shortest is None else min(shortest, value)
    if best is None:
        return None, None, None
    return max(best[0], 0.0), best[1], shortest


def hard_brake_onsets(drive: Drive, frames_end: float) -> tuple[float, ...]:
    """When the own braking passes the harsh limit; lapses under half a second do not start a new one."""
    hard = (drive.braking <= -HARD_BRAKE_MPS2) & (drive.times < frames_end)
    starts = drive.times[1:][hard[1:] & ~hard[:-1]]
    onsets: list[float] = [float(drive.times[0])] if hard[0] else []
    for start in starts:
        if not onsets or float(start) - onsets[-1] > 0.5:
            onsets.append(float(start))
    return tuple(round(at, 3) for at in onsets)


def truth_of_drive(drive: Drive, spec: ClipSpec) -> Truth:
    """The truth of a drive that is shown uncut from its first moment."""
    end = spec.frame_count / spec.fps
    until = end if drive.impact_at is None else drive.impact_at
    distance, when, contact = _closest(drive, until, end)
    if drive.impact_at is not None and drive.scenario is not Scenario.REAR_ENDED:
        distance, when = 0.0, drive.impact_at
    delta_v = drive.delta_v_kmh if drive.impact_at is not None else 0.0
    return Truth(
        kind=spec.kind,
        scenario=drive.scenario,
        severity=severity_of(delta_v_kmh=delta_v, impact=drive.impact_at is not None),
        duration_seconds=end,
        has_sound=spec.sound,
        impact_seconds=drive.impact_at,
        delta_v_kmh=delta_v,
        third_party_impact_seconds=drive.third_party_impact_at,
        closest_distance_m=distance,
        closest_seconds=when,
        minimum_time_to_contact_seconds=contact,
        hard_brake_seconds=hard_brake_onsets(drive, end),
        horn_seconds=tuple(at for at, _ in drive.horns) if spec.sound else (),
        skid_seconds=tuple(at for at, _ in drive.skids) if spec.sound else (),
        jolt_seconds=tuple(blow.at for blow in drive.impulses if blow.upward),
    )


def with_actors(drive: Drive, actors: list[Actor]) -> Drive:
    return replace(drive, actors=drive.actors + tuple(actors))


def braking_of(speed: Series) -> Series:
    return acceleration(speed)
