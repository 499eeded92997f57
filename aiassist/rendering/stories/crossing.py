"""Events with traffic from the side: a crash between others ahead, a side impact on us, somebody cutting in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiassist.rendering.drive import Bang, Drive, Impulse
from aiassist.rendering.kinematics import (
    KMH,
    PULSE_SECONDS,
    STEP_HZ,
    Series,
    acceleration,
    clock,
    smooth_step,
    speed_profile,
    stop_knots,
    travelled,
    value_at,
)
from aiassist.rendering.road import layout_of
from aiassist.rendering.scenario import ClipSpec, Surroundings
from aiassist.rendering.stories.following import bang_loudness, closing_speed, struck
from aiassist.rendering.stories.plain import backdrop, cruise_speed, wander
from aiassist.rendering.traffic import DIMENSIONS, LOOKS, Actor, Body, lane_actor
from aiassist.types import Scenario

SLIDE_MPS2 = 5.5  # locked or sideways tyres on asphalt (friction about 0.55)


@dataclass(frozen=True)
class Slide:
    """How a vehicle leaves a crash: velocity along and across in m/s and its spin in rad/s."""

    along: float
    across: float
    spin: float


def _slid(times: Series, at: float, velocity: float) -> Series:
    """The way covered after `at` by something that slides to a stop, as a signed distance."""
    since = np.maximum(times - at, 0.0)
    lasts = abs(velocity) / SLIDE_MPS2
    moving = np.minimum(since, lasts)
    return np.asarray(np.sign(velocity) * (abs(velocity) * moving - 0.5 * SLIDE_MPS2 * moving**2), dtype=np.float64)


def _after_crash(actor: Actor, times: Series, at: float, slide: Slide) -> Actor:
    """The same vehicle, thrown off its course at `at`."""
    hit = times >= at
    spun = np.maximum(times - at, 0.0)
    turned = slide.spin * 0.5 * (1.0 - np.exp(-spun / 0.5))
    return Actor(
        body=actor.body,
        look=actor.look,
        along=np.where(hit, value_at(times, actor.along, at) + _slid(times, at, slide.along), actor.along),
        across=np.where(hit, value_at(times, actor.across, at) + _slid(times, at, slide.across), actor.across),
        heading=np.where(hit, value_at(times, actor.heading, at) + turned, actor.heading),
        braking=actor.braking | hit,
    )


def _crosser(
    rng: np.random.Generator,
    *,
    times: Series,
    at: float,
    side: int,
    speed: float,
    along: float,
    front_across: float,
    body: Body,
) -> Actor:
    """A vehicle on the crossing road whose front reaches `front_across` at `at`; `side` 1 comes from the right."""
    centre = front_across + side * DIMENSIONS[body].length / 2
    count = len(times)
    return Actor(
        body=body,
        look=int(rng.integers(LOOKS)),
        along=np.full(count, along),
        across=centre - side * speed * (times - at),
        heading=np.full(count, -side * np.pi / 2),
        braking=np.zeros(count, dtype=np.bool_),
    )


def _open_road(spec: ClipSpec, actors: list[Actor], crossroad: float) -> tuple[Actor, ...]:
    """Leaves out what stands or drives in the way of the crossing."""
    return tuple(actor for actor in actors if not (np.abs(actor.along - crossroad) < 9.0).any())


def third_party(spec: ClipSpec) -> Drive:
    """A vehicle from a side road strikes the one ahead of us; the insured brakes and is not touched."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    cruise = min(cruise_speed(spec, rng), 13.5)
    side = int(rng.choice(np.array([-1, 1])))
    reaction, braking = float(rng.uniform(0.5, 1.0)), float(rng.uniform(3.0, 7.0))
    halt = cruise * reaction + cruise**2 / (2 * braking) + float(rng.uniform(4.0, 12.0))
    speed = speed_profile(
        times, [(at + reaction, cruise), *stop_knots(at=at + reaction, speed=cruise, deceleration=braking)]
    )
    along = travelled(speed)
    crossroad = value_at(times, along, at) + halt
    lead = lane_actor(
        body=Body.CAR,
        look=int(rng.integers(LOOKS)),
        speed=np.full(len(times), cruise),
        start_m=crossroad - cruise * at,
        across_m=0.0,
    )
    crossing = float(rng.uniform(7.0, 14.0))
    other = _crosser(
        rng,
        times=times,
        at=at,
        side=side,
        speed=crossing,
        along=crossroad + float(rng.uniform(-1.0, 1.0)),
        front_across=side * lead.size.width / 2,
        body=Body(rng.choice(np.array([Body.CAR, Body.SUV]))),
    )
    pushed = crossing * 0.5
    lead = _after_crash(lead, times, at, Slide(cruise * 0.55, -side * pushed, float(rng.uniform(-2.4, 2.4))))
    other = _after_crash(
        other, times, at, Slide(cruise * 0.4, -side * pushed * 0.8, side * float(rng.uniform(0.4, 1.6)))
    )
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=cruise, oncoming=False)
    loudness = 0.5 * bang_loudness(crossing * 3.6 * 0.5) * float(np.clip(12.0 / halt, 0.2, 1.0))
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times), 0.06),
        speed=speed,
        braking=acceleration(speed),
        scenario=Scenario.THIRD_PARTY,
        actors=(lead, other, *_open_road(spec, actors, crossroad)),
        bangs=(Bang(at=at + halt / 343.0, loudness=loudness),),
        crossroads_m=(crossroad,),
        third_party_impact_at=at,
    )


def side_impact(spec: ClipSpec) -> Drive:
    """A vehicle from a side road runs into our front corner at a crossing."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    delta_v = float(rng.uniform(5.0, 35.0)) if spec.delta_v_kmh is None else spec.delta_v_kmh
    body = Body.VAN if delta_v > 30.0 else Body(rng.choice(np.array([Body.CAR, Body.SUV])))
    side, angle = int(rng.choice(np.array([-1, 1]))), float(rng.uniform(0.35, 0.7))
    change = delta_v * KMH
    forward, sideways = -change * float(np.sin(angle)), -side * change * float(np.cos(angle))
    late = float(rng.uniform(0.15, 0.45))
    cruise = max(min(cruise_speed(spec, rng), 16.0), -forward + 6.0 * late + 1.0)
    before = speed_profile(times, [(at - late, cruise), (at, cruise - 6.0 * late)])
    speed, braking = struck(before, times, at=at, change=forward, braking=float(rng.uniform(5.0, 7.5)))
    along = travelled(speed)
    crossroad = value_at(times, along, at) - float(rng.uniform(0.1, 0.5))
    across = wander(rng, len(times), 0.04)
    across = across + _slid(times, at + PULSE_SECONDS / 2, sideways)
    mass = DIMENSIONS[body].mass_ratio
    crossing = max(abs(sideways) * (1.0 + 1.0 / mass) / 1.1, closing_speed(4.0, mass))
    contact = value_at(times, across, at) + side * 0.9
    other = _crosser(
        rng, times=times, at=at, side=side, speed=crossing, along=crossroad, front_across=contact, body=body
    )
    rest = Slide(
        max(cruise - 6.0 * late + forward, 0.0) * 0.8,
        -side * max(crossing - abs(sideways) / mass, 0.3) * 0.8,
        side * float(rng.uniform(0.2, 1.0)),
    )
    other = _after_crash(other, times, at, rest)
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=cruise, oncoming=False)
    return Drive(
        times=times,
        along=along,
        across=across,
        speed=speed,
        braking=braking,
        scenario=Scenario.SIDE_IMPACT,
        actors=(other, *_open_road(spec, actors, crossroad)),
        impulses=(Impulse(at=at, forward=forward, sideways=sideways),),
        bangs=(Bang(at=at, loudness=bang_loudness(delta_v)),),
        crossroads_m=(crossroad,),
        impact_at=at,
        horns=((at - 0.7, 0.6),) if at > 1.0 and rng.random() < 0.3 else (),
    )


def cut_in(spec: ClipSpec) -> Drive:
    """A slower vehicle changes into our lane just ahead; with a wanted delta-v we strike it, else we brake in time."""
    rng = np.random.default_rng([spec.seed, 1])
    at, times = spec.event_at, clock(spec.duration_seconds)
    delta_v = spec.delta_v_kmh or 0.0
    body = Body(rng.choice(np.array([Body.CAR, Body.SUV, Body.VAN])))
    mass = DIMENSIONS[body].mass_ratio
    start_across = _lane_beside(spec, rng)
    usual = cruise_speed(spec, rng)
    braking, lasts = float(rng.uniform(4.5, 7.5)), float(rng.uniform(0.5, 1.0))
    closing = closing_speed(delta_v, mass) if delta_v else 0.0
    slower = max(usual - closing - braking * lasts, 3.0)
    own = speed_profile(times, [(at - lasts, slower + closing + braking * lasts), (at, slower + closing)])
    change = delta_v * KMH
    if delta_v:
        own, felt = struck(own, times, at=at, change=-change, braking=6.0)
        other, _ = struck(np.full(len(times), slower), times, at=at, change=change / mass, braking=4.5)
        left = 0.0
    else:
        felt, other, left = acceleration(own), np.full(len(times), slower), float(rng.uniform(1.2, 3.5))
    along = travelled(own)
    half = DIMENSIONS[body].length / 2
    place = value_at(times, along, at) + left + half + travelled(other) - value_at(times, travelled(other), at)
    moved = smooth_step(times, start=at - float(rng.uniform(2.0, 2.8)), end=at - 0.15)
    across = start_across * (1.0 - moved)
    intruder = Actor(
        body=body,
        look=int(rng.integers(LOOKS)),
        along=place,
        across=across,
        heading=np.arctan2(np.gradient(across) * STEP_HZ, np.maximum(other, 3.0)),
        braking=times > at - 0.3,
    )
    actors = backdrop(spec, rng, times=times, along=along, speed_mps=usual, keep_free=start_across)
    actors = [actor for actor in actors if not _in_the_way(actor, intruder)]
    return Drive(
        times=times,
        along=along,
        across=wander(rng, len(times), 0.05),
        speed=own,
        braking=felt,
        scenario=Scenario.CUT_IN,
        actors=(intruder, *actors),
        impulses=(Impulse(at=at, forward=-change),) if delta_v else (),
        bangs=(Bang(at=at, loudness=bang_loudness(delta_v)),) if delta_v else (),
        horns=((at - 0.5, float(rng.uniform(0.5, 1.2))),) if at > 0.6 and rng.random() < 0.5 else (),
        impact_at=at if delta_v else None,
    )


def _lane_beside(spec: ClipSpec, rng: np.random.Generator) -> float:
    """Where the intruder comes from: a lane of our direction, or the kerb where there is none."""
    layout = layout_of(spec.surroundings)
    beside = [lane.across_m for lane in layout.neighbours(1)]
    if beside:
        return float(rng.choice(np.array(beside)))
    return 2.9 if spec.surroundings is Surroundings.SUBURB else 3.2


def _in_the_way(actor: Actor, intruder: Actor) -> bool:
    """Whether a vehicle would touch the intruder on its way."""
    near = np.abs(actor.along - intruder.along) < (actor.size.length + intruder.size.length) / 2 + 1.0
    return bool((near & (np.abs(actor.across - intruder.across) < 2.0)).any())
