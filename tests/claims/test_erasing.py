"""A claim is erased: nothing of the person is left anywhere, what was decided stays, and it happens once and whole."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from aiassist.models import StoredAnswer
from claims.choices import ClaimAction, ClaimStatus
from claims.errors import ClaimErased
from claims.models import Claim, Evidence, LinkKey, Party, VideoFile
from claims.services import assess_claim
from claims.workflow import move
from observability.choices import JobState
from observability.models import Job
from tenancy.choices import Role
from tenancy.models import AuditEvent, VaultKey
from tenancy.scope import every_tenant, tenant_scope
from tests.claims.handing_in import clip, files_in, hand_in
from tests.claims.opinions import take_only_job
from tests.claims.privacy import decided_claim, erase, everything_stored, hits, run_jobs
from tests.people import Person, make_person

CLAIMS, REVIEWS = "/api/v1/claims", "/api/v1/reviews"
CANARIES = [f"canary{word}" for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]]
DIGITS = {"phone": "+49 8811 9977331", "account": "DE55999911112222333344", "plate": "CNRY 77119"}
JANE = {"name": "Jane canaryone", "email": "canarytwo@example.org", **{k: DIGITS[k] for k in ("phone", "account")}}


def canary_form() -> dict[str, Any]:
    """Return an upload in which every field and the file itself hold a word that stands nowhere else."""
    return {
        "claimant": json.dumps(JANE),
        "loss_location": "canarythree street 5",
        "vehicle_plate": DIGITS["plate"],
        "description": "canaryfour hit canaryfive, says canarysix",
        "metadata": json.dumps({"canaryseven": {"deep": ["canaryeight"]}}),
    }


@pytest.mark.django_db(transaction=True)
def test_nothing_of_the_person_is_left_anywhere(
    cleo: Person, ada: Person, adam: Person, tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    words = [*CANARIES, *DIGITS.values(), "9977331", "CNRY77119", "cnry77119", "canarytwo@example"]
    api = cleo.api()
    upload = hand_in(api, "CLM-1", clip("canarynine"), **canary_form()).json()
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job())  # the whole pipeline, as without any provider
        claim = Claim.objects.get()
        StoredAnswer.objects.create(
            reference=str(claim.id),
            provider="openai",
            input_hash="0" * 64,
            content={"seen": "canaryten"},
            expires_at=timezone.now(),
        )
        Job.objects.update(error_detail="it failed at canaryten")
    decision = {"decision": "APPROVE", "reasoning": "Clear.", "assessment_id": str(claim.assessment_id)}
    decided = ada.api().post(f"{REVIEWS}/{claim.id}/decision", decision, format="json")
    assert decided.status_code == 201, decided.content
    at_rest = {name for name, _where in hits(words, everything_stored(tmp_path))}
    assert at_rest == {"canarynine", "canaryten"}, "what was told is sealed from the first moment on"
    erase()
    assert hits(words, everything_stored(tmp_path)) == []
    logged = caplog.text + "".join(capfd.readouterr())
    assert hits(words, [("logs", logged.encode())]) == []
    call_command("verify_audit")
    shown = adam.api().get(upload["links"]["self"]).json()
    assert (shown["personal_data"], shown["vehicle_plate"], shown["metadata"]) == ("ERASED", "", {})
    assert shown["claimant"] == {"name": "", "email": "", "phone": "", "account": ""}
    history = adam.api().get(f"{REVIEWS}/{claim.id}/history").json()["items"]
    assert [item["event"] for item in history][-2:] == ["review.decided", "claim.erased"]


def test_video_and_pictures_answer_410_and_their_files_are_gone(cleo: Person, adam: Person) -> None:
    claim = decided_claim(cleo)
    with tenant_scope(cleo.tenant.id):
        picture = Evidence.objects.exclude(image_key="").order_by("id")[0]
    assert len(files_in(settings.MEDIA_ROOT)) == 3, "a video and two pictures"
    answer = adam.api().post(f"{CLAIMS}/{claim.id}/erase", {"reason": "asked by letter"}, format="json")
    assert answer.status_code == 202, answer.content
    for address in (f"{CLAIMS}/{claim.id}/video", f"/api/v1/evidence/{picture.id}/image"):
        gone = cleo.api().get(address)
        assert (gone.status_code, gone.json()["code"]) == (410, "media_removed"), "at once, before the files are gone"
    run_jobs()
    assert files_in(settings.MEDIA_ROOT) == []
    with tenant_scope(cleo.tenant.id):
        assert not Evidence.objects.exclude(image_key="").exists()
        assert not LinkKey.objects.exists() and not Party.objects.exclude(sealed="").exists()
        assert VideoFile.objects.get().perceptual_hashes == []
        key = VaultKey.objects.get(purpose="SUBJECT")
    assert (key.wrapped, key.destroyed_at is not None) == ("", True)
    task = adam.api().get(f"/api/v1/tasks/{answer.json()['task_id']}").json()
    assert task["status"] == "SUCCEEDED"


def test_erasing_twice_is_erasing_once(cleo: Person, adam: Person) -> None:
    claim = decided_claim(cleo)
    api = adam.api()
    first, second = (api.post(f"{CLAIMS}/{claim.id}/erase", {}, format="json").json() for _ in range(2))
    assert first == second
    with tenant_scope(cleo.tenant.id):
        assert AuditEvent.objects.filter(event="claim.erased").count() == 1
    run_jobs()
    out = StringIO()
    call_command("erase", "--tenant", "acme", "--claim", "CLM-1", "--json", stdout=out)
    assert json.loads(out.getvalue())["again"] is True


def test_a_crash_between_commit_and_files_is_finished_by_the_job(
    cleo: Person, adam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = decided_claim(cleo)
    adam.api().post(f"{CLAIMS}/{claim.id}/erase", {}, format="json")
    deleted: list[str] = []

    def dies(key: str) -> None:
        deleted.append(key)
        raise OSError("the disk went away")

    with monkeypatch.context() as patch:
        patch.setattr("claims.services.erasing.default_storage.delete", dies)
        with pytest.raises(OSError, match="disk"):
            run_jobs()
    assert deleted and len(files_in(settings.MEDIA_ROOT)) == 3
    assert cleo.api().get(f"{CLAIMS}/{claim.id}/video").status_code == 410
    Job.objects.update(run_after=timezone.now())
    run_jobs()
    assert files_in(settings.MEDIA_ROOT) == []
    assert Job.objects.get().state == JobState.SUCCEEDED


def test_a_file_that_another_claim_shows_stays(cleo: Person, adam: Person) -> None:
    mine = decided_claim(cleo, "CLM-1", clip("same"))
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    theirs = decided_claim(dan, "CLM-2", clip("same"))
    erase("CLM-1")
    assert cleo.api().get(f"{CLAIMS}/{mine.id}/video").status_code == 410
    assert dan.api().get(f"{CLAIMS}/{theirs.id}/video").status_code == 200
    again = hand_in(cleo.api(), "CLM-3", clip("same"))
    assert (again.status_code, again.json()["duplicate"]) == (202, False), "an erased claim takes nothing in"
    erase("CLM-2")
    assert cleo.api().get(again.json()["links"]["self"] + "/video").status_code == 200


def test_the_same_bytes_may_come_again_after_an_erasure(cleo: Person, adam: Person) -> None:
    decided_claim(cleo, "CLM-1", clip("same"))
    erase()
    again = hand_in(cleo.api(), "CLM-2", clip("same"))
    assert (again.status_code, again.json()["duplicate"]) == (202, False)
    assert cleo.api().get(again.json()["links"]["self"] + "/video").status_code == 200


def test_an_open_claim_is_not_erased(cleo: Person, adam: Person) -> None:
    claim_id = hand_in(cleo.api()).json()["id"]
    answer = adam.api().post(f"{CLAIMS}/{claim_id}/erase", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "claim_open")
    assert cleo.api().get(f"{CLAIMS}/{claim_id}/video").status_code == 200


def test_legal_hold_outranks_erasure_until_it_is_lifted(cleo: Person, sam: Person, adam: Person) -> None:
    claim = decided_claim(cleo, description="He braked.")
    hold = f"{CLAIMS}/{claim.id}/legal-hold"
    held = sam.api().put(hold, {"held": True, "reason": "court file 7"}, format="json").json()
    again = sam.api().put(hold, {"held": True, "reason": "another word"}, format="json").json()
    assert held == again and held["reason"] == "court file 7" and held["held_since"]
    refused = adam.api().post(f"{CLAIMS}/{claim.id}/erase", {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "legal_hold")
    with pytest.raises(CommandError, match="legal_hold") as error:
        erase()
    assert error.value.returncode == 1
    assert cleo.api().get(f"{CLAIMS}/{claim.id}").json()["description"] == "He braked."
    lifted = sam.api().put(hold, {"held": False, "reason": "settled"}, format="json").json()
    assert lifted["held_since"] is None
    assert adam.api().post(f"{CLAIMS}/{claim.id}/erase", {}, format="json").status_code == 202
    late = sam.api().put(hold, {"held": True, "reason": "too late"}, format="json")
    assert (late.status_code, late.json()["code"]) == (410, "claim_erased")
    with tenant_scope(cleo.tenant.id):
        told = AuditEvent.objects.filter(event__startswith="claim.legal_hold").order_by("id")
        assert [(e.event, e.reason) for e in told] == [
            ("claim.legal_hold_set", "court file 7"),
            ("claim.legal_hold_lifted", "settled"),
        ]


def test_who_may_hold_and_who_may_erase(cleo: Person, ada: Person, sam: Person, zoe: Person) -> None:
    claim = decided_claim(cleo)
    hold, erasure = f"{CLAIMS}/{claim.id}/legal-hold", f"{CLAIMS}/{claim.id}/erase"
    words = {"held": True, "reason": "court"}
    for person, status in ((cleo, 403), (ada, 403), (zoe, 403)):
        assert person.api().put(hold, words, format="json").status_code == status
    for person in (cleo, ada, sam, zoe):
        assert person.api().post(erasure, {}, format="json").status_code == 403
    zed = make_person(zoe.tenant, "zed", Role.ADMIN)
    assert zed.api().post(erasure, {}, format="json").status_code == 404
    assert zed.api().put(hold, words, format="json").status_code == 404
    assert sam.api().put(hold, {"held": True, "reason": " "}, format="json").status_code == 400
    assert sam.api().put(hold, {"held": "yes", "reason": "x"}, format="json").status_code == 400
    assert cleo.api().get(f"{CLAIMS}/{claim.id}/video").status_code == 200


def test_an_erased_claim_is_not_opened_again(cleo: Person, sam: Person, adam: Person) -> None:
    decided_claim(cleo)
    erase()
    with tenant_scope(cleo.tenant.id), pytest.raises(ClaimErased):
        claim = Claim.objects.get()
        move(
            claim=claim,
            to=ClaimStatus.AWAITING_REVIEW,
            action=ClaimAction.ASSESSED,
            actor=sam.principal,
            now=timezone.now(),
        )


def test_erasures_are_repeated_on_a_database_from_before_them(cleo: Person, adam: Person, tmp_path: Path) -> None:
    claim = decided_claim(cleo, claimant=json.dumps(JANE), description="He braked.")
    with tenant_scope(cleo.tenant.id):
        before = {
            Claim: Claim.objects.filter(id=claim.id).values("sealed", "erased_at", "media_removed_at")[0],
            VaultKey: VaultKey.objects.filter(id=claim.subject_key_id).values("wrapped", "destroyed_at")[0],
        }
    erase()
    with tenant_scope(cleo.tenant.id):
        # The backup knows neither the erasure nor its line in the journal's table; the file beside it does.
        VaultKey.objects.filter(id=claim.subject_key_id).update(**before[VaultKey])
        Claim.objects.filter(id=claim.id).update(**before[Claim], held_since=timezone.now(), hold_reason="older")
    assert adam.api().get(f"{CLAIMS}/{claim.id}").json()["description"] == "He braked."
    lines = Path(settings.ERASURE_JOURNAL).read_text(encoding="utf-8")
    assert "He braked" not in lines and Path(settings.ERASURE_JOURNAL).stat().st_mode & 0o777 == 0o600
    for erased, known in ((1, 0), (0, 1)):
        out = StringIO()
        call_command("replay_erasures", "--json", stdout=out)
        told = json.loads(out.getvalue())
        assert (told["erased"], told["erased_before"], told["unknown"]) == (erased, known, 0)
    assert adam.api().get(f"{CLAIMS}/{claim.id}").json()["personal_data"] == "ERASED"
    torn = tmp_path / "torn.jsonl"
    torn.write_text(lines + '{"tenant_id": "', encoding="utf-8")
    with pytest.raises(CommandError, match=r"\[2\]"):
        call_command("replay_erasures", "--journal", str(torn), stdout=StringIO())


def test_the_erasure_journal_is_only_added_to(cleo: Person, adam: Person) -> None:
    decided_claim(cleo)
    erase()
    for statement in ("DELETE FROM tenancy_erasure", "UPDATE tenancy_erasure SET erased_at = erased_at"):
        past_policies = every_tenant("past row-level security, which would show no row to change")
        refused = pytest.raises(DatabaseError, match="append-only")
        with refused, transaction.atomic(), past_policies, connection.cursor() as cursor:
            cursor.execute(statement)
