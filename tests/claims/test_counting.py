"""What opinions say is counted for Prometheus: severity and priority, fraud scores, high risk by its reason."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import REGISTRY

from aiassist.types import Opinion, Outcome, Severity
from claims.counting import count_opinion
from claims.triage import triage
from tenancy.policy import TenantPolicy
from tests.claims.opinions import opinion_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NAMES = {
    "low": ("claimwright_assessments_total", {"severity": "LOW", "priority": "STANDARD"}),
    "high": ("claimwright_assessments_total", {"severity": "HIGH", "priority": "URGENT"}),
    "none": ("claimwright_assessments_total", {"severity": "NOT_ASSESSABLE", "priority": "URGENT"}),
    "scores": ("claimwright_fraud_risk_score_count", {}),
    "severity": ("claimwright_high_risk_predictions_total", {"reason": "severity_high"}),
    "fraud": ("claimwright_high_risk_predictions_total", {"reason": "fraud_above_threshold"}),
}


def counted(opinion: Opinion) -> dict[str, float]:
    """Return what one opinion adds, by the short names above."""

    def figures() -> dict[str, float]:
        return {short: REGISTRY.get_sample_value(name, labels) or 0.0 for short, (name, labels) in _NAMES.items()}

    before = figures()
    count_opinion(opinion, triage(opinion=opinion, policy=TenantPolicy(), now=NOON))
    return {short: value - before[short] for short, value in figures().items() if value != before[short]}


def test_an_opinion_is_counted_by_severity_and_priority() -> None:
    assert counted(opinion_of(Severity.LOW)) == {"low": 1, "scores": 1}


def test_high_risk_is_counted_by_its_reason() -> None:
    assert counted(opinion_of(Severity.HIGH)) == {"high": 1, "scores": 1, "severity": 1}
    assert counted(opinion_of(Severity.HIGH, fraud=0.95)) == {"high": 1, "scores": 1, "severity": 1, "fraud": 1}
    # HIGH only cannot be ruled out: urgent, but nobody predicts it.
    assert "severity" not in counted(opinion_of(Severity.LOW, Severity.HIGH))


def test_what_cannot_be_assessed_has_no_score() -> None:
    assert counted(opinion_of(*Severity, outcome=Outcome.NOT_ASSESSABLE)) == {"none": 1}
