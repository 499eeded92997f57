"""What a rendered clip should show (ClipSpec) and what exactly happens in it (Truth).

The renderer is the project's own source of exact truth: the same spec gives the same bytes on every run, and the
truth comes from the simulated physics, never from looking at the picture. Knows no Django.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aiassist.types import Scenario, Severity

# Severity is a convention by the insured vehicle's change of speed at impact; belted airbags fire at about 25 km/h.
MEDIUM_FROM_KMH = 8.0
HIGH_ABOVE_KMH = 25.0


class ClipKind(StrEnum):
    """What happens in a clip. Everything from CUT on is an edit or no drive at all."""

    CALM = "CALM"
    REAR_END = "REAR_END"
    REAR_ENDED = "REAR_ENDED"
    NEAR_MISS = "NEAR_MISS"
    THIRD_PARTY = "THIRD_PARTY"
    SIDE_IMPACT = "SIDE_IMPACT"
    CUT_IN = "CUT_IN"
    POTHOLE = "POTHOLE"
    HORN_ONLY = "HORN_ONLY"
    PARKED = "PARKED"
    DOOR_SLAM = "DOOR_SLAM"
    CUT = "CUT"
    FROZEN = "FROZEN"
    LOOPED = "LOOPED"
    BLACK = "BLACK"
    TEST_CARD = "TEST_CARD"


class Lighting(StrEnum):
    DAY = "DAY"
    DUSK = "DUSK"
    NIGHT = "NIGHT"
    RAIN = "RAIN"


class Surroundings(StrEnum):
    RURAL = "RURAL"
    SUBURB = "SUBURB"
    CITY = "CITY"
    MOTORWAY = "MOTORWAY"


@dataclass(frozen=True)
class ClipSpec:
    """Everything a clip is made from; None means "drawn from the seed".

    `delta_v_kmh` is the wanted change of the insured vehicle's speed at impact, `event_seconds` the moment of the
    event (impact, closest approach, pothole, splice), `focal_ratio` the focal length over the picture's width,
    `noise_level` the sensor noise in grey levels, `shake` scales the vibration of ordinary driving, `caption` is
    burnt into the picture, `mirrored` flips it left to right.
    """

    kind: ClipKind
    seed: int
    width: int = 640
    height: int = 360
    fps: int = 25
    duration_seconds: float = 10.0
    sound: bool = True
    lighting: Lighting = Lighting.DAY
    surroundings: Surroundings = Surroundings.SUBURB
    speed_kmh: float | None = None
    delta_v_kmh: float | None = None
    event_seconds: float | None = None
    camera_height_m: float = 1.3
    focal_ratio: float = 0.7
    noise_level: float = 2.0
    shake: float = 1.0
    caption: str = ""
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or not (64 <= self.width <= 3840 and 64 <= self.height <= 2160):
            raise ValueError("width and height must be even, 64 to 3840 by 64 to 2160")
        if not 5 <= self.fps <= 60 or not 1.0 <= self.duration_seconds <= 900.0:
            raise ValueError("fps must be 5 to 60 and the duration 1 to 900 seconds")
        if self.seed < 0:
            raise ValueError("the seed must not be negative")

    @property
    def frame_count(self) -> int:
        return max(1, round(self.duration_seconds * self.fps))

    @property
    def event_at(self) -> float:
        """When the event happens; by default at six tenths of the clip."""
        return self.duration_seconds * 0.6 if self.event_seconds is None else self.event_seconds


@dataclass(frozen=True)
class Truth:
    """What exactly happens in a clip. Times count in seconds from the first frame of the finished clip.

    `delta_v_kmh` is the insured vehicle's change of speed (0 without an impact on it), `closest_distance_m` the
    smallest gap between the own front and a vehicle in its path, `minimum_time_to_contact_seconds` the smallest gap
    over closing speed before any contact (0 at one); None where no vehicle is in the path or the clip is edited.
    `jolt_seconds` are shakes of the camera that are no collision (pothole, slammed door).
    """

    kind: ClipKind
    scenario: Scenario
    severity: Severity
    duration_seconds: float
    has_sound: bool
    impact_seconds: float | None = None
    delta_v_kmh: float = 0.0
    third_party_impact_seconds: float | None = None
    closest_distance_m: float | None = None
    closest_seconds: float | None = None
    minimum_time_to_contact_seconds: float | None = None
    hard_brake_seconds: tuple[float, ...] = ()
    horn_seconds: tuple[float, ...] = ()
    skid_seconds: tuple[float, ...] = ()
    jolt_seconds: tuple[float, ...] = ()
    cuts_seconds: tuple[float, ...] = ()
    frozen_seconds: tuple[tuple[float, float], ...] = ()
    looped_seconds: tuple[tuple[float, float], ...] = ()


def severity_of(*, delta_v_kmh: float, impact: bool) -> Severity:
    """The severity that the delta-v convention gives."""
    if not impact:
        return Severity.NONE
    if delta_v_kmh < MEDIUM_FROM_KMH:
        return Severity.LOW
    return Severity.MEDIUM if delta_v_kmh <= HIGH_ABOVE_KMH else Severity.HIGH
