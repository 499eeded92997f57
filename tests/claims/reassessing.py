"""Asking for claims to be assessed again, and a worker that does it with a made-up engine."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from aiassist.types import Severity
from claims.models import Claim
from claims.services import assess_claim, reassess_next, request_reassessment
from observability.jobs import Lease, take_job
from observability.models import Job
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, receive
from tests.claims.opinions import FakeEngine, opinion_of, take_only_job
from tests.people import Person


def assessed_claim(owner: Person, number: str = "CLM-1", *possible: Severity, **opinion: Any) -> Claim:
    """Hand a claim in and have it assessed; the set of possible severities is {LOW} unless named."""
    claim = receive(owner, number, clip(number)).claim
    with tenant_scope(owner.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine(opinion_of(*(possible or (Severity.LOW,)), **opinion)))
        claim.refresh_from_db()
    return claim


def ask_again(person: Person, *claims: Claim, reason: str = "") -> UUID:
    with tenant_scope(person.tenant.id):
        return request_reassessment(
            actor=person.principal, claim_ids=[claim.id for claim in claims], reason=reason, now=timezone.now()
        )


def lease_of(task_id: UUID) -> Lease:
    lease = take_job(job_id=task_id, now=timezone.now())
    assert lease is not None
    return lease


def work(person: Person, task_id: UUID, *engines: FakeEngine) -> Job:
    """Do one turn of the task for each engine, and return the task."""
    with tenant_scope(person.tenant.id):
        for engine in engines:
            reassess_next(lease=lease_of(task_id), engine=engine)
    return Job.objects.get(id=task_id)


def reassess(person: Person, claim: Claim, *possible: Severity, **opinion: Any) -> Job:
    """Ask for the claim and do it at once; the newer set of possible severities is `possible`."""
    job = work(person, ask_again(person, claim), FakeEngine(opinion_of(*possible, **opinion)))
    with tenant_scope(person.tenant.id):
        claim.refresh_from_db()
    return job
