"""A newer opinion stands beside the older ones: what it changes, what it never changes, and when it comes too late."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from aiassist.types import Severity
from claims.choices import ClaimStatus, ReviewPriority
from claims.errors import ClaimDecided, FirstAssessmentRunning, NothingToReassess, NotReassessable, ReassessmentRunning
from claims.models import Assessment, Claim, Evidence, Reassessment
from claims.tasks import end_reassessment
from observability.choices import JobState
from observability.errors import PermissionRefused
from observability.jobs import LeaseLost, put_back_job, replay_job, take_job
from observability.models import Job
from observability.sweeping import bury_spent_jobs
from reviews.leases import take_lease
from reviews.models import ReviewLease
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.claims.handing_in import files_in, receive
from tests.claims.opinions import FakeEngine, opinion_of
from tests.claims.reassessing import ask_again, assessed_claim, lease_of, reassess, work
from tests.people import Person

LOW, MEDIUM, HIGH, NONE = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.NONE


def test_a_newer_opinion_stands_beside_the_older_one(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    first_id = claim.assessment_id
    reassess(ada, claim, HIGH)
    with tenant_scope(ada.tenant.id):
        older, newer = Assessment.objects.order_by("version")
        assert (older.id, older.severity, older.version) == (first_id, "LOW", 1)
        assert (newer.id, newer.severity, newer.version) == (claim.assessment_id, "HIGH", 2)
        assert Evidence.objects.filter(assessment=older).count() == Evidence.objects.filter(assessment=newer).count()
    assert claim.status == ClaimStatus.AWAITING_REVIEW


def test_what_changed_is_stored_and_told_in_the_tasks_result(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    job = reassess(ada, claim, HIGH, fraud=0.4)
    changes = [
        {"field": "severity", "before": "LOW", "after": "HIGH"},
        {"field": "prediction_set", "before": ["LOW"], "after": ["HIGH"]},
        {"field": "fraud_risk_score", "before": 0.1, "after": 0.4},
        {"field": "review_priority", "before": "STANDARD", "after": "URGENT"},
    ]
    assert (job.state, job.progress_percent) == (JobState.SUCCEEDED, 100)
    assert job.result == {
        "items": [
            {
                "claim_id": str(claim.id),
                "claim_number": "CLM-1",
                "state": "DONE",
                "code": None,
                "assessment_id": str(claim.assessment_id),
                "version": 2,
                "previous_version": 1,
                "changes": changes,
            }
        ],
        "counts": {"DONE": 1},
    }
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.get(version=2).changes == changes


def test_the_same_opinion_again_is_a_version_without_changes(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    reassess(ada, claim, LOW)
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.get(version=2).changes == []


def test_the_machine_raises_a_claim_and_its_time_only_gets_shorter(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    waiting_since, due_at = claim.waiting_since, claim.review_due_at
    reassess(ada, claim, HIGH)
    assert (claim.review_priority, claim.queue_rank) == (ReviewPriority.URGENT, 0)
    assert claim.waiting_since == waiting_since
    assert due_at is not None and claim.review_due_at is not None and claim.review_due_at < due_at


def test_the_machine_never_lowers_a_claim_or_gives_it_more_time(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo, "CLM-1", HIGH)
    due_at = claim.review_due_at
    reassess(ada, claim, NONE)
    assert (claim.review_priority, claim.queue_rank, claim.review_due_at) == (ReviewPriority.URGENT, 0, due_at)
    with tenant_scope(ada.tenant.id):
        newer = Assessment.objects.get(version=2)
    assert newer.review_priority == ReviewPriority.URGENT
    assert newer.priority_reasons[-1] == {
        "code": "priority_kept",
        "points": 0,
        "detail": "Version 1 made it urgent; a newer opinion never lowers a waiting claim.",
    }


def test_a_claim_that_waited_its_way_up_stays_up(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(queue_rank=0)
    reassess(ada, claim, LOW)
    assert (claim.review_priority, claim.queue_rank) == (ReviewPriority.STANDARD, 0)


def test_a_claim_that_waits_for_information_keeps_waiting_for_it(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=ClaimStatus.INFO_REQUESTED)
    reassess(ada, claim, HIGH)
    assert claim.status == ClaimStatus.INFO_REQUESTED
    with tenant_scope(ada.tenant.id):
        assert claim.assessment_id == Assessment.objects.get(version=2).id


def test_the_hold_on_a_claim_stays_its_holders(cleo: Person, ada: Person, sam: Person) -> None:
    claim = assessed_claim(cleo)
    with tenant_scope(ada.tenant.id):
        held = take_lease(claim_id=claim.id, actor=ada.principal, now=timezone.now())
    reassess(sam, claim, HIGH)
    with tenant_scope(ada.tenant.id):
        kept = ReviewLease.objects.get()
    assert (kept.holder_id, kept.token, kept.expires_at) == (ada.user.id, held.token, held.expires_at)


def test_the_history_tells_who_asked_and_what_the_machine_changed(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    work(ada, ask_again(ada, claim, reason="New model."), FakeEngine(opinion_of(HIGH)))
    with tenant_scope(ada.tenant.id):
        asked, made = AuditEvent.objects.order_by("id")[3:]
    assert (asked.event, asked.actor_name, asked.reason) == ("claim.reassessment_requested", "Ada", "New model.")
    assert (made.event, made.actor_type) == ("claim.reassessed", "AI")
    assert '"changed":["severity","prediction_set","review_priority"]' in made.after and '"version":2' in made.after


def test_a_second_request_joins_the_run_that_waits(cleo: Person, ada: Person, sam: Person) -> None:
    claim = assessed_claim(cleo)
    first = ask_again(ada, claim)
    assert ask_again(sam, claim) == first
    assert Job.objects.filter(kind="claims.reassess").count() == 1
    work(ada, first, FakeEngine())
    assert ask_again(sam, claim) != first


def test_one_run_assesses_several_claims_one_a_turn(cleo: Person, ada: Person) -> None:
    claims = [assessed_claim(cleo, f"CLM-{number}") for number in range(3)]
    task_id = ask_again(ada, *claims)
    percents = [work(ada, task_id, FakeEngine(opinion_of(HIGH))).progress_percent for _ in claims]
    assert percents == [33, 66, 100]
    job = Job.objects.get(id=task_id)
    assert job.state == JobState.SUCCEEDED and job.result is not None
    assert [item["claim_number"] for item in job.result["items"]] == ["CLM-0", "CLM-1", "CLM-2"]


def test_a_run_says_which_claims_it_left_alone_and_why(cleo: Person, ada: Person) -> None:
    decided, running, free = (assessed_claim(cleo, f"CLM-{number}") for number in range(3))
    with tenant_scope(ada.tenant.id):
        Claim.objects.filter(id=decided.id).update(status=ClaimStatus.APPROVED)
    ask_again(ada, running)
    job = work(ada, ask_again(ada, decided, running, free), FakeEngine())
    assert job.state == JobState.SUCCEEDED and job.result is not None
    found = {item["claim_number"]: (item["state"], item["code"]) for item in job.result["items"]}
    assert found == {
        "CLM-2": ("DONE", None),
        "CLM-0": ("SKIPPED", "claim_decided"),
        "CLM-1": ("SKIPPED", "reassessment_running"),
    }


def test_claims_of_two_running_tasks_are_refused_together(cleo: Person, ada: Person) -> None:
    one, two = assessed_claim(cleo, "CLM-1"), assessed_claim(cleo, "CLM-2")
    tasks = sorted(str(ask_again(ada, claim)) for claim in (one, two))
    with pytest.raises(ReassessmentRunning) as refusal:
        ask_again(ada, one, two)
    assert refusal.value.extra == {"task_ids": tasks}


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (ClaimStatus.APPROVED, ClaimDecided),
        (ClaimStatus.REJECTED, ClaimDecided),
        (ClaimStatus.PROCESSING, FirstAssessmentRunning),
        (ClaimStatus.FAILED, NotReassessable),
    ],
)
def test_a_claim_that_takes_no_new_opinion_is_refused_by_name(
    cleo: Person, ada: Person, status: ClaimStatus, refusal: type[NotReassessable]
) -> None:
    claim = assessed_claim(cleo)
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=status)
    with pytest.raises(NotReassessable) as refused:
        ask_again(ada, claim)
    assert type(refused.value) is refusal
    with tenant_scope(ada.tenant.id):
        assert Reassessment.objects.count() == 0
    assert Job.objects.filter(kind="claims.reassess").count() == 0


def test_a_claim_that_was_never_assessed_is_refused(cleo: Person, ada: Person) -> None:
    with pytest.raises(FirstAssessmentRunning):
        ask_again(ada, receive(cleo).claim)


def test_the_claimants_side_may_not_ask(cleo: Person) -> None:
    claim = assessed_claim(cleo)
    with pytest.raises(PermissionRefused):
        ask_again(cleo, claim)


def test_no_claim_at_all_is_nothing_to_do(ada: Person) -> None:
    with pytest.raises(NothingToReassess):
        ask_again(ada)


def test_an_opinion_that_comes_after_the_decision_is_not_recorded(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    before = files_in(settings.MEDIA_ROOT)

    def decide() -> None:
        Claim.objects.filter(id=claim.id).update(status=ClaimStatus.APPROVED)

    job = work(ada, ask_again(ada, claim), FakeEngine(opinion_of(HIGH), meanwhile=decide))
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.count() == 1
        assert Reassessment.objects.get().code == "claim_decided"
    assert job.state == JobState.SUCCEEDED and job.result is not None and job.result["counts"] == {"SKIPPED": 1}
    assert files_in(settings.MEDIA_ROOT) == before


def test_a_claim_decided_before_its_turn_costs_no_engine(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    task_id = ask_again(ada, claim)
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=ClaimStatus.REJECTED)
    engine = FakeEngine()
    assert work(ada, task_id, engine).state == JobState.SUCCEEDED
    assert engine.dossiers == []


def test_an_overtaken_worker_leaves_neither_version_nor_pictures(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    before = files_in(settings.MEDIA_ROOT)
    task_id = ask_again(ada, claim)

    def overtake() -> None:
        assert take_job(job_id=task_id, now=timezone.now() + timedelta(hours=1)) is not None

    with pytest.raises(LeaseLost):
        work(ada, task_id, FakeEngine(opinion_of(HIGH), meanwhile=overtake))
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.count() == 1
        assert Reassessment.objects.get().state == "PENDING"
    assert files_in(settings.MEDIA_ROOT) == before


def test_a_killed_worker_costs_one_claims_work_and_the_next_goes_on_there(cleo: Person, ada: Person) -> None:
    one, two = assessed_claim(cleo, "CLM-1"), assessed_claim(cleo, "CLM-2")
    task_id = ask_again(ada, one, two)
    work(ada, task_id, FakeEngine())
    lease_of(task_id)  # the second claim's worker is killed
    Job.objects.filter(id=task_id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    engine = FakeEngine()
    assert work(ada, task_id, engine).state == JobState.SUCCEEDED
    assert [dossier.reference for dossier in engine.dossiers] == [str(two.id)]
    with tenant_scope(ada.tenant.id):
        assert sorted(Assessment.objects.values_list("claim__claim_number", "version")) == [
            ("CLM-1", 1),
            ("CLM-1", 2),
            ("CLM-2", 1),
            ("CLM-2", 2),
        ]


def test_a_claim_that_kills_its_workers_does_not_hold_up_the_others(cleo: Person, ada: Person) -> None:
    bad, good = assessed_claim(cleo, "CLM-1"), assessed_claim(cleo, "CLM-2")
    task_id = ask_again(ada, bad, good)
    Job.objects.filter(id=task_id).update(attempts=settings.JOB_RETRY_DEFAULT[0] - 1)
    never = FakeEngine()
    work(ada, task_id, never)
    assert never.dossiers == []
    job = work(ada, task_id, FakeEngine())
    assert (
        job.state == JobState.SUCCEEDED and job.result is not None and job.result["counts"] == {"DONE": 1, "FAILED": 1}
    )
    with tenant_scope(ada.tenant.id):
        failed = AuditEvent.objects.get(event="claim.reassessment_failed")
    assert (failed.object_id, failed.reason) == (str(bad.id), "attempts_spent")


def spend(task_id: UUID) -> None:
    """Let the task fail at its last attempt and be buried."""
    job = Job.objects.get(id=task_id)
    Job.objects.filter(id=job.id).update(attempts=settings.JOB_RETRY_DEFAULT[0] - 1)
    assert put_back_job(lease=lease_of(job.id), code="video_missing", detail="", now=timezone.now())
    assert bury_spent_jobs(now=timezone.now() + timedelta(seconds=1)) == [job.id]


def test_a_dead_task_leaves_the_older_opinion_and_room_for_a_new_request(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    first_id, task_id = claim.assessment_id, ask_again(ada, claim)
    spend(task_id)
    assert Job.objects.get(id=task_id).state == JobState.DEAD
    with tenant_scope(ada.tenant.id):
        row, event = Reassessment.objects.get(), AuditEvent.objects.order_by("-id")[0]
        claim.refresh_from_db()
    assert (row.state, row.code, event.event) == ("FAILED", "video_missing", "claim.reassessment_failed")
    assert claim.assessment_id == first_id
    assert ask_again(ada, claim) != task_id


def test_a_burial_twice_tells_of_it_once(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    arguments = {"task_id": str(ask_again(ada, claim)), "tenant_id": str(ada.tenant.id)}
    for _ in range(2):
        end_reassessment(arguments, "worker_lost")
    with tenant_scope(ada.tenant.id):
        assert AuditEvent.objects.filter(event="claim.reassessment_failed").count() == 1


def test_a_replayed_dead_letter_assesses_what_was_left(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    task_id = ask_again(ada, claim)
    spend(task_id)
    assert replay_job(job_id=task_id, now=timezone.now())
    assert work(ada, task_id, FakeEngine(opinion_of(HIGH))).state == JobState.SUCCEEDED
    with tenant_scope(ada.tenant.id):
        claim.refresh_from_db()
        assert claim.assessment is not None and claim.assessment.version == 2


def test_a_replayed_dead_letter_leaves_alone_what_was_asked_for_anew(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    old = ask_again(ada, claim)
    spend(old)
    new = ask_again(ada, claim)
    assert replay_job(job_id=old, now=timezone.now())
    engine = FakeEngine()
    assert work(ada, old, engine).state == JobState.SUCCEEDED
    assert engine.dossiers == []
    assert work(ada, new, FakeEngine()).state == JobState.SUCCEEDED
