"""The words the opinion engine speaks: what goes in (Dossier), what is measured, what comes out (Opinion).

Frozen values only. Units stand in the names; times count in seconds from the first frame. Nothing here knows a
claim row, a tenant table or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

SCORECARD_VERSION = "scorecard-2"  # 2: links between claims joined the signs of manipulation


class Severity(StrEnum):
    """The insured vehicle's severity by its change of speed at impact; the order is the order of harm."""

    NONE = "NONE"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Outcome(StrEnum):
    ASSESSED = "ASSESSED"
    NOT_ASSESSABLE = "NOT_ASSESSABLE"


class Stage(StrEnum):
    """Pipeline stages, in the order in which a claim passes them."""

    LOAD = "LOAD"
    MINING = "MINING"
    VISION = "VISION"
    FAULT = "FAULT"
    FRAUD = "FRAUD"
    CONFORMAL = "CONFORMAL"
    STORE = "STORE"


class EvidenceStage(StrEnum):
    """Which measurement stands behind an evidence item."""

    INTEGRITY = "INTEGRITY"
    AUDIO = "AUDIO"
    MOTION = "MOTION"
    PROXIMITY = "PROXIMITY"
    TELEMETRY = "TELEMETRY"
    VISION = "VISION"
    FRAUD = "FRAUD"


class HazardKind(StrEnum):
    IMPACT = "IMPACT"
    IMPACT_THIRD_PARTY = "IMPACT_THIRD_PARTY"
    HARD_BRAKE = "HARD_BRAKE"
    NEAR_MISS = "NEAR_MISS"
    HORN = "HORN"
    SKID = "SKID"
    POTHOLE = "POTHOLE"
    AUDIO_BANG = "AUDIO_BANG"


class Scenario(StrEnum):
    REAR_END = "REAR_END"
    REAR_ENDED = "REAR_ENDED"
    SIDE_IMPACT = "SIDE_IMPACT"
    CUT_IN = "CUT_IN"
    LANE_CHANGE = "LANE_CHANGE"
    HEAD_ON = "HEAD_ON"
    SINGLE_VEHICLE = "SINGLE_VEHICLE"
    THIRD_PARTY = "THIRD_PARTY"
    NEAR_MISS = "NEAR_MISS"
    NO_EVENT = "NO_EVENT"
    UNKNOWN = "UNKNOWN"


class IntegrityCode(StrEnum):
    """Signs of manipulation or of a view that is no dashcam view; also the codes of fraud indicators."""

    EDIT_CUT = "edit_cut"
    FROZEN_FRAMES = "frozen_frames"
    LOOPED_SEGMENT = "looped_segment"
    STATIC_BLACK = "static_black"
    TEST_BARS = "test_bars"
    NOT_DASHCAM = "not_dashcam"
    REENCODED = "reencoded"
    TIMESTAMP_GAP = "timestamp_gap"
    DUPLICATE_VIDEO = "duplicate_video"
    NEAR_DUPLICATE_VIDEO = "near_duplicate_video"
    METADATA_MISMATCH = "metadata_mismatch"


class LinkKind(StrEnum):
    """What two claims of one tenant can have in common beside the video; the order is that of their weight."""

    ACCOUNT = "ACCOUNT"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    PLATE = "PLATE"


class LinkRelation(StrEnum):
    """Whose the other claim is: the same claimant's by name, another person's, or nobody told."""

    OWN = "OWN"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class FraudSource(StrEnum):
    """What a fraud score rests on: points set by hand, or also a model of the tenant's own decided history."""

    SCORECARD = "scorecard"
    TENANT_MODEL = "tenant_model"


@dataclass(frozen=True)
class Signal:
    """One measured quantity over time, evenly sampled, compact enough to draw (at most 2,000 values)."""

    name: str
    unit: str
    start_seconds: float
    step_seconds: float
    values: tuple[float, ...]
    threshold: float | None = None


@dataclass(frozen=True)
class Hazard:
    """Something dangerous that was seen or heard. `score` is 0–1; `source` is the measuring stage in lower case."""

    kind: HazardKind
    start_seconds: float
    end_seconds: float
    score: float
    source: str
    peak_seconds: float | None = None


@dataclass(frozen=True)
class Finding:
    """One evidence item: a raw value against a threshold in a time range; measuring the window again gives it again.

    `keyframe_jpeg` is an annotated picture at `at_seconds`, where the stage has one to show.
    """

    kind: str
    stage: EvidenceStage
    measure: str
    value: float
    threshold: float
    start_seconds: float
    end_seconds: float
    at_seconds: float
    keyframe_jpeg: bytes | None = None


@dataclass(frozen=True)
class IntegrityFlag:
    """A coded sign of manipulation with its time range (None where it concerns the whole file)."""

    code: IntegrityCode
    detail: str
    value: float
    threshold: float
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True)
class VideoFacts:
    """What the container and the decoder say about the file."""

    container: str
    codec: str
    width_px: int
    height_px: int
    duration_seconds: float
    frames_decoded: int
    mean_fps: float
    variable_frame_rate: bool
    has_audio: bool
    decode_errors: int
    perceptual_hashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Telemetry:
    """What the camera's own sensors recorded; None where the file has no such sensor. Positions stay in the file.

    `delta_v_kmh` is the change of speed in the hardest blow at `delta_v_seconds`, with the error that the sensor's
    sampling leaves; it outranks what pictures say. `recorded_unix_seconds` is the satellites' time of picture one.
    """

    fixes: int
    acceleration_samples: int
    largest_speed_kmh: float | None = None
    peak_acceleration_g: float | None = None
    delta_v_kmh: float | None = None
    delta_v_error_kmh: float | None = None
    delta_v_seconds: float | None = None
    recorded_unix_seconds: float | None = None


@dataclass(frozen=True)
class Measurements:
    """Everything one pass over the video measured; the only input of severity, fault and fraud.

    `features` are named scalars (unit in the name) that the severity model reads. `not_assessable_reason` is the
    integrity code that makes a judgement impossible (black, test card, no dashcam view), else None. `degraded` names
    the measurements that could not be made (for example ``detector_weights``, ``audio_track``).
    """

    facts: VideoFacts
    signals: tuple[Signal, ...]
    findings: tuple[Finding, ...]
    hazards: tuple[Hazard, ...]
    integrity: tuple[IntegrityFlag, ...]
    features: Mapping[str, float]
    not_assessable_reason: IntegrityCode | None
    degraded: tuple[str, ...]
    keyframes: tuple[Keyframe, ...] = ()
    telemetry: Telemetry | None = None


@dataclass(frozen=True)
class Keyframe:
    """A clean picture (no annotations) for the vision model."""

    at_seconds: float
    jpeg: bytes


@dataclass(frozen=True)
class KnownCopy:
    """Another claim of the same tenant that carries the same or nearly the same video; computed by the caller.

    `distance` of the hashes (0 for the same bytes) against `threshold`, the largest that counts as a copy.
    """

    code: IntegrityCode
    claim_number: str
    distance: float
    threshold: float = 0.0


@dataclass(frozen=True)
class ClaimLink:
    """Another claim of the same tenant that shares an identifier; computed by the caller, who alone sees the values.

    `common` says that more claims share it than were looked at.
    """

    kind: LinkKind
    relation: LinkRelation
    claim_number: str
    common: bool = False


# Values about how a claim came about, by name (units in the names); None where they cannot be known.
Circumstances = Mapping[str, float | str | None]


@dataclass(frozen=True)
class Dossier:
    """Everything the engine may see of one claim: the one door through which data leaves for a model.

    `description` is hostile text: it reaches a model only inside a data block. `jurisdiction` is an ISO 3166 code of
    the place of loss, or None. `external_providers_allowed` is the tenant's switch "no data leaves".
    """

    reference: str
    tenant_id: str
    video_path: Path
    sha256: str
    description: str
    jurisdiction: str | None
    loss_at: datetime | None
    external_providers_allowed: bool
    known_copies: tuple[KnownCopy, ...] = ()
    links: tuple[ClaimLink, ...] = ()
    circumstances: Circumstances = field(default_factory=dict)


@dataclass(frozen=True)
class SeverityOpinion:
    """Label (None when not assessable), class probabilities, and the conformal prediction set over the four labels.

    `model_probabilities` are the pictures' alone, which the set is calibrated on, also where the camera's own sensor
    outranks them in `probabilities`.
    """

    label: Severity | None
    confidence: float
    probabilities: Mapping[Severity, float]
    prediction_set: tuple[Severity, ...]
    coverage_target: float
    calibrated: bool
    calibration_source: str
    model_version: str
    model_probabilities: Mapping[Severity, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FaultRule:
    """One applied rule: its code, how many percentage points it moved the share, and where it is written."""

    code: str
    effect_pct: float
    source: str


@dataclass(frozen=True)
class FaultOpinion:
    """The insured driver's share in percent (0–100) with an interval that missing evidence widens."""

    ratio_pct: float
    low_pct: float
    high_pct: float
    scenario: Scenario
    rules: tuple[FaultRule, ...]


@dataclass(frozen=True)
class FraudIndicator:
    code: str
    weight: float
    detail: str


@dataclass(frozen=True)
class FraudOpinion:
    """A risk score 0–1 and the coded indicators it was made from.

    `model` is the version of what made it: the scorecard's, or the tenant's own model's beside it. `circumstances` are
    the values that such a model sees, whether or not there is one yet.
    """

    score: float
    indicators: tuple[FraudIndicator, ...]
    source: FraudSource = FraudSource.SCORECARD
    model: str = SCORECARD_VERSION
    circumstances: Circumstances = field(default_factory=dict)


@dataclass(frozen=True)
class ProviderUse:
    """Who served the vision stage. `name` is ``rules`` when no vision model took part."""

    name: str
    model: str
    attempts: int
    prompt_version: str
    input_tokens: int = 0
    output_tokens: int = 0
    errors: tuple[str, ...] = ()
    dropped_statements: int = 0


@dataclass(frozen=True)
class Opinion:
    """What the engine thinks of one dossier. It advises; people decide.

    `features` are what the severity model read, for the monitoring of drift.
    """

    outcome: Outcome
    reason_code: str | None
    severity: SeverityOpinion
    fault: FaultOpinion
    fraud: FraudOpinion
    hazards: tuple[Hazard, ...]
    findings: tuple[Finding, ...]
    signals: tuple[Signal, ...]
    facts: VideoFacts | None
    summary: str
    provider: ProviderUse
    degraded: bool
    degraded_reasons: tuple[str, ...]
    service_level: str
    processing_seconds: float
    pipeline_version: str
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)


# Called with the stage that runs and the share of the whole pipeline that is done (0–100).
ProgressCallback = Callable[[Stage, int], None]
