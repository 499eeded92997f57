"""The same moment: uploads, numbers and workers that collide. One claim, one file, one opinion come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from aiassist.types import Severity
from claims.errors import ClaimNumberExists, MoveNotAllowed, StaleClaim
from claims.models import Assessment, Claim, Reassessment, Resubmission, VideoFile
from claims.services import assess_claim, reassess_next, record_unassessable
from observability.jobs import Lease, LeaseLost, take_job
from observability.models import Job
from reviews.choices import DecisionKind
from reviews.errors import StaleAssessment
from reviews.services import DecisionDraft, decide_claim
from tenancy.choices import Role
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, files_in, hand_in, left_behind, receive
from tests.claims.opinions import FakeEngine, opinion_of, take_only_job
from tests.claims.reassessing import ask_again, assessed_claim
from tests.people import Person, make_person
from tests.reviews.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_sixteen_uploads_of_one_file_at_once_are_one_claim(cleo: Person) -> None:
    clip()  # made before the threads start
    clients = [(cleo.api(), f"CLM-{number}") for number in range(16)]

    def upload(which: int) -> tuple[int, str, bool]:
        client, number = clients[which]
        answer = hand_in(client, number)
        body = answer.json()
        return answer.status_code, body["id"], body["duplicate"]

    answers = at_once(cleo.tenant.id, [partial(upload, which) for which in range(16)])
    assert Counter((status, duplicate) for status, _, duplicate in answers) == {(202, False): 1, (200, True): 15}
    assert len({claim_id for _, claim_id, _ in answers}) == 1
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 1, "videos": 1, "jobs": 1}
    with tenant_scope(cleo.tenant.id):
        assert Resubmission.objects.count() == 15
        assert files_in(settings.MEDIA_ROOT) == [VideoFile.objects.get().storage_key]
        events = Counter(AuditEvent.objects.values_list("event", flat=True))
    assert events == {"claim.received": 1, "claim.resubmitted": 15}


def test_two_clients_with_one_file_at_once_have_a_claim_each_on_one_stored_file(cleo: Person) -> None:
    people = [cleo, *(make_person(cleo.tenant, f"client-{number}", Role.CLIENT) for number in range(3))]
    clip()
    deeds = [partial(receive, person, f"CLM-{number}") for number, person in enumerate(people)]
    receipts = at_once(cleo.tenant.id, deeds)
    assert [receipt.duplicate for receipt in receipts] == [False] * 4
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 4, "videos": 1, "jobs": 4}


def test_one_client_with_a_known_file_twice_at_once_has_one_new_claim(cleo: Person) -> None:
    """The stored file exists already, so only the row lock and the constraint stand between the two."""
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    receive(cleo, "CLM-1")
    receipts = at_once(cleo.tenant.id, [partial(receive, dan, f"CLM-D{number}") for number in range(8)])
    assert Counter(receipt.duplicate for receipt in receipts) == {True: 7, False: 1}
    assert left_behind()["claims"] == 2


def test_one_number_for_different_files_at_once_goes_to_one_of_them(cleo: Person) -> None:
    def attempt(which: int) -> str:
        try:
            receive(cleo, "CLM-1", clip(f"file {which}"))
        except ClaimNumberExists:
            return "refused"
        return "received"

    clip()
    outcomes = at_once(cleo.tenant.id, [partial(attempt, which) for which in range(6)])
    assert Counter(outcomes) == {"received": 1, "refused": 5}
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 1, "videos": 1, "jobs": 1}


def test_the_engine_runs_while_no_transaction_is_open(cleo: Person) -> None:
    receive(cleo)
    seen: list[bool] = []
    with tenant_scope(cleo.tenant.id):
        engine = FakeEngine(meanwhile=lambda: seen.append(connection.in_atomic_block))
        assess_claim(lease=take_only_job(), engine=engine)
    assert seen == [False]


def test_two_workers_who_are_woken_for_one_claim_assess_it_once(cleo: Person) -> None:
    receive(cleo)
    job_id = Job.objects.get().id

    def work() -> str:
        lease = take_job(job_id=job_id, now=timezone.now())
        if lease is None:
            return "left"
        assess_claim(lease=lease, engine=FakeEngine())
        return "assessed"

    assert Counter(at_once(cleo.tenant.id, [work] * 8)) == {"assessed": 1, "left": 7}
    with tenant_scope(cleo.tenant.id):
        assert Assessment.objects.count() == 1


def test_a_worker_that_finishes_while_its_job_is_buried_leaves_one_outcome_after_the_other(cleo: Person) -> None:
    claim_id = receive(cleo).claim.id
    lease = take_job(job_id=Job.objects.get().id, now=timezone.now())
    assert lease is not None

    def work(held: Lease) -> str:
        try:
            assess_claim(lease=held, engine=FakeEngine())
        except (LeaseLost, StaleClaim, MoveNotAllowed) as error:
            return error.code
        return "assessed"

    def bury() -> str:
        try:
            record_unassessable(claim_id=claim_id, tenant_id=cleo.tenant.id, code="worker_lost", now=timezone.now())
        except StaleClaim as error:
            return error.code
        return "buried"

    deeds: list[Callable[[], str]] = [partial(work, lease), bury]
    at_once(cleo.tenant.id, deeds)
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.get()
        versions = list(Assessment.objects.order_by("version").values_list("version", flat=True))
        assert claim.status in {"AWAITING_REVIEW", "PROCESSING"}
        if claim.status == "AWAITING_REVIEW":
            assert versions == list(range(1, len(versions) + 1))
            assert versions


def test_eight_requests_at_once_for_one_claim_are_one_run(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    tasks = at_once(ada.tenant.id, [partial(ask_again, ada, claim)] * 8)
    assert len(set(tasks)) == 1
    assert Job.objects.filter(kind="claims.reassess").count() == 1
    with tenant_scope(ada.tenant.id):
        assert Reassessment.objects.count() == 1
        assert AuditEvent.objects.filter(event="claim.reassessment_requested").count() == 1


def test_eight_workers_woken_for_one_run_assess_its_claim_once(cleo: Person, ada: Person) -> None:
    task_id = ask_again(ada, assessed_claim(cleo))

    def work() -> str:
        lease = take_job(job_id=task_id, now=timezone.now())
        if lease is None:
            return "left"
        reassess_next(lease=lease, engine=FakeEngine())
        return "assessed"

    assert Counter(at_once(ada.tenant.id, [work] * 8)) == {"assessed": 1, "left": 7}
    with tenant_scope(ada.tenant.id):
        assert sorted(Assessment.objects.values_list("version", flat=True)) == [1, 2]


def test_a_decision_and_a_newer_opinion_at_once_come_one_after_the_other(cleo: Person, ada: Person) -> None:
    """Either the decision is first and no version follows it, or the version is and the decision is told of it."""
    claim = assessed_claim(cleo)
    assert claim.assessment_id is not None
    lease = take_job(job_id=ask_again(ada, claim), now=timezone.now())
    assert lease is not None
    draft = DecisionDraft(DecisionKind.APPROVE, "Clear view.", claim.assessment_id)

    def decide() -> str:
        try:
            decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=timezone.now())
        except StaleAssessment as refusal:
            return refusal.code
        return "decided"

    def work() -> str:
        reassess_next(lease=lease, engine=FakeEngine(opinion_of(Severity.HIGH)))
        return "worked"

    outcomes = at_once(ada.tenant.id, [decide, work])
    with tenant_scope(ada.tenant.id):
        versions, state = Assessment.objects.count(), Reassessment.objects.get().state
    assert (outcomes[0], versions, state) in {("decided", 1, "SKIPPED"), ("stale_assessment", 2, "DONE")}
