"""What the monitoring may see of a claim: figures and codes of the opinion, and the groups that it belongs to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiassist.monitoring.observing import (
    HumanAnswer,
    Observed,
    forget_groups,
    record_human_answer,
    record_observation,
    record_observations,
)
from aiassist.types import Opinion, Outcome, VideoFacts
from claims.models import Assessment, Claim
from claims.models.told import Told
from tenancy.choices import Readability
from tenancy.policy import TenantPolicy

# A group is named by a short code; anything else could be a person's words and is counted as OTHER.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}", re.ASCII)
_OTHER = "OTHER"
_HD_PIXELS = 1280 * 720
# Below this mean brightness (0-255) a picture is a night's or a tunnel's.
_DARK_LUMA = 60.0


def observe_assessment(*, claim: Claim, assessment: Assessment, opinion: Opinion, policy: TenantPolicy) -> None:
    """Keep what the opinion measured and predicted, inside the caller's transaction."""
    groups = {**_seen(opinion.facts, opinion.features), **_standing(claim, policy)}
    if policy.monitored_groups:
        groups |= labelled_groups(claim.told, policy)
    record_observation(
        observed_from(
            assessment,
            policy=policy,
            features={name: value for name, value in opinion.features.items() if math.isfinite(value)},
            groups=groups,
        )
    )


def observe_older_assessments(assessments: Sequence[Assessment], policy: TenantPolicy) -> int:
    """Keep what is still known of opinions from before any were kept; return how many were new.

    `claim` is loaded with each; nothing that was told is opened, and what was measured then is not stored.
    """
    return record_observations(
        [
            observed_from(row, policy=policy, features={}, groups=_standing(row.claim, policy), backfilled=True)
            for row in assessments
        ]
    )


def observe_answer(
    assessment: Assessment,
    *,
    decision: str,
    decided_at: datetime,
    severity_override: str | None,
    fault_overridden: bool,
    fraud_overridden: bool,
) -> None:
    """Put a person's decision beside what the AI had said, inside the caller's transaction."""
    record_human_answer(
        HumanAnswer(
            assessment_id=assessment.id,
            decided_at=decided_at,
            decision=decision,
            severity=severity_override or assessment.severity,
            fault_overridden=fault_overridden,
            fraud_overridden=fraud_overridden,
        )
    )


def observed_from(
    assessment: Assessment,
    *,
    policy: TenantPolicy,
    features: Mapping[str, float],
    groups: Mapping[str, str],
    backfilled: bool = False,
) -> Observed:
    """Return the stored opinion as monitoring keeps it."""
    return Observed(
        assessment_id=assessment.id,
        observed_at=assessment.created_at,
        outcome=assessment.outcome,
        severity=assessment.severity,
        fraud_risk_score=assessment.fraud_risk_score,
        fraud_flagged=assessment.fraud_risk_score >= policy.fraud_urgent_threshold,
        provider_name=assessment.provider_name,
        provider_model=assessment.provider_model,
        model_version=assessment.model_version,
        degraded=assessment.degraded,
        probabilities=assessment.model_probabilities,
        features=features if assessment.outcome == Outcome.ASSESSED else {},
        groups=groups,
        repeated=assessment.version > 1,
        backfilled=backfilled,
    )


def labelled_groups(told: Told, policy: TenantPolicy) -> dict[str, str]:
    """Return the groups that the tenant told in the claim's metadata, in the fields that it has named for it."""
    if told.state != Readability.READABLE:
        return {}
    return {name: _coded(told.metadata[name]) for name in policy.monitored_groups if name in told.metadata}


def forget_groups_of(claim: Claim) -> None:
    """Take the claim's groups out of the monitoring, inside the caller's transaction."""
    forget_groups(Assessment.objects.filter(claim_id=claim.id).values_list("id", flat=True))


def _standing(claim: Claim, policy: TenantPolicy) -> dict[str, str]:
    known = {"policy": "KNOWN" if claim.policy_id else "UNKNOWN"}
    return known | ({"jurisdiction": policy.jurisdiction} if policy.jurisdiction else {})


def _seen(facts: VideoFacts | None, features: Mapping[str, float]) -> dict[str, str]:
    if facts is None:
        return {}
    luma = features.get("mean_luma")
    light = {} if luma is None else {"light": "DARK" if luma < _DARK_LUMA else "DAY"}
    return {
        "camera": "HD" if facts.width_px * facts.height_px >= _HD_PIXELS else "BELOW_HD",
        "sound": "YES" if facts.has_audio else "NO",
        **light,
    }


def _coded(value: Any) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.upper() if _CODE.fullmatch(text) else _OTHER
