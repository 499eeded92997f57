"""The claim file: policy, claim, its video, its assessments and their evidence."""

from claims.models.assessment import Assessment, Evidence
from claims.models.claim import Claim, Party, Resubmission, VideoFile
from claims.models.grant import ClaimGrant
from claims.models.link_key import LinkKey, LinkKeyKind
from claims.models.policy import Coverage, Policy
from claims.models.reassessment import Reassessment

__all__ = [
    "Assessment",
    "Claim",
    "ClaimGrant",
    "Coverage",
    "Evidence",
    "LinkKey",
    "LinkKeyKind",
    "Party",
    "Policy",
    "Reassessment",
    "Resubmission",
    "VideoFile",
]
