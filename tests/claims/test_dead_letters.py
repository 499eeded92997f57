"""However the job of a claim dies, the claim reaches a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

import claims.tasks  # noqa: F401  # makes the kinds of jobs known here
from claims.choices import ClaimStatus
from claims.models import Claim
from claims.services import rescue_stranded_claims
from observability import running, sweeping
from observability.jobs import UnreadableArguments
from observability.models import DeadLetter, Job
from tenancy.scope import tenant_scope
from tests.claims.handing_in import receive
from tests.people import Person

pytestmark = pytest.mark.django_db

SPENT = settings.JOB_RETRY_DEFAULT[0]
LATER = timedelta(hours=1)


@pytest.mark.parametrize("code", ["", "timed_out", "out_of_memory"])
def test_a_claim_whose_job_died_awaits_review_with_the_reason(cleo: Person, code: str) -> None:
    claim = receive(cleo).claim
    Job.objects.update(attempts=SPENT, error_code=code)
    sweeping.bury_spent_jobs(now=timezone.now() + LATER)
    letter = DeadLetter.objects.get()
    assert (letter.tenant_ref, letter.reason_code) == (str(cleo.tenant.id), code or "worker_lost")
    assert letter.arguments["claim_id"] == str(claim.id)
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.select_related("assessment").get()
    assert claim.status == ClaimStatus.AWAITING_REVIEW
    assert claim.assessment is not None
    assert (claim.assessment.outcome, claim.assessment.reason_code) == ("NOT_ASSESSABLE", code or "worker_lost")


def test_a_claim_whose_job_does_not_say_which_claim_reaches_a_person_all_the_same(cleo: Person) -> None:
    receive(cleo)
    job = Job.objects.get()
    Job.objects.update(arguments={"claim_id": "gone"})
    with pytest.raises(UnreadableArguments):
        running.run_job(job.id)
    assert sweeping.bury_spent_jobs(now=timezone.now() + LATER) == [job.id]
    assert DeadLetter.objects.get().reason_code == "unreadable_arguments"
    assert rescue_stranded_claims(now=timezone.now()) == 0, "nothing is hurried: its job might be on its way"
    assert rescue_stranded_claims(now=timezone.now() + LATER) == 1
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.select_related("assessment").get()
    assert claim.status == ClaimStatus.AWAITING_REVIEW
    assert claim.assessment is not None and claim.assessment.reason_code == "job_lost"
    assert rescue_stranded_claims(now=timezone.now() + LATER) == 0


def test_a_claim_whose_job_waits_in_a_long_queue_is_not_rescued(cleo: Person) -> None:
    receive(cleo)
    assert rescue_stranded_claims(now=timezone.now() + LATER) == 0
