"""Drives behind another vehicle: the insured strikes it, nearly strikes it, or is struck from behind.

Each drive is laid out backwards from its event, so that the impact comes at the wanted time with the wanted change
of speed: closing speed = delta-v · (1 + m_own/m_other) / (1 + restitution), from conservation of momentum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiassist.rendering.drive import Bang, Drive, Impulse
from aiassist.rendering.kinematics import (
    KMH,
    PULSE_SECONDS,
    Series,
    acceleration,
    clock,
    pulse,
    speed_profile,
    travelled,
    value_at,
)
from aiassist.rendering.scenario import ClipSpec
from aiassist.rendering.stories.plain import backdrop, cruise_speed, curvature, wander
from aiassist.rendering.traffic import DIMENSIONS, LOOKS, Actor, Body, drawn_body, lane_actor
from aiassist.types import Scenario

SKID_FROM_MPS2 = 6.5  # tyres begin to squeal near the limit of grip (about 0.8 g on dry asphalt)
SLOW_CLOSING_MPS = 4.0  # closing speed of a delta-v of about 8 km/h between like cars


@dataclass(frozen=True)
class Approach:
    """How two vehicles come together: the other's speed at the event, its braking, a standstill before it, and the
    own late braking. Speeds in m/s, decelerations in m/s², durations in seconds."""

    other_speed: float
    other_braking: float
    standstill: float
    own_braking: float
    own_braking_for: float
    closing: float

    @property
    def own_speed(self) -> float:
        return self.other_speed + self.closing

    @property
    def cruise(self) -> float:
        return self.own_speed + self.own_braking * self.own_braking_for

    def own_profile(self, times: Series, at: float) -> Series:
        return speed_profile(times, [(at - self.own_braking_for, self.cruise), (at, self.own_speed)])

    def other_profile(self, times: Series, at: float) -> Series:
        slowing = (self.cruise - self.other_speed) / self.other_braking
        end = at - self.standstill
        return speed_profile(times, [(end - slowing, self.cruise), (end, self.other_speed)])


def restitution(delta_v_kmh: float) -> float:
    """Share of the closing speed left after the impact; it falls as crush grows (0.3 in bumps, 0.05 in crashes)."""
    return float(np.clip(0.32 - 0.011 * delta_v_kmh, 0.05, 0.30))


def closing_speed(delta_v_kmh: float, mass_ratio: float) -> float:
    """The closing speed in m/s that changes the own speed by delta-v against a body of that relative mass."""
    return delta_v_kmh * KMH * (1.0 + 1.0 / mass_ratio) / (1.0 + restitution(delta_v_kmh))


def struck(before: Series, times: Series, *, at: float, change: float, braking: float) -> tuple[Series, Series]:
    """Speed through an impact and its part without the impact's own push: then braking to a stand."""
    own = value_at(times, before, at)
    after = np.maximum(own + change - braking * np.maximum(times - at - PULSE_SECONDS, 0.0), 0.0)
    pushed = own + np.cumsum(pulse(times, at=at, change=change)) / 200.0
    speed = np.where(times < at, before, np.where(times < at + PULSE_SECONDS, pushed, after))
    quiet = np.where(times < at, acceleration(before), np.where(after > 0, -braking, 0.0))
    in_pulse = (times >= at - 0.01) & (times < at + PULSE_SECONDS)
    return np.maximum(speed, 0.0), np.where(in_pulse, value_at(times, quiet, at - 0.02), quiet)


def drawn_approach(spec: ClipSpec, rng: np.random.Generator, *, closing: float) -> Approach:
    """The most natural of many drawn approaches: near the usual speed, with a real gap before the other brakes."""
    usual = cruise_speed(spec, rng)
    if closing < SLOW_CLOSING_MPS and spec.speed_kmh is None and rng.random() < 0.6:
        usual *= 0.35  # most bumps happen in queues and car parks
    drawn = [_draw(rng, closing) for _ in range(120)]
    return min(drawn, key=lambda approach: _oddness(approach, usual, spec.event_at))


def _draw(rng: np.random.Generator, closing: float) -> Approach:
    stopped = bool(rng.random() < 0.6)
    return Approach(
        other_speed=0.0 if stopped else float(rng.uniform(1.0, 14.0)),
        other_braking=float(rng.uniform(3.0, 8.0)),
        standstill=float(rng.uniform(0.1, 3.5)) if stopped else 0.0,
        own_braking=float(rng.uniform(4.5, 8.5)),
        own_braking_for=float(rng.uniform(0.0, 1.4)),
        closing=closing,
    )


def start_gap(approach: Approach, at: float, closest: float = 0.0) -> float:
    """The gap while both still drive at cruising speed."""
    times = np.arange(0.0, 12.0, 0.01)
    difference = approach.own_profile(times, 12.0) - approach.other_profile(times, 12.0)
    return closest + float(difference.sum()) * 0.01


def _oddness(approach: Approach, usual: float, at: float) -> float:
    gap = start_gap(approach, at)
    headway = gap / max(approach.cruise, 1.0)
    wanted = 5.0 + 0.9 * approach.cruise
    return (
        abs(approach.cruise - usual) / 4.0
        + abs(gap - wanted) / 8.0
        + (20.0 if gap < 3.0 else 0.0)
        + (4.0 if headway < 0.45 else 0.0)
        + (30.0 if approach.cruise > 42.0 else 0.0)
        + (0.5 if approach.own_braking_for < 0.15 else 0.0)
    )


def struck_body(rng: np.random.Generator, delta_v_kmh: float) -> Body:
    """Who is struck: a large change of speed takes a heavy vehicle or a very fast approach."""
    if delta_v_kmh > 33.0:
        return Body(rng.choice(np.array([Body.TRUCK, Body.VAN]), p=[0.75, 0.25]))
    return drawn_body(rng)


def rear_end(spec: ClipSpec) -> Drive:
    """The vehicle ahead brakes, the insured brakes too late and strikes it."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    delta_v = float(rng.uniform(4.0, 45.0)) if spec.delta_v_kmh is None else spec.delta_v_kmh
    body = struck_body(rng, delta_v)
    mass = DIMENSIONS[body].mass_ratio
    approach = drawn_approach(spec, rng, closing=closing_speed(delta_v, mass))
    change = delta_v * KMH
    own_braking = float(rng.uniform(5.5, 8.0))
    speed, braking = struck(approach.own_profile(times, at), times, at=at, change=-change, braking=own_braking)
    other, _ = struck(
        approach.other_profile(times, at),
        times,
        at=at,
        change=change / mass,
        braking=own_braking * float(rng.uniform(0.6, 0.95)),
    )
    along = travelled(speed)
    lead = _ahead(rng, body, other, times=times, along=along, at=at, gap=0.0)
    skids = [(at - approach.own_braking_for, at)] if _squeals(approach.own_braking, approach.own_braking_for) else []
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=approach.cruise)
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times), 0.06),
        speed=speed,
        braking=braking,
        scenario=Scenario.REAR_END,
        curvature=curvature(rng, approach.cruise),
        actors=(lead, *actors),
        impulses=(Impulse(at=at, forward=-change, sideways=0.0),),
        bangs=(Bang(at=at, loudness=bang_loudness(delta_v)),),
        skids=tuple(skids),
        horns=_maybe_horn(rng, at - 0.9, share=0.25),
        impact_at=at,
    )


def near_miss(spec: ClipSpec) -> Drive:
    """The vehicle ahead brakes hard and the insured stops just short of it."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    left = float(rng.uniform(0.5, 2.6))
    usual = cruise_speed(spec, rng)
    approach = _near_approach(rng, usual, spec.event_at)
    speed = approach.own_profile(times, at)
    along = travelled(speed)
    lead = _ahead(rng, drawn_body(rng), approach.other_profile(times, at), times=times, along=along, at=at, gap=left)
    skids = [(at - approach.own_braking_for, at - 0.1)] if approach.own_braking >= SKID_FROM_MPS2 else []
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times), 0.06),
        speed=speed,
        braking=acceleration(speed),
        scenario=Scenario.NEAR_MISS,
        curvature=curvature(rng, usual),
        actors=(lead, *backdrop(spec, rng, times=times, along=along, speed_mps=usual)),
        skids=tuple(skids),
        horns=_maybe_horn(rng, at - 0.6, share=0.5),
    )


def _near_approach(rng: np.random.Generator, usual: float, at: float) -> Approach:
    """Both come to the same speed at the closest moment; the own braking is the harder one."""
    braking = float(rng.uniform(6.8, 8.8))
    stopped = bool(rng.random() < 0.6)
    final = 0.0 if stopped else usual * float(rng.uniform(0.2, 0.5))
    lasts = min((usual - final) / braking, max(at - 1.0, 0.5))
    return Approach(
        other_speed=final,
        other_braking=float(rng.uniform(5.0, 6.5)),
        standstill=float(rng.uniform(0.3, 1.0)) if stopped else float(rng.uniform(0.1, 0.4)),
        own_braking=braking,
        own_braking_for=lasts,
        closing=0.0,
    )


def rear_ended(spec: ClipSpec) -> Drive:
    """The insured stands or crawls in a queue and is struck from behind."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    delta_v = float(rng.uniform(4.0, 35.0)) if spec.delta_v_kmh is None else spec.delta_v_kmh
    change = delta_v * KMH
    before = _into_queue(spec, rng, times, at)
    own_braking = float(rng.uniform(5.0, 7.0))
    speed, braking = struck(before, times, at=at, change=change, braking=own_braking)
    along = travelled(speed)
    final = value_at(times, before, at) + change
    room = final**2 / (2 * own_braking) + final * PULSE_SECONDS + float(rng.uniform(1.2, 4.0))
    lead_speed = np.where(times < at, before, np.minimum(value_at(times, before, at), before))
    lead = _ahead(rng, drawn_body(rng), lead_speed, times=times, along=along, at=at, gap=room)
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=max(float(before[0]), 8.0))
    skids = [(at - 0.8, at)] if rng.random() < 0.5 else []
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times), 0.05),
        speed=speed,
        braking=braking,
        scenario=Scenario.REAR_ENDED,
        curvature=curvature(rng, 12.0),
        actors=(lead, *actors),
        impulses=(Impulse(at=at, forward=change),),
        bangs=(Bang(at=at, loudness=bang_loudness(delta_v)),),
        skids=tuple(skids),
        horns=_maybe_horn(rng, at - 1.0, share=0.2),
        impact_at=at,
    )


def _into_queue(spec: ClipSpec, rng: np.random.Generator, times: Series, at: float) -> Series:
    """Own speed before being struck: slowing into a queue and standing, or crawling along."""
    if rng.random() < 0.25:
        return np.full(len(times), float(rng.uniform(2.0, 6.0)))
    wait = float(rng.uniform(0.4, 2.0))
    braking = float(rng.uniform(1.8, 3.2))
    cruise = min(cruise_speed(spec, rng), 15.0)
    stop = max(at - wait, 0.3)
    return speed_profile(times, [(stop - cruise / braking, cruise), (stop, 0.0)])


def _ahead(
    rng: np.random.Generator, body: Body, speed: Series, *, times: Series, along: Series, at: float, gap: float
) -> Actor:
    """A vehicle in our lane whose rear is `gap` metres before our front at `at`."""
    half = DIMENSIONS[body].length / 2
    start = value_at(times, along, at) + gap + half - value_at(times, travelled(speed), at)
    across = float(rng.normal(0.0, 0.12))
    return lane_actor(body=body, look=int(rng.integers(LOOKS)), speed=speed, start_m=start, across_m=across, lamps=True)


def bang_loudness(delta_v_kmh: float) -> float:
    """Louder with delta-v, but less than in proportion: cabin microphones compress."""
    return float(np.clip((delta_v_kmh / 30.0) ** 0.6, 0.15, 1.6))


def _squeals(braking: float, lasts: float) -> bool:
    return braking >= SKID_FROM_MPS2 and lasts >= 0.25


def _maybe_horn(rng: np.random.Generator, at: float, *, share: float) -> tuple[tuple[float, float], ...]:
    if at <= 0.1 or rng.random() >= share:
        return ()
    return ((at, float(rng.uniform(0.4, 1.2))),)
