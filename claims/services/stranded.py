"""Claims that no job will assess any more: a person gets them all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from claims.choices import ClaimStatus
from claims.models import Claim
from claims.services.receiving import ASSESS_JOB
from claims.services.recording import record_unassessable
from observability.choices import JobState
from observability.models import Job
from tenancy.scope import every_tenant

log = structlog.get_logger(__name__)

# A job is written in the commit of its claim, so no claim is ever without one for a moment: no hurry, no race.
_OLDER_THAN = timedelta(minutes=10)
_MOST_PER_RUN = 200
JOB_LOST = "job_lost"


def rescue_stranded_claims(*, now: datetime) -> int:
    """Send claims without an open job to people, as not assessable; return how many (a timer calls this).

    A job ends without an outcome for its claim only when it could not be read which claim it was for.
    """
    rescued = 0
    with every_tenant("claims whose job is lost"):
        waiting = Claim.objects.filter(
            status__in=(ClaimStatus.RECEIVED, ClaimStatus.PROCESSING), received_at__lte=now - _OLDER_THAN
        ).order_by("received_at")
        claims = list(waiting.only("id", "tenant_id", "received_at")[:_MOST_PER_RUN])
        stranded = [claim for claim in claims if not _has_open_job(claim)]
    for claim in stranded:
        log.error("claim_stranded", claim_id=str(claim.id))
        record_unassessable(claim_id=claim.id, tenant_id=claim.tenant_id, code=JOB_LOST, now=now)
        rescued += 1
    return rescued


def _has_open_job(claim: Claim) -> bool:
    jobs = Job.objects.filter(tenant_ref=str(claim.tenant_id), kind=ASSESS_JOB, arguments__claim_id=str(claim.id))
    return jobs.filter(state__in=(JobState.PENDING, JobState.RUNNING)).exists()
