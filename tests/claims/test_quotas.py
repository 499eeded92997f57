"""What claims cost: quotas at the doors where claims come in, under races, and what is given back."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from aiassist.types import Severity
from claims.models import Claim, Reassessment, VideoFile
from claims.services import bury_reassessment, reassess_next, record_unassessable, recount_stored_bytes
from tenancy.choices import QuotaResource, Tier
from tenancy.errors import QuotaExceeded
from tenancy.models import QuotaCounter, QuotaHold, Tenant
from tenancy.plans import GIGABYTE
from tenancy.scope import every_tenant, tenant_scope
from tests.claims.handing_in import NOTHING, UPLOAD, clip, hand_in, left_behind, receive, video_file
from tests.claims.opinions import FakeEngine, opinion_of
from tests.claims.reassessing import ask_again, assessed_claim, lease_of
from tests.people import Person
from tests.reviews.crowd import at_once


def allow(person: Person, assessments: int | None, storage_gb: int | None = None) -> None:
    Tenant.objects.filter(id=person.tenant.id).update(
        tier=Tier.ENTERPRISE, custom_assessments_per_month=assessments, custom_storage_gb=storage_gb
    )


def used(person: Person, resource: QuotaResource = QuotaResource.ASSESSMENTS) -> tuple[int, int]:
    with tenant_scope(person.tenant.id):
        row = QuotaCounter.objects.filter(resource=resource).first()
    return (row.used, row.reserved) if row else (0, 0)


def fill_storage(person: Person, size_bytes: int) -> None:
    with tenant_scope(person.tenant.id):
        QuotaCounter.objects.create(resource=QuotaResource.STORAGE_BYTES, period="1970-01-01", used=size_bytes)


def test_a_claim_costs_an_assessment_and_its_bytes_and_the_same_again_nothing(cleo: Person, ada: Person) -> None:
    assert hand_in(cleo.api(), "CLM-1").status_code == 202
    assert hand_in(cleo.api(), "CLM-2").status_code == 200
    assert hand_in(ada.api(), "CLM-3").status_code == 200
    assert used(cleo) == (1, 0)
    assert used(cleo, QuotaResource.STORAGE_BYTES) == (len(clip()), 0)
    with every_tenant("a test counts"):
        assert not QuotaHold.objects.exists()


def test_the_same_bytes_from_another_client_cost_an_assessment_and_no_storage(cleo: Person, ada: Person) -> None:
    hand_in(ada.api(), "CLM-1")
    assert hand_in(cleo.api(), "CLM-2").status_code == 202
    assert used(cleo) == (2, 0)
    assert used(cleo, QuotaResource.STORAGE_BYTES) == (len(clip()), 0)


def test_a_used_up_quota_refuses_new_claims_and_leaves_nothing(cleo: Person, zoe: Person) -> None:
    allow(cleo, 0)
    answer = hand_in(cleo.api())
    assert (answer.status_code, answer.json()["code"], answer.json()["quota"]) == (429, "quota_exceeded", "assessments")
    assert int(answer.headers["Retry-After"]) > 1
    assert left_behind() == NOTHING and used(cleo) == (0, 0)
    assert hand_in(zoe.api()).status_code == 202  # another tenant has its own


def test_a_duplicate_is_answered_when_the_quota_is_used_up(cleo: Person) -> None:
    allow(cleo, 1)
    hand_in(cleo.api(), "CLM-1")
    assert hand_in(cleo.api(), "CLM-2").json()["duplicate"] is True
    assert hand_in(cleo.api(), "CLM-3", clip("other")).status_code == 429


def test_a_file_that_is_refused_gives_back_what_was_held(cleo: Person) -> None:
    broken = clip()[:400] + b"\0" * 3_000
    assert hand_in(cleo.api(), "CLM-1", broken).status_code == 422
    hand_in(cleo.api(), "CLM-1")
    assert hand_in(cleo.api(), "CLM-1", clip("other")).status_code == 409
    assert used(cleo) == (1, 0)
    assert used(cleo, QuotaResource.STORAGE_BYTES) == (len(clip()), 0)


def test_a_full_storage_refuses_by_the_length_alone(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cleo, None, 1)
    fill_storage(cleo, GIGABYTE - 1_000_000)
    opened: list[str] = []
    monkeypatch.setattr("claims.intake._Writer.__init__", lambda self, name, most: opened.append(name))
    answer = hand_in(cleo.api(), "CLM-1", clip() + b"\0" * 3_200_000)
    assert (answer.status_code, answer.json()["quota"]) == (429, "storage")
    assert opened == [] and left_behind() == NOTHING


def test_a_repeated_upload_gets_its_answer_when_there_is_no_room_any_more(cleo: Person) -> None:
    allow(cleo, 1, 1)
    client, content = cleo.api(), clip() + b"\0\0\x20\0free" + b"\0" * 3_200_000
    form = {"claim_number": "CLM-1"}

    def send() -> tuple[int, str | None]:
        upload = {**form, "video": video_file(content)}
        answer = client.post(UPLOAD, upload, format="multipart", headers={"Idempotency-Key": "once"})
        return answer.status_code, answer.headers.get("Idempotency-Replayed")

    assert send() == (202, None)
    with tenant_scope(cleo.tenant.id):
        QuotaCounter.objects.filter(resource=QuotaResource.STORAGE_BYTES).update(used=GIGABYTE)
    assert send() == (202, "true")


def test_a_full_storage_refuses_what_the_length_did_not_tell(cleo: Person, ada: Person) -> None:
    allow(cleo, None, 1)
    fill_storage(cleo, GIGABYTE - len(clip()))
    assert hand_in(cleo.api(), "CLM-1").status_code == 202
    answer = hand_in(cleo.api(), "CLM-2", clip("other"))
    assert (answer.status_code, answer.json()["quota"], used(cleo)) == (429, "storage", (1, 0))
    # Stored already: another client's claim on the same bytes needs no room.
    assert hand_in(ada.api(), "CLM-3").status_code == 200


def test_the_form_tells_people_and_the_command_says_try_later(
    cleo: Person, adam: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allow(cleo, 0)
    film = tmp_path / "CLM-9.mp4"
    film.write_bytes(clip())
    with film.open("rb") as stream:
        page = cleo.browser().post("/desk/claims/new/", {"claim_number": "CLM-9", "video": stream})
    assert page.status_code == 429 and "assessments are used up" in page.content.decode()
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        call_command("ingest", str(film), "--tenant", "acme", "--json")
    assert ended.value.code == 75
    assert json.loads(capsys.readouterr().out)["items"][0]["error"]["code"] == "quota_exceeded"


def test_an_assessment_that_the_platform_failed_to_make_is_given_back_once(cleo: Person) -> None:
    claim = receive(cleo).claim
    for _ in range(2):
        record_unassessable(claim_id=claim.id, tenant_id=cleo.tenant.id, code="attempts_spent", now=timezone.now())
    assert used(cleo) == (0, 0)
    assert used(cleo, QuotaResource.STORAGE_BYTES) == (len(clip()), 0)


def test_assessing_again_counts_unless_it_runs_already_and_is_refused_whole(ada: Person, cleo: Person) -> None:
    first, second = assessed_claim(cleo, "CLM-1"), assessed_claim(cleo, "CLM-2")
    allow(cleo, 3)
    with pytest.raises(QuotaExceeded):
        ask_again(ada, first, second)
    assert used(cleo) == (2, 0)
    task = ask_again(ada, first)
    assert ask_again(ada, first) == task
    assert used(cleo) == (3, 0)
    with pytest.raises(QuotaExceeded):
        ask_again(ada, second)
    with tenant_scope(cleo.tenant.id):
        assert Reassessment.objects.count() == 1


def test_a_repeat_that_failed_is_given_back_and_counts_when_an_operator_has_it_done(ada: Person, cleo: Person) -> None:
    claim = assessed_claim(cleo)
    task = ask_again(ada, claim)
    for _ in range(2):
        bury_reassessment(task_id=task, tenant_id=cleo.tenant.id, code="attempts_spent", now=timezone.now())
        assert used(cleo) == (1, 0)
    with tenant_scope(cleo.tenant.id):
        reassess_next(lease=lease_of(task), engine=FakeEngine(opinion_of(Severity.HIGH)))
    assert used(cleo) == (2, 0)


def test_stored_bytes_are_put_right_from_the_files(cleo: Person, zoe: Person) -> None:
    receive(cleo)
    with every_tenant("a test spoils"):
        QuotaCounter.objects.filter(resource=QuotaResource.STORAGE_BYTES).update(used=7)
    assert recount_stored_bytes(now=timezone.now()) == 1
    assert used(cleo, QuotaResource.STORAGE_BYTES) == (len(clip()), 0)
    assert recount_stored_bytes(now=timezone.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_sixty_four_uploads_at_once_with_one_left_are_one_claim(cleo: Person) -> None:
    clip()
    receive(cleo, "CLM-0", clip("before"))
    allow(cleo, 2)

    def upload(number: int) -> str:
        try:
            receive(cleo, f"CLM-{number}", clip(str(number)))
        except QuotaExceeded as refusal:
            return refusal.code
        return "received"

    outcomes = Counter(at_once(cleo.tenant.id, [partial(upload, number) for number in range(1, 65)]))
    assert outcomes == {"received": 1, "quota_exceeded": 63}
    assert used(cleo) == (2, 0)
    with tenant_scope(cleo.tenant.id):
        assert Claim.objects.count() == VideoFile.objects.count() == 2 and not QuotaHold.objects.exists()
    assert left_behind()["stored files"] == 2
