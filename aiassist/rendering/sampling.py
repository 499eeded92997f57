"""Draws balanced sets of clip specs for training, calibration and test, from seeds that never mix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from aiassist.rendering.scenario import ClipKind, ClipSpec, Lighting, Surroundings
from aiassist.types import Severity

Drawn = TypeVar("Drawn")
Purpose = Literal["train", "calibrate", "test"]

SEEDS_PER_PURPOSE = 100_000_000
_FIRST_SEED: dict[Purpose, int] = {
    "train": 100_000_000,
    "calibrate": 200_000_000,
    "test": 300_000_000,
}  # below the first of them lie seeds written by hand; a splice adds 500,000,000 for its second drive

# Kinds without an impact on us, with their weights; traps are as common as calm drives so that they must be told apart.
_QUIET: dict[ClipKind, float] = {
    ClipKind.CALM: 5.0,
    ClipKind.NEAR_MISS: 4.0,
    ClipKind.THIRD_PARTY: 3.0,
    ClipKind.POTHOLE: 3.0,
    ClipKind.CUT_IN: 2.0,
    ClipKind.HORN_ONLY: 1.0,
    ClipKind.PARKED: 1.0,
    ClipKind.DOOR_SLAM: 1.0,
}
_STRIKES: dict[ClipKind, float] = {
    ClipKind.REAR_END: 5.0,
    ClipKind.REAR_ENDED: 3.0,
    ClipKind.SIDE_IMPACT: 2.0,
    ClipKind.CUT_IN: 1.0,
}
_EDITED: dict[ClipKind, float] = {ClipKind.CUT: 3.0, ClipKind.FROZEN: 2.0, ClipKind.LOOPED: 2.0}
_UNUSABLE: dict[ClipKind, float] = {ClipKind.BLACK: 1.0, ClipKind.TEST_CARD: 1.0}

# Delta-v in km/h by class; 2 km/h is about the smallest bump that is felt, 60 a very hard crash.
_DELTA_V: dict[Severity, tuple[float, float]] = {
    Severity.LOW: (2.0, 7.8),
    Severity.MEDIUM: (8.2, 24.6),
    Severity.HIGH: (25.4, 60.0),
}


@dataclass(frozen=True)
class Variety:
    """The settings a set varies over: picture sizes (width, height), frame rates, durations in seconds."""

    sizes: tuple[tuple[int, int], ...] = ((640, 360), (640, 360), (854, 480), (480, 270))
    frame_rates: tuple[int, ...] = (25, 25, 30, 20)
    durations: tuple[float, float] = (7.0, 12.0)
    silent_share: float = 0.25


STANDARD = Variety()


def sample_specs(
    purpose: Purpose, count: int, *, offset: int = 0, edited_share: float = 0.0, variety: Variety = STANDARD
) -> tuple[ClipSpec, ...]:
    """`count` specs whose severities take turns, so that every class is equally common.

    `offset` skips the first specs of the endless row: the same row always comes in the same order. `edited_share` of
    them are splices, frozen, looped, black or test-card clips (all severity NONE). Purposes draw from disjoint seeds.
    """
    return tuple(_spec(purpose, offset + index, edited_share, variety) for index in range(count))


def seed_range(purpose: Purpose) -> range:
    """All seeds a purpose may use."""
    first = _FIRST_SEED[purpose]
    return range(first, first + SEEDS_PER_PURPOSE)


def _spec(purpose: Purpose, index: int, edited_share: float, variety: Variety) -> ClipSpec:
    seed = _FIRST_SEED[purpose] + index
    rng = np.random.default_rng([seed, 21])
    if rng.random() < edited_share:
        kind = _pick(rng, _EDITED if rng.random() < 0.75 else _UNUSABLE)
        return _surround(rng, ClipSpec(kind, seed), variety)
    severity = tuple(Severity)[index % 4]
    if severity is Severity.NONE:
        return _surround(rng, ClipSpec(_pick(rng, _QUIET), seed), variety)
    low, high = _DELTA_V[severity]
    kind = _pick(rng, _STRIKES)
    return _surround(rng, ClipSpec(kind, seed, delta_v_kmh=float(rng.uniform(low, high))), variety)


def _surround(rng: np.random.Generator, spec: ClipSpec, variety: Variety) -> ClipSpec:
    """Draws everything about a clip that does not change what happens."""
    width, height = variety.sizes[int(rng.integers(len(variety.sizes)))]
    duration = float(rng.uniform(*variety.durations))
    return replace(
        spec,
        width=width,
        height=height,
        fps=variety.frame_rates[int(rng.integers(len(variety.frame_rates)))],
        duration_seconds=round(duration, 2),
        event_seconds=round(duration * float(rng.uniform(0.4, 0.75)), 3),
        sound=bool(rng.random() >= variety.silent_share),
        lighting=_pick(rng, {Lighting.DAY: 5.0, Lighting.DUSK: 1.5, Lighting.NIGHT: 1.5, Lighting.RAIN: 2.0}),
        surroundings=_place(rng, spec.kind),
        camera_height_m=round(float(rng.uniform(1.15, 1.65)), 3),
        focal_ratio=round(float(rng.uniform(0.5, 0.95)), 3),
        noise_level=round(float(rng.uniform(0.8, 4.0)), 2),
        shake=round(float(rng.uniform(0.5, 2.2)), 2),
        mirrored=bool(rng.random() < 0.3),
        caption="" if rng.random() < 0.6 else _stamp(rng),
    )


def _place(rng: np.random.Generator, kind: ClipKind) -> Surroundings:
    """A road on which this can happen: nobody crosses or parks on a motorway."""
    places = {Surroundings.RURAL: 2.0, Surroundings.SUBURB: 3.0, Surroundings.CITY: 3.0}
    if kind not in (ClipKind.THIRD_PARTY, ClipKind.SIDE_IMPACT, ClipKind.PARKED, ClipKind.DOOR_SLAM):
        places[Surroundings.MOTORWAY] = 2.0
    return _pick(rng, places)


def _stamp(rng: np.random.Generator) -> str:
    """A date and speed as cheap dashcams burn them in."""
    day, month, hour, minute = (int(rng.integers(low, high)) for low, high in ((1, 29), (1, 13), (6, 23), (0, 60)))
    return f"2025/{month:02d}/{day:02d} {hour:02d}:{minute:02d}  CAM{int(rng.integers(1, 9))}"


def _pick(rng: np.random.Generator, weights: dict[Drawn, float]) -> Drawn:
    shares = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(weights), p=shares / shares.sum()))]
