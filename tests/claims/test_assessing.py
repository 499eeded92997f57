"""From the job to the people: what is recorded, and what happens when workers come, go and overtake each other."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from aiassist.types import Severity, Stage
from claims.choices import ClaimStatus
from claims.errors import ClaimNotFound
from claims.models import Assessment, Claim, Evidence, VideoFile
from claims.services import assess_claim, record_assessment, record_unassessable
from claims.tasks import bury
from observability.alerts.models import Alert
from observability.choices import JobState
from observability.jobs import LeaseLost, put_back_job, replay_job, take_job
from observability.models import Job
from tenancy.models import AuditEvent, Tenant
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, files_in, receive
from tests.claims.opinions import HASHES, JPEG, FakeEngine, opinion_of, take_only_job
from tests.people import Person


def assess(person: Person, engine: FakeEngine | None = None) -> Claim:
    with tenant_scope(person.tenant.id):
        assess_claim(lease=take_only_job(), engine=engine or FakeEngine())
        claim: Claim = Claim.objects.select_related("assessment").get()
        return claim


def test_assess_claim_sends_the_claim_to_the_people_with_everything_measured(cleo: Person) -> None:
    receive(cleo)
    claim = assess(cleo)
    with tenant_scope(cleo.tenant.id):
        assessment = Assessment.objects.get()
        events = [(event.event, event.actor_type) for event in AuditEvent.objects.order_by("id")]
        evidence = list(Evidence.objects.order_by("position"))
        assert VideoFile.objects.get().perceptual_hashes == list(HASHES)
    assert (claim.status, claim.stage, claim.progress_percent, claim.error_code) == (
        "AWAITING_REVIEW",
        "STORE",
        100,
        "",
    )
    assert (claim.assessment_id, claim.review_priority, claim.queue_rank) == (assessment.id, "STANDARD", 1)
    assert claim.review_due_at == claim.waiting_since + timedelta(hours=24)  # type: ignore[operator]
    assert events == [("claim.received", "HUMAN"), ("claim.processing_started", "SYSTEM"), ("claim.assessed", "AI")]
    assert (assessment.severity, assessment.prediction_set, assessment.provider_name) == ("LOW", ["LOW"], "openai")
    assert [(item.measure, bool(item.image_key)) for item in evidence] == [
        ("jerk_z", True),
        ("cut_score", True),
        ("horn_seconds", False),
    ]
    assert (settings.MEDIA_ROOT / evidence[0].image_key).read_bytes() == JPEG
    assert evidence[0].image_key.startswith(f"{cleo.tenant.id}/")


def test_an_opinion_that_fits_no_class_is_told_empty_and_comes_first(cleo: Person, ada: Person) -> None:
    receive(cleo)
    claim = assess(cleo, FakeEngine(opinion_of()))
    for person in (ada, cleo):
        body = person.api().get(f"/api/v1/claims/{claim.id}/assessment").json()
        assert (body["severity"], body["prediction_set"]) == ("NONE", [])
    assert "none of the four classes fits" in body["summary"]  # what its client reads
    assert claim.review_priority == "URGENT"
    with tenant_scope(cleo.tenant.id):
        reasons = Assessment.objects.get().priority_reasons
    assert (reasons[0]["code"], reasons[0]["points"]) == ("set_empty", 50)


def test_assess_claim_ends_the_job_in_the_same_commit(cleo: Person) -> None:
    receive(cleo)
    claim = assess(cleo)
    job = Job.objects.get()
    assert (job.state, job.progress_percent, job.token) == (JobState.SUCCEEDED, 100, None)
    assert job.result == {"claim_id": str(claim.id), "assessment_id": str(claim.assessment_id), "outcome": "ASSESSED"}


def test_assess_claim_shows_its_progress_without_counting_a_version(cleo: Person) -> None:
    receive(cleo)
    seen: list[tuple[str, int, int, int]] = []

    def look() -> None:
        claim, job = Claim.objects.get(), Job.objects.get()
        seen.append((claim.stage, claim.progress_percent, job.progress_percent, claim.version))

    assess(cleo, FakeEngine(meanwhile=look))
    assert seen == [(Stage.MINING, 40, 40, 2)]


def test_assess_claim_gives_the_engine_the_stored_file_and_the_tenants_switches(cleo: Person) -> None:
    Tenant.objects.filter(id=cleo.tenant.id).update(
        settings={"external_providers_allowed": False, "jurisdiction": "DE"}
    )
    receive(cleo)
    engine = FakeEngine()
    claim = assess(cleo, engine)
    dossier = engine.dossiers[0]
    assert (dossier.reference, dossier.tenant_id) == (str(claim.id), str(cleo.tenant.id))
    assert (dossier.external_providers_allowed, dossier.jurisdiction) == (False, "DE")
    assert dossier.video_path.read_bytes() == clip()


def test_a_second_attempt_never_moves_the_progress_back(cleo: Person) -> None:
    receive(cleo)
    with tenant_scope(cleo.tenant.id):
        Claim.objects.update(progress_percent=60)
        seen: list[int] = []
        engine = FakeEngine(meanwhile=lambda: seen.append(Claim.objects.get().progress_percent))
        assess_claim(lease=take_only_job(), engine=engine)
    assert seen == [60]


def test_an_overtaken_worker_leaves_neither_opinion_nor_pictures(cleo: Person) -> None:
    """Frozen past its lease, it wakes up after another worker has begun."""
    receive(cleo)
    before = files_in(settings.MEDIA_ROOT)

    def overtake() -> None:
        job = Job.objects.get()
        later = timezone.now() + timedelta(hours=1)
        assert take_job(job_id=job.id, now=later) is not None

    with tenant_scope(cleo.tenant.id):
        lease = take_only_job()
        with pytest.raises(LeaseLost):
            assess_claim(lease=lease, engine=FakeEngine(meanwhile=overtake))
        assert Assessment.objects.count() == 0
        assert Claim.objects.get().status == ClaimStatus.PROCESSING
    assert files_in(settings.MEDIA_ROOT) == before
    assert files_in(settings.QUARANTINE_DIR) == []


def test_a_commit_that_is_fenced_off_leaves_no_pictures(cleo: Person) -> None:
    """Overtaken after the last progress was told: only the commit itself can notice."""
    receive(cleo)
    before = files_in(settings.MEDIA_ROOT)

    with tenant_scope(cleo.tenant.id):
        lease = take_only_job()
        claim = Claim.objects.get()
        assert take_job(job_id=lease.job_id, now=timezone.now() + timedelta(hours=1)) is not None
        Claim.objects.filter(id=claim.id).update(status="PROCESSING")
        with pytest.raises(LeaseLost):
            record_assessment(lease=lease, claim_id=claim.id, opinion=opinion_of(Severity.LOW), now=timezone.now())
        assert (Assessment.objects.count(), Evidence.objects.count()) == (0, 0)
    assert files_in(settings.MEDIA_ROOT) == before


def test_bury_sends_a_claim_whose_attempts_are_spent_to_a_person(cleo: Person) -> None:
    claim = receive(cleo).claim
    bury({"claim_id": str(claim.id), "tenant_id": str(cleo.tenant.id)}, "worker_lost")
    with tenant_scope(cleo.tenant.id):
        claim.refresh_from_db()
        assessment = Assessment.objects.get()
        assert AuditEvent.objects.order_by("-id")[0].reason == "worker_lost"
    assert (claim.status, claim.error_code, claim.review_priority) == ("AWAITING_REVIEW", "worker_lost", "URGENT")
    assert (assessment.outcome, assessment.reason_code, assessment.severity) == ("NOT_ASSESSABLE", "worker_lost", "")
    assert assessment.prediction_set == ["NONE", "LOW", "MEDIUM", "HIGH"]


def test_bury_twice_makes_one_assessment(cleo: Person) -> None:
    claim = receive(cleo).claim
    for _ in range(2):
        bury({"claim_id": str(claim.id), "tenant_id": str(cleo.tenant.id)}, "worker_lost")
    with tenant_scope(cleo.tenant.id):
        assert Assessment.objects.count() == 1


def test_bury_leaves_a_claim_alone_that_was_assessed_meanwhile(cleo: Person) -> None:
    receive(cleo)
    claim = assess(cleo)
    record_unassessable(claim_id=claim.id, tenant_id=cleo.tenant.id, code="worker_lost", now=timezone.now())
    with tenant_scope(cleo.tenant.id):
        assert Assessment.objects.get().outcome == "ASSESSED"


def test_bury_bears_that_the_claim_is_gone(cleo: Person) -> None:
    nowhere = UUID(int=7)
    record_unassessable(claim_id=nowhere, tenant_id=cleo.tenant.id, code="worker_lost", now=timezone.now())


def test_a_late_worker_after_the_burial_changes_nothing(cleo: Person) -> None:
    claim = receive(cleo).claim
    with tenant_scope(cleo.tenant.id):
        lease = take_only_job()
        engine = FakeEngine(
            meanwhile=lambda: record_unassessable(
                claim_id=claim.id, tenant_id=cleo.tenant.id, code="worker_lost", now=timezone.now()
            )
        )
        assess_claim(lease=lease, engine=engine)  # its lease still holds: the better opinion is the next version
        claim.refresh_from_db()
        versions = list(Assessment.objects.order_by("version").values_list("version", "outcome"))
    assert versions == [(1, "NOT_ASSESSABLE"), (2, "ASSESSED")]
    assert claim.status == ClaimStatus.AWAITING_REVIEW


def test_a_replayed_dead_letter_becomes_the_next_version_and_keeps_the_waiting_time(cleo: Person) -> None:
    claim = receive(cleo).claim
    bury({"claim_id": str(claim.id), "tenant_id": str(cleo.tenant.id)}, "worker_lost")
    with tenant_scope(cleo.tenant.id):
        claim.refresh_from_db()
        waiting_since, due_at, version = claim.waiting_since, claim.review_due_at, claim.version
    Job.objects.update(state=JobState.DEAD)
    assert replay_job(job_id=Job.objects.get().id, now=timezone.now())
    claim = assess(cleo)
    assert claim.assessment is not None
    assert (claim.assessment.version, claim.assessment.outcome, claim.error_code) == (2, "ASSESSED", "")
    assert (claim.waiting_since, claim.review_due_at, claim.version) == (waiting_since, due_at, version + 1)


def test_a_decided_claim_is_left_alone_by_a_late_job(cleo: Person) -> None:
    receive(cleo)
    with tenant_scope(cleo.tenant.id):
        Claim.objects.update(status=ClaimStatus.APPROVED)
        engine = FakeEngine()
        assess_claim(lease=take_only_job(), engine=engine)
        assert Assessment.objects.count() == 0
    assert engine.dossiers == []
    assert Job.objects.get().state == JobState.SUCCEEDED


def test_a_job_for_a_claim_that_is_gone_is_refused(cleo: Person) -> None:
    receive(cleo)
    Job.objects.update(arguments={"claim_id": str(UUID(int=7)), "tenant_id": str(cleo.tenant.id)})
    with tenant_scope(cleo.tenant.id), pytest.raises(ClaimNotFound):
        assess_claim(lease=take_only_job(), engine=FakeEngine())


def test_a_job_for_another_tenants_claim_finds_nothing(cleo: Person, zoe: Person) -> None:
    receive(cleo)
    lease = take_only_job()
    with tenant_scope(zoe.tenant.id), pytest.raises(ClaimNotFound):
        assess_claim(lease=lease, engine=FakeEngine())


def test_a_failed_attempt_can_be_tried_again(cleo: Person) -> None:
    receive(cleo)

    def fail() -> None:
        raise ConnectionError("the provider went away")

    with tenant_scope(cleo.tenant.id):
        lease = take_only_job()
        with pytest.raises(ConnectionError):
            assess_claim(lease=lease, engine=FakeEngine(meanwhile=fail))
        put_back_job(lease=lease, code="x", detail="", now=timezone.now() - timedelta(hours=1))
    claim = assess(cleo)
    assert (claim.status, claim.attempts) == ("AWAITING_REVIEW", 2)


@pytest.mark.parametrize(("score", "alerts"), [(0.79, 0), (0.8, 1)])
def test_a_high_risk_of_fraud_is_told_to_operations_in_the_commit_of_the_assessment(
    cleo: Person, score: float, alerts: int
) -> None:
    receive(cleo)
    claim = assess(cleo, FakeEngine(opinion_of(Severity.LOW, fraud=score)))
    found = list(Alert.objects.values("event", "tenant_ref", "count", "facts"))
    facts = {"claim_id": str(claim.id), "score": score}
    told = {"event": "HIGH_RISK_PREDICTION", "tenant_ref": str(cleo.tenant.id), "count": 1, "facts": facts}
    assert found == [told] * alerts
