"""What a claimant tells when a claim is handed in: plain values, whoever received them (API, page, command)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ClaimantDetails:
    """Who claims. Personal data: sealed with the party and readable nowhere else."""

    name: str = ""
    email: str = ""
    phone: str = ""
    account: str = ""


@dataclass(frozen=True)
class LossNotice:
    """First notice of loss, already validated: texts are trimmed and fit their columns."""

    claim_number: str
    policy_number: str = ""
    loss_at: datetime | None = None
    loss_location: str = ""
    description: str = ""
    claimant: ClaimantDetails | None = None
    vehicle_plate: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
