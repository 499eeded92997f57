"""`POST /claims/upload`: what works, who may, and what the same bytes mean the second time."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from claims.models import Claim, Party, Policy, Resubmission, VideoFile
from observability.models import Job
from tenancy.choices import Role
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.claims.handing_in import NOTHING, UPLOAD, clip, files_in, hand_in, left_behind, video_file
from tests.people import Person, make_key, make_person


def test_upload_answers_with_a_claim_that_is_on_its_way(cleo: Person) -> None:
    answer = hand_in(cleo.api(), "CLM-2026-7")
    body = answer.json()
    assert answer.status_code == 202
    assert answer["Location"] == body["links"]["self"] == f"/api/v1/claims/{body['id']}"
    assert body | {"id": "", "links": {}} == {
        "id": "",
        "claim_number": "CLM-2026-7",
        "status": "RECEIVED",
        "sha256": hashlib.sha256(clip()).hexdigest(),
        "size_bytes": len(clip()),
        "duplicate": False,
        "links": {},
    }


def test_upload_stores_the_very_bytes_and_empties_quarantine(cleo: Person) -> None:
    hand_in(cleo.api())
    with tenant_scope(cleo.tenant.id):
        video = VideoFile.objects.get()
    assert files_in(settings.MEDIA_ROOT) == [video.storage_key]
    assert (settings.MEDIA_ROOT / video.storage_key).read_bytes() == clip()
    assert video.storage_key.startswith(f"{cleo.tenant.id}/")
    assert (video.codec, video.width_px, video.height_px, video.media_type) == ("h264", 320, 180, "video/mp4")
    assert files_in(settings.QUARANTINE_DIR) == []


def test_upload_writes_claim_job_and_audit_event_together(cleo: Person) -> None:
    claim_id = hand_in(cleo.api()).json()["id"]
    job = Job.objects.get()
    assert (job.kind, job.arguments["claim_id"], job.tenant_ref) == ("claims.assess", claim_id, str(cleo.tenant.id))
    with tenant_scope(cleo.tenant.id):
        event = AuditEvent.objects.get()
    assert (event.event, event.object_id, event.actor_type) == ("claim.received", claim_id, "HUMAN")


def test_upload_keeps_everything_that_was_told(cleo: Person) -> None:
    with tenant_scope(cleo.tenant.id):
        policy = Policy.objects.create(
            policy_number="POL-1", holder_name="Cleo", effective_on="2026-01-01", expires_on="2026-12-31"
        )
    answer = hand_in(
        cleo.api(),
        policy_number="POL-1",
        loss_at="2026-03-01T17:30:00+01:00",
        loss_location="Ulm",
        description="He braked.",
        claimant=json.dumps({"name": "Cleo Client", "email": "cleo@example.com", "phone": "+49 731 1", "account": "A"}),
        vehicle_plate="UL-C 1",
        metadata=json.dumps({"camera": {"model": "X1"}}),
    )
    assert answer.status_code == 202, answer.content
    with tenant_scope(cleo.tenant.id):
        claim, party = Claim.objects.get(), Party.objects.get()
        told, contact = claim.told, party.contact
    assert (claim.policy_id, told.loss_location, told.vehicle_plate) == (policy.id, "Ulm", "UL-C 1")
    assert claim.loss_at is not None and claim.loss_at.isoformat() == "2026-03-01T16:30:00+00:00"
    assert told.metadata == {"camera": {"model": "X1"}}
    assert (party.role, contact.name, contact.email) == ("CLAIMANT", "Cleo Client", "cleo@example.com")


def test_upload_by_a_signed_in_person_with_a_csrf_token(cleo: Person) -> None:
    browser = APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(cleo.user)
    browser.cookies["csrftoken"] = "a" * 32
    answer = browser.post(
        UPLOAD, {"claim_number": "CLM-1", "video": video_file()}, format="multipart", HTTP_X_CSRFTOKEN="a" * 32
    )
    assert answer.status_code == 202, answer.content


def test_upload_from_another_page_without_a_csrf_token_is_refused_and_leaves_nothing(cleo: Person) -> None:
    browser = APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(cleo.user)
    answer = browser.post(UPLOAD, {"claim_number": "CLM-1", "video": video_file()}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert left_behind() == NOTHING


def test_upload_by_a_stranger_is_refused_and_leaves_nothing(acme: object) -> None:
    answer = hand_in(APIClient(raise_request_exception=False))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert left_behind() == NOTHING


def test_upload_by_an_auditor_is_refused_and_leaves_nothing(audrey: Person) -> None:
    answer = hand_in(audrey.api())
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert left_behind() == NOTHING


def test_upload_with_a_key_that_may_only_read_is_refused(cleo: Person) -> None:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=make_key(cleo, scopes=["read"]))
    assert hand_in(client).status_code == 403


def test_the_same_bytes_from_the_same_person_are_the_same_claim(cleo: Person) -> None:
    first = hand_in(cleo.api(), "CLM-1").json()
    again = hand_in(cleo.api(), "CLM-2")
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, first["id"], True)
    assert again.json()["claim_number"] == "CLM-1"
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 1, "videos": 1, "jobs": 1}
    with tenant_scope(cleo.tenant.id):
        assert Resubmission.objects.get().claim_number == "CLM-2"
        assert [e.event for e in AuditEvent.objects.order_by("id")] == ["claim.received", "claim.resubmitted"]


def test_the_same_bytes_from_staff_are_the_claim_that_they_can_see(cleo: Person, ada: Person) -> None:
    first = hand_in(cleo.api(), "CLM-1").json()
    again = hand_in(ada.api(), "CLM-2")
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


def test_the_same_bytes_from_another_client_are_a_new_claim_on_the_same_file(cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    first = hand_in(cleo.api(), "CLM-1").json()
    other = hand_in(dan.api(), "CLM-2")
    assert (other.status_code, other.json()["duplicate"]) == (202, False)
    assert other.json()["id"] != first["id"]
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 2, "videos": 1, "jobs": 2}


def test_another_clients_name_of_the_same_file_is_not_told(cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    hand_in(cleo.api(), "CLM-1", video=video_file(name="cleo-and-her-doctor.mp4"))
    own = hand_in(dan.api(), "CLM-2", video=video_file(name="mine.mp4")).json()
    assert dan.api().get(own["links"]["self"]).json()["file_name"] == "mine.mp4"
    shown = dan.api().get(own["links"]["self"] + "/video")
    assert shown["Content-Disposition"] == 'inline; filename="mine.mp4"'


def test_a_repeated_request_with_a_key_has_one_effect_and_the_same_answer(cleo: Person) -> None:
    client = cleo.api()
    answers = [
        client.post(
            UPLOAD,
            {"claim_number": "CLM-1", "video": video_file()},
            format="multipart",
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert answers[1]["Location"] == answers[0]["Location"]
    with tenant_scope(cleo.tenant.id):
        assert Resubmission.objects.count() == 0
    assert left_behind() == {"quarantined files": 0, "stored files": 1, "claims": 1, "videos": 1, "jobs": 1}


@pytest.mark.parametrize("change", ["number", "bytes"])
def test_a_key_that_was_used_for_another_upload_is_refused(cleo: Person, change: str) -> None:
    client = cleo.api()

    def send(number: str, mark: str) -> int:
        form = {"claim_number": number, "video": video_file(clip(mark))}
        return client.post(UPLOAD, form, format="multipart", headers={"Idempotency-Key": "once"}).status_code

    assert send("CLM-1", "one") == 202
    assert send(*(("CLM-2", "one") if change == "number" else ("CLM-1", "two"))) == 422
    assert left_behind()["claims"] == 1
    assert left_behind()["quarantined files"] == 0


def test_the_same_bytes_at_another_tenant_say_nothing_about_the_first(cleo: Person, zoe: Person) -> None:
    hand_in(cleo.api(), "CLM-1")
    other = hand_in(zoe.api(), "CLM-1")
    assert (other.status_code, other.json()["duplicate"]) == (202, False)
    assert left_behind()["stored files"] == 2


def test_a_used_number_with_other_bytes_is_refused_and_leaves_nothing(cleo: Person, ada: Person) -> None:
    hand_in(cleo.api(), "CLM-1")
    before = left_behind()
    answer = hand_in(ada.api(), "CLM-1", clip("two"))
    assert (answer.status_code, answer.json()["code"]) == (409, "claim_number_exists")
    assert left_behind() == before


def test_a_used_number_from_another_client_with_the_same_bytes_is_refused(cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    hand_in(cleo.api(), "CLM-1")
    assert hand_in(dan.api(), "CLM-1").status_code == 409


@pytest.mark.parametrize("name", ["../../etc/passwd.mp4", "a" * 400 + ".mp4", "süß.mp4", "C:\\films\\x.mp4"])
def test_a_files_name_is_a_remark_and_never_a_path(cleo: Person, name: str) -> None:
    answer = hand_in(cleo.api(), video=video_file(name=name))
    assert answer.status_code == 202
    with tenant_scope(cleo.tenant.id):
        video, kept = VideoFile.objects.get(), Claim.objects.get().told.file_name
    assert 0 < len(kept) <= 255
    assert "/" not in kept and "\\" not in kept
    assert "passwd" not in video.storage_key
