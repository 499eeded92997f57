"""What the monitoring may see of a decision: which way it went, and where the person and the AI differed."""

from __future__ import annotations

from claims.observing import observe_answer
from reviews.choices import DecisionKind
from reviews.models import Decision

FINAL = frozenset({DecisionKind.APPROVE, DecisionKind.REJECT})


def observe_decision(decision: Decision) -> None:
    """Put a final decision beside what the AI had said, inside the caller's transaction; `assessment` is loaded."""
    if decision.decision not in FINAL:
        return
    observe_answer(
        decision.assessment,
        decision=decision.decision,
        decided_at=decision.decided_at,
        severity_override=decision.severity_override,
        fault_overridden=decision.fault_override_pct is not None,
        fraud_overridden=decision.fraud_override is not None,
    )
