"""Everything that writes the claim file, except the status itself (`claims/workflow.py`)."""

from claims.notices import ClaimantDetails, LossNotice
from claims.services.access import grant_access, lift_restriction, restrict_claim, revoke_access
from claims.services.assessing import assess_claim, dossier_for
from claims.services.erasing import REMOVE_MEDIA_JOB, Erased, erase_claim, remove_media
from claims.services.holding import set_legal_hold
from claims.services.reassessing import bury_reassessment, reassess_next
from claims.services.receiving import ASSESS_JOB, Receipt, receive_claim
from claims.services.recording import record_assessment, record_unassessable
from claims.services.requesting import MOST_CLAIMS, REASSESS_JOB, request_reassessment
from claims.services.retention import apply_retention
from claims.services.storage_use import recount_stored_bytes
from claims.services.stranded import rescue_stranded_claims

__all__ = [
    "ASSESS_JOB",
    "MOST_CLAIMS",
    "REASSESS_JOB",
    "REMOVE_MEDIA_JOB",
    "ClaimantDetails",
    "Erased",
    "LossNotice",
    "Receipt",
    "apply_retention",
    "assess_claim",
    "bury_reassessment",
    "dossier_for",
    "erase_claim",
    "grant_access",
    "lift_restriction",
    "reassess_next",
    "receive_claim",
    "record_assessment",
    "record_unassessable",
    "recount_stored_bytes",
    "remove_media",
    "request_reassessment",
    "rescue_stranded_claims",
    "restrict_claim",
    "revoke_access",
    "set_legal_hold",
]
