"""The claim file: policy, claim, its video, its assessments and their evidence."""

from claims.models.assessment import Assessment, Evidence
from claims.models.claim import Claim, Party, Resubmission, VideoFile
from claims.models.link_key import LinkKey, LinkKeyKind
from claims.models.policy import Coverage, Policy

__all__ = [
    "Assessment",
    "Claim",
    "Coverage",
    "Evidence",
    "LinkKey",
    "LinkKeyKind",
    "Party",
    "Policy",
    "Resubmission",
    "VideoFile",
]
