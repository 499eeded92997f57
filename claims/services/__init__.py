"""Everything that writes the claim file, except the status itself (`claims/workflow.py`)."""

from claims.notices import ClaimantDetails, LossNotice
from claims.services.assessing import assess_claim, dossier_for
from claims.services.receiving import ASSESS_JOB, Receipt, receive_claim
from claims.services.recording import record_assessment, record_unassessable

__all__ = [
    "ASSESS_JOB",
    "ClaimantDetails",
    "LossNotice",
    "Receipt",
    "assess_claim",
    "dossier_for",
    "receive_claim",
    "record_assessment",
    "record_unassessable",
]
