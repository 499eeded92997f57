"""The page of a claim's personal data, the export for the person, and pages that stay usable when nothing opens."""

from __future__ import annotations

import io
import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from claims.identifiers import identifiers_in
from claims.models import Claim
from claims.models.told import Contact, Told
from claims.selectors import claim_visible_to
from observability.models import Job
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tenancy.sealing import new_key
from tests.claims.handing_in import clip, hand_in
from tests.claims.privacy import decided_claim
from tests.files import make_assessed_claim, make_party
from tests.people import Person

JANE: dict[str, Any] = {
    "name": "Jane Doe",
    "email": "jane@example.org",
    "phone": "+49 170 1234567",
    "account": "DE02 1203 0000",
}
TOLD = {"description": "He braked.", "loss_location": "Ulm", "vehicle_plate": "UL-C 17"}


def file_of(person: Person, number: str = "CLM-1", **claimant: str) -> Claim:
    return decided_claim(person, number, clip(number), claimant=json.dumps(claimant or JANE), **TOLD)


def privacy(claim: Claim, deed: str = "") -> str:
    return f"/desk/claims/{claim.id}/privacy/{deed}"


def test_a_supervisor_holds_and_lifts_on_the_page(cleo: Person, sam: Person) -> None:
    claim, browser = file_of(cleo), sam.browser()
    page = browser.get(privacy(claim)).content.decode()
    assert "Put on hold" in page and "Erase for good" not in page, "erasing is the administrator's"
    browser.post(privacy(claim, "hold/"), {"held": "true", "hold_reason": "court file 7"})
    shown = browser.get(f"/desk/claims/{claim.id}/review/").content.decode()
    assert "Legal hold since" in shown and "court file 7" in shown and "Legal hold set" in shown
    missing = browser.post(privacy(claim, "hold/"), {"held": "false", "hold_reason": ""})
    assert missing.status_code == 400 and "Say why." in missing.content.decode()
    named = browser.post(privacy(claim, "hold/"), {"held": "false", "hold_reason": "Jane Doe has asked"})
    assert named.status_code == 400 and "claimant&#x27;s name" in named.content.decode()
    browser.post(privacy(claim, "hold/"), {"held": "false", "hold_reason": "settled"})
    assert "Legal hold since" not in browser.get(f"/desk/claims/{claim.id}/review/").content.decode()


def test_an_administrator_erases_after_typing_the_number(cleo: Person, adam: Person) -> None:
    claim, browser = file_of(cleo), adam.browser()
    wrong = browser.post(privacy(claim, "erase/"), {"confirm": "CLM-2"})
    assert wrong.status_code == 400 and "not the number" in wrong.content.decode()
    named = browser.post(privacy(claim, "erase/"), {"confirm": "CLM-1", "erase_reason": "jane@example.org asked"})
    assert named.status_code == 400
    done = browser.post(privacy(claim, "erase/"), {"confirm": "CLM-1", "erase_reason": "asked by letter"}, follow=True)
    page = done.content.decode()
    assert "were erased for good" in page and "Erase for good" not in page
    shown = browser.get(f"/desk/claims/{claim.id}/review/").content.decode()
    assert "were erased on" in shown and "Video and pictures were removed" in shown
    assert "<video" not in shown and "He braked." not in shown and "Jane" not in shown and "/image" not in shown
    assert "CLM-1" in shown and "asked by letter" in shown and "Approved" in shown
    listed = browser.get("/desk/claims/").content.decode()
    assert "CLM-1" in listed and "UL-C 17" not in listed


@pytest.mark.parametrize("deed", ["", "hold/", "erase/", "export/"])
def test_who_sees_the_page_and_acts_on_it(cleo: Person, ada: Person, zoe: Person, deed: str) -> None:
    claim = make_assessed_claim(cleo)
    for person in (cleo, ada, zoe):
        browser = person.browser()
        answer = browser.post(privacy(claim, deed), {}) if deed else browser.get(privacy(claim))
        assert answer.status_code == 403


def test_a_held_or_open_claim_offers_no_erasure(cleo: Person, adam: Person) -> None:
    open_claim = make_assessed_claim(cleo, "CLM-OPEN")
    page = adam.browser().get(privacy(open_claim)).content.decode()
    assert "Not before the claim is decided." in page and "Erase for good" not in page
    refused = adam.browser().post(privacy(open_claim, "erase/"), {"confirm": "CLM-OPEN"})
    assert refused.status_code == 409 and "not decided yet" in refused.content.decode()


def unpacked(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["subject.json"]
        document: dict[str, Any] = json.loads(archive.read("subject.json"))
    return document


def test_the_export_tells_everything_that_is_kept_and_no_suspicion(cleo: Person, adam: Person) -> None:
    claim = file_of(cleo)
    answer = adam.browser().post(privacy(claim, "export/"))
    assert answer["Content-Type"] == "application/zip" and "attachment" in answer["Content-Disposition"]
    (told,) = unpacked(answer.content)["claims"]
    assert told["claimant"] == JANE and {name: told[name] for name in TOLD} == TOLD
    assert told["assessments"][0]["severity"] and "fraud_risk_score" not in json.dumps(told)
    assert {item["kind"] for item in told["media"]} == {"video", "picture"}
    with tenant_scope(cleo.tenant.id):
        event = AuditEvent.objects.get(event="claim.personal_data_exported")
    assert (event.object_id, event.actor_name) == (str(claim.id), "Adam")


def test_a_person_is_found_by_mail_and_by_number_and_nobody_else(cleo: Person, adam: Person, tmp_path: Path) -> None:
    file_of(cleo, "CLM-1")
    file_of(cleo, "CLM-2", name="Jane", phone="0170/1234567")
    # The index compares the last nine digits, in which these two numbers agree.
    file_of(cleo, "CLM-3", name="Max Meier", phone="+33 1 70 1234567")
    with tenant_scope(cleo.tenant.id):
        Job.objects.all().delete()
    found = {}
    for name, option in (("mail", "--email=JANE@example.org"), ("phone", "--phone=0049 170 1234567")):
        out = tmp_path / f"{name}.zip"
        call_command("subject_export", "--tenant", "acme", option, "--out", str(out), stdout=StringIO())
        found[name] = [claim["claim_number"] for claim in unpacked(out.read_bytes())["claims"]]
        assert out.stat().st_mode & 0o777 == 0o600
    assert found == {"mail": ["CLM-1"], "phone": ["CLM-1", "CLM-2"]}
    with pytest.raises(CommandError) as nobody:
        call_command("subject_export", "--tenant", "acme", "--email=x@example.org", "--out", str(tmp_path / "x.zip"))
    assert nobody.value.returncode == 3 and not (tmp_path / "x.zip").exists()
    with pytest.raises(CommandError) as taken:
        call_command("subject_export", "--tenant", "acme", "--claim=CLM-1", "--out", str(tmp_path / "mail.zip"))
    assert taken.value.returncode == 1


def test_a_lost_master_key_leaves_every_page_usable(cleo: Person, ada: Person, sam: Person, settings: Any) -> None:
    with tenant_scope(cleo.tenant.id):
        claim = make_assessed_claim(cleo)
        make_party(claim, **JANE)
    told = file_of(cleo, "CLM-2")
    settings.VAULT_MASTER_KEYS = {2: new_key()}
    browser = ada.browser()
    for address in (
        "/desk/",
        "/desk/claims/",
        "/desk/claims/?q=UL-C+17",
        f"/desk/claims/{claim.id}/review/",
        f"/desk/claims/{claim.id}/",
    ):
        assert browser.get(address).status_code == 200, address
    page = browser.get(f"/desk/claims/{told.id}/review/").content.decode()
    assert "cannot be read" in page and "Jane" not in page
    shown = ada.api().get(f"/api/v1/claims/{told.id}").json()
    assert (shown["personal_data"], shown["description"]) == ("UNREADABLE", "")
    assert ada.api().get("/api/v1/claims?q=CLM-2").json()["items"][0]["claim_number"] == "CLM-2"
    refused = hand_in(cleo.api(), "CLM-3", clip("three"))
    assert (refused.status_code, refused.json()["code"]) == (503, "vault_key_missing")
    assert cleo.api().get(f"/api/v1/claims/{told.id}/video").status_code == 200


def test_text_pasted_from_another_claim_is_not_shown(cleo: Person, ada: Person) -> None:
    victim, thief = file_of(cleo, "CLM-1"), file_of(cleo, "CLM-2", name="Max Meier")
    with tenant_scope(cleo.tenant.id):
        row = Claim.objects.get(id=victim.id)
        Claim.objects.filter(id=thief.id).update(sealed=row.sealed, subject_key=row.subject_key)
    shown = ada.api().get(f"/api/v1/claims/{thief.id}").json()
    assert (shown["personal_data"], shown["description"]) == ("UNREADABLE", "")


def test_the_claim_page_asks_no_more_for_what_is_sealed(
    cleo: Person, ada: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    claim = file_of(cleo)
    with tenant_scope(cleo.tenant.id), django_assert_max_num_queries(2):
        found = claim_visible_to(principal=ada.principal, claim_id=claim.id)
        assert found.told.description == "He braked."


def test_the_queue_opens_nothing(cleo: Person, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    make_assessed_claim(cleo)
    opened: list[object] = []
    monkeypatch.setattr("claims.models.told.read_record", lambda *args, **kwargs: opened.append(args))
    assert ada.browser().get("/desk/").status_code == 200
    assert ada.api().get("/api/v1/reviews/queue").status_code == 200
    assert opened == []


def test_a_decision_that_names_the_claimant_is_refused(cleo: Person, ada: Person) -> None:
    with tenant_scope(cleo.tenant.id):
        claim = make_assessed_claim(cleo)
        make_party(claim, **JANE)
    words = {"decision": "APPROVE", "assessment_id": str(claim.assessment_id)}
    address = f"/api/v1/reviews/{claim.id}/decision"
    refused = ada.api().post(address, {**words, "reasoning": "I called +49 170 123 45 67."}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "personal_data_in_reason")
    assert refused.json()["errors"][0]["pointer"] == "/reasoning" and "170" not in refused.content.decode()
    assert ada.api().post(address, {**words, "reasoning": "I called."}, format="json").status_code == 201


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jane  DOE said so", {"name"}),
        ("Jane said so", set()),
        ("see JANE@example.org", {"e-mail address"}),
        ("call 0170/1234567", {"telephone number"}),
        ("call 0171/1234567", set()),
        ("to de0212030000", {"account"}),
        ("the car b-ab 1234", {"number plate"}),
        ("braked at 12:34 for 1.5 s, impact at 4.25", set()),
        ("", set()),
    ],
)
def test_identifiers_are_found_in_any_spelling(text: str, found: set[str]) -> None:
    assert identifiers_in(text, Told(vehicle_plate="B-AB 1234"), Contact(**JANE)) == found
    assert identifiers_in(text, Told(), Contact()) == set()
