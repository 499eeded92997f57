"""How far a claim is, and what its own side may know of the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiassist.types import Outcome, Stage
from claims.choices import ClaimStatus
from claims.models import Assessment, Claim
from claims.pages.badges import STATUS_BADGES, Badge, severity_badge
from claims.redaction import client_summary
from claims.words import ago_words, percent_words, size_words

_UNDER_WAY = (ClaimStatus.RECEIVED, ClaimStatus.PROCESSING)
_STAGE_WORDS = {
    Stage.LOAD: ("Open", "The file is opened and checked."),
    Stage.MINING: ("Measure", "Picture, motion and sound are measured."),
    Stage.VISION: ("Look", "A vision model looks at the key pictures."),
    Stage.FAULT: ("Fault", "The rules of the road are applied."),
    Stage.FRAUD: ("Integrity", "Signs of manipulation are weighed."),
    Stage.CONFORMAL: ("Range", "The range of possible severities is worked out."),
    Stage.STORE: ("File", "Everything is put on file."),
}


@dataclass(frozen=True)
class Step:
    word: str
    state: str  # done, now, next


@dataclass(frozen=True)
class Progress:
    under_way: bool
    percent: int
    words: str
    steps: list[Step]
    attempts: int


@dataclass(frozen=True)
class ListRow:
    claim_id: UUID
    number: str
    status: Badge
    severity: Badge | None
    place: str
    plate: str
    policy: str
    received: str
    received_at: datetime
    percent: int | None


@dataclass(frozen=True)
class ClientResult:
    """The opinion as the claimant's side may read it: no fraud, no order of work, no provider."""

    severity: Badge
    fault: str
    summary: str


def progress_of(claim: Claim) -> Progress:
    """Return the stages of the assessment with the one that runs."""
    under_way = claim.status in _UNDER_WAY
    waiting = claim.status == ClaimStatus.RECEIVED
    words = "Waiting for a free worker." if waiting else _STAGE_WORDS[_stage(claim)][1]
    return Progress(under_way, claim.progress_percent, words, _steps(claim, under_way=under_way), claim.attempts)


def _stage(claim: Claim) -> Stage:
    return Stage(claim.stage) if claim.stage else Stage.LOAD


def _steps(claim: Claim, *, under_way: bool) -> list[Step]:
    stages = list(Stage)
    now = stages.index(_stage(claim)) if claim.status == ClaimStatus.PROCESSING else -1
    if not under_way:
        now = len(stages)
    states = ["done" if place < now else "now" if place == now else "next" for place in range(len(stages))]
    return [Step(_STAGE_WORDS[stage][0], state) for stage, state in zip(stages, states, strict=True)]


def list_row(claim: Claim, *, now: datetime) -> ListRow:
    """Return the claim (with its assessment loaded) as a row of the list."""
    opinion = claim.assessment
    under_way = claim.status in _UNDER_WAY
    return ListRow(
        claim_id=claim.id,
        number=claim.claim_number,
        status=STATUS_BADGES[claim.status],
        severity=severity_badge(opinion.severity) if opinion else None,
        place=claim.told.loss_location,
        plate=claim.told.vehicle_plate,
        policy=claim.policy_number,
        received=ago_words(claim.received_at, now),
        received_at=claim.received_at,
        percent=claim.progress_percent if under_way else None,
    )


def client_result(assessment: Assessment) -> ClientResult:
    """Return what the claimant's side may know of the opinion."""
    assessed = assessment.outcome == Outcome.ASSESSED
    low, high = percent_words(round(assessment.fault_low_pct)), percent_words(round(assessment.fault_high_pct))
    return ClientResult(
        severity=severity_badge(assessment.severity),
        fault=f"{low}–{high} %" if assessed else "",
        summary=client_summary(assessment),
    )


def claim_facts(claim: Claim) -> list[tuple[str, str]]:
    """Return what was reported, label and value, where something was; video and policy are loaded."""
    video = claim.video
    policy = claim.policy
    lasting = f", {video.duration_seconds:.1f} s" if video.duration_seconds else ""
    facts = [
        ("Loss", f"{claim.loss_at:%-d %B %Y, %H:%M} UTC" if claim.loss_at else ""),
        ("Place", claim.told.loss_location),
        ("Policy", policy.policy_number if policy else claim.policy_number),
        ("Holder", policy.holder_name if policy and claim.erased_at is None else ""),
        ("In force", f"{policy.effective_on:%-d %b %Y} – {policy.expires_on:%-d %b %Y}" if policy else ""),
        ("Plate", claim.told.vehicle_plate),
        ("Received", f"{claim.received_at:%-d %B %Y, %H:%M} UTC"),
        ("Video", f"{video.width_px}×{video.height_px} {video.codec}{lasting}, {size_words(video.size_bytes)}"),
        ("SHA-256", video.sha256),
    ]
    return [(label, value) for label, value in facts if value]
