"""What recorded opinions say, counted for Prometheus: how many of which severity, and how many say high risk."""

from __future__ import annotations

from aiassist.types import Opinion, Outcome, Severity
from claims.choices import ReviewPriority
from claims.triage import Triage
from observability import metrics

_SEVERITY_HIGH, _FRAUD = "severity_high", "fraud_above_threshold"


def begin_counting() -> None:
    """Show the counters of this floor from zero."""
    severities = [*(severity.value for severity in Severity), Outcome.NOT_ASSESSABLE.value]
    metrics.begin_at_zero(metrics.ASSESSMENTS, severities, [priority.value for priority in ReviewPriority])
    metrics.begin_at_zero(metrics.HIGH_RISK_PREDICTIONS, [_SEVERITY_HIGH, _FRAUD])
    metrics.begin_at_zero(metrics.UPLOADS, ["accepted", "duplicate"])


def count_opinion(opinion: Opinion, order: Triage) -> None:
    """Count an opinion that was recorded; called after its commit."""
    label = opinion.severity.label
    said = Outcome.NOT_ASSESSABLE if label is None else label
    metrics.ASSESSMENTS.labels(severity=said.value, priority=order.priority.value).inc()
    if label is None:
        return
    metrics.FRAUD_RISK.observe(opinion.fraud.score)
    if label == Severity.HIGH:
        metrics.HIGH_RISK_PREDICTIONS.labels(reason=_SEVERITY_HIGH).inc()
    if any(reason.code == _FRAUD for reason in order.reasons):
        metrics.HIGH_RISK_PREDICTIONS.labels(reason=_FRAUD).inc()
