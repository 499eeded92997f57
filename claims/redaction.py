"""What the claimant's side may not see of an opinion: fraud, the reasons of the order of work, who computed it."""

from __future__ import annotations

from aiassist.types import EvidenceStage, Outcome
from claims.models import Assessment

# Manipulation checks are the fraud score's evidence: telling which one struck teaches how to pass it.
HIDDEN_STAGES = frozenset({EvidenceStage.FRAUD, EvidenceStage.INTEGRITY})
HIDDEN_FIELDS = frozenset(
    {"fraud_risk_score", "fraud_indicators", "fraud_source", "fraud_model", "priority_reasons", "provider"}
)
# The same in the list of what changed, where who computed it stands in parts.
HIDDEN_CHANGES = HIDDEN_FIELDS | {"model_version", "prompt_version", "degraded_reasons"}


def client_summary(assessment: Assessment) -> str:
    """Return the opinion in a sentence for the claimant's side (the engine's own summary names signs of fraud)."""
    if assessment.outcome == Outcome.NOT_ASSESSABLE:
        return "The video could not be assessed automatically; a person looks at it."
    labels = ", ".join(assessment.prediction_set)
    possible = f"possible: {labels}" if labels else "none of the four classes fits"
    return f"Severity {assessment.severity} was measured; {possible}. A person reviews the claim."
