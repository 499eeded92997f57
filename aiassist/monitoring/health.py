"""The state of the AI in one answer: drift, bias and calibration together, with what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from aiassist.models import DriftLook, DriftReference, Observation
from aiassist.monitoring.bias import BiasReport, BiasState, DecidedClaim, bias_report, figure_data
from aiassist.monitoring.drift import REFERENCE_CLAIMS, WINDOW_CLAIMS, DriftLevel
from aiassist.monitoring.looks import newest_look, newest_reference, reference_progress
from aiassist.monitoring.selectors import calibration_state
from aiassist.monitoring.window import DEFAULT_DAYS

# Beyond this the newest ones say it as well, in a tenth of a second.
MOST_DECIDED = 20_000
TREND_LOOKS = 60
_CHANGES = frozenset({DriftLevel.LOW, DriftLevel.MODERATE, DriftLevel.SEVERE})


class HealthStatus(StrEnum):
    """`NOT_ENOUGH_DATA`: no question can be answered yet. `WATCH`: something is not what it was, or may be."""

    NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"
    HEALTHY = "HEALTHY"
    WATCH = "WATCH"
    UNHEALTHY = "UNHEALTHY"


class DriftStatus(StrEnum):
    """Whether anything can be said of drift, and what."""

    NOT_ENOUGH_YET = "NOT_ENOUGH_YET"
    STABLE = "STABLE"
    DRIFT = "DRIFT"


@dataclass(frozen=True)
class DriftState:
    """The reference in force, the newest look at it, and the looks before, oldest first."""

    reference: DriftReference | None
    collected: int
    newest: DriftLook | None
    trend: list[DriftLook]


def drift_state(*, now: datetime) -> DriftState:
    """Return what is known of drift for the tenant in scope."""
    reference = newest_reference()
    newest = newest_look(reference)
    collected = REFERENCE_CLAIMS if newest else reference_progress(reference, now=now)
    looks = list(DriftLook.objects.filter(reference=reference).order_by("-number")[:TREND_LOOKS]) if reference else []
    return DriftState(reference, collected, newest, looks[::-1])


def bias_of(*, start: datetime, end: datetime) -> BiasReport:
    """Return the bias figures of what people decided from `start` up to `end`; the newest claims if there are many."""
    rows = Observation.objects.filter(decided_at__gte=start, decided_at__lt=end).order_by("-decided_at", "-id")
    columns = ("groups", "decision", "fraud_flagged", "severity", "human_severity")
    return bias_report(
        [
            DecidedClaim(groups, decision == "APPROVE", flagged, severity == human if severity else None)
            for groups, decision, flagged, severity, human in rows.values_list(*columns)[:MOST_DECIDED]
        ]
    )


def drift_data(state: DriftState) -> dict[str, Any]:
    """Return the drift state as the API shows it and a report keeps it."""
    look, reference = state.newest, state.reference
    return {
        "status": "NOT_ENOUGH_YET" if look is None else "DRIFT" if look.in_episode else "STABLE",
        "level": look.level if look else str(DriftLevel.NOT_ENOUGH),
        "reference": None
        if reference is None
        else {
            "number": reference.number,
            "model_version": reference.model_version,
            "started_at": reference.started_at,
            "claims": state.collected,
            "needed": REFERENCE_CLAIMS,
            "reason": reference.reason,
        },
        "window_claims": WINDOW_CLAIMS,
        "looked_at": look.looked_at if look else None,
        "claims_until": look.until_at if look else None,
        "alpha": look.alpha if look else None,
        "findings": look.findings if look else None,
        "trend": [_point(one) for one in state.trend],
    }


def _point(look: DriftLook) -> dict[str, Any]:
    features = look.findings["features"]
    return {
        "number": look.number,
        "claims_until": look.until_at,
        "level": look.level,
        "alarm": look.alarm,
        "in_episode": look.in_episode,
        "largest_distance": max((found["distance"] for found in features), default=None),
        "prediction_distance": look.findings["predictions"]["value"],
        "agreement": look.findings["agreement"]["value"],
    }


def bias_data(report: BiasReport) -> dict[str, Any]:
    """Return the bias figures as the API shows them and a report keeps them."""
    return {
        "decided": report.decided,
        "alarm": bool(report.disparate),
        "impacts": [figure_data(found) for found in report.impacts],
        "accuracies": [figure_data(found) for found in report.accuracies],
    }


def health_document(*, now: datetime) -> tuple[HealthStatus, dict[str, Any]]:
    """Return the status of the tenant in scope and everything that it follows from, as plain values."""
    start = now - timedelta(days=DEFAULT_DAYS)
    drift, bias = drift_data(drift_state(now=now)), bias_of(start=start, end=now)
    calibration = calibration_state(start=start, end=now)
    labels = calibration.report.overall
    facts = {
        "drift": drift,
        "bias": bias_data(bias),
        "calibration": {
            "labels": labels.count,
            "coverage": labels.share,
            "coverage_target": labels.target,
            "state": str(labels.state),
            "alarm": calibration.report.alarm,
            "model_version": calibration.model_version,
        },
    }
    status = _status(drift, bias, calibration_alarm=calibration.report.alarm, labelled=labels.share is not None)
    return status, {**facts, "from": start, "to": now, "recommendations": recommendations(facts)}


def _status(drift: Mapping[str, Any], bias: BiasReport, *, calibration_alarm: bool, labelled: bool) -> HealthStatus:
    severe = drift["status"] == "DRIFT" and drift["level"] == DriftLevel.SEVERE
    if calibration_alarm or severe or any(found.level == "SEVERE" for found in bias.disparate):
        return HealthStatus.UNHEALTHY
    if drift["status"] == "DRIFT" or bias.disparate:
        return HealthStatus.WATCH
    judged = any(found.state is not BiasState.NOT_ENOUGH for found in bias.impacts)
    if drift["status"] == "NOT_ENOUGH_YET" and not judged and not labelled:
        return HealthStatus.NOT_ENOUGH_DATA
    return HealthStatus.HEALTHY


def recommendations(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what to do, each with the fact that it follows from; nothing where there is nothing to do."""
    return [*_about_drift(facts["drift"]), *about_bias(facts["bias"]), *_about_calibration(facts["calibration"])]


def _about_drift(drift: Mapping[str, Any]) -> list[dict[str, str]]:
    if drift["status"] == "NOT_ENOUGH_YET":
        have = drift["reference"]["claims"] if drift["reference"] else 0
        needed = REFERENCE_CLAIMS + WINDOW_CLAIMS
        return [_advice("collect_claims", f"{have} of {needed} claims are there that the first look at drift needs.")]
    findings, found = drift["findings"], []
    moved = [one["name"] for one in findings["features"] if one["level"] in _CHANGES]
    if moved:
        found.append(
            _advice(
                "look_at_inputs",
                f"Changed: {', '.join(moved[:5])}. Look at new cameras, file formats or kinds of claims; if this is "
                "how claims are now, accept the newest ones as reference and have blind labels confirm the severity.",
            )
        )
    if findings["predictions"]["level"] in _CHANGES:
        moved_by = f"{findings['predictions']['value'] * 100:.0f} %"
        found.append(
            _advice("look_at_predictions", f"{moved_by} of claims get another severity than the reference's mix would.")
        )
    if findings["agreement"]["level"] in _CHANGES:
        now, before = findings["agreement"]["value"] * 100, findings["agreement"]["before"] * 100
        found.append(
            _advice(
                "raise_blind_share",
                f"People agree with the AI's severity in {now:.0f} % instead of {before:.0f} %. Raise "
                "blind_label_share, so that the sets adapt, and train the severity model on what came in since.",
            )
        )
    if findings["service"]["level"] in _CHANGES:
        share = findings["service"]["value"] * 100
        found.append(
            _advice("look_at_providers", f"No vision model answered for {share:.0f} % of claims: see the breakers.")
        )
    return found


def about_bias(bias: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what to do about the groups that fare worse."""
    found = []
    for one in bias["impacts"]:
        if one["state"] == BiasState.DISPARATE:
            outcome = one["outcome"].lower().replace("_", " ")
            what = f"{outcome}: {one['attribute']} {one['group']} against {one['against']}"
            found.append(
                _advice(
                    "review_decisions",
                    f"{what}, impact ratio {one['value']:.2f}. Read a sample of both groups' decisions side by side: "
                    "the ratio does not say whether the claims differ for a good reason.",
                )
            )
    unlike = [f"{one['attribute']} {one['group']}" for one in bias["accuracies"] if one["state"] == BiasState.DISPARATE]
    if unlike:
        found.append(
            _advice(
                "label_groups", f"The AI's severity is corrected more often for {', '.join(unlike)}: label more there."
            )
        )
    return found


def _about_calibration(calibration: Mapping[str, Any]) -> list[dict[str, str]]:
    if not calibration["alarm"]:
        return []
    return [_advice("recalibrate", "A class's sets hold the truth less often than promised: see Calibration.")]


def _advice(code: str, words: str) -> dict[str, str]:
    return {"code": code, "detail": words}
