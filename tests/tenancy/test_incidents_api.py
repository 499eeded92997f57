"""Incidents over HTTP: an operator takes one on, follows its runbook, ends it and writes its report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from observability import request_minutes
from observability.choices import JobState
from observability.incidents.choices import IncidentKind
from observability.incidents.models import Incident
from observability.models import Job, RequestMinute
from tenancy.audit import TenancyAction
from tenancy.choices import Role
from tenancy.models import ApiKey, AuditEvent, BrowserSession, Tenant
from tenancy.scope import tenant_scope
from tests.observability.incidents.troubles import an_incident
from tests.observability.work import known_kind, make_job
from tests.people import Person, make_key, make_operator, make_person
from tests.sealing import seal_now

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/incidents"
TROUBLE = {"kind": "MODEL_FAILURE", "subject": "openai", "title": "It answers 500"}


@pytest.fixture
def olga() -> Client:
    return make_operator().browser()


def send(browser: Client, address: str, body: dict[str, Any] | None = None, verb: str = "post") -> Any:
    return getattr(browser, verb)(f"{ADDRESS}{address}", body or {}, content_type="application/json")


def opened(browser: Client, **more: Any) -> dict[str, Any]:
    answer = send(browser, "", {**TROUBLE, **more})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_an_operator_opens_an_incident_with_its_runbook(olga: Client) -> None:
    body = opened(olga)
    assert (body["name"], body["severity"], body["status"]) == (f"INC-{body['id']}", "P2", "OPEN")
    assert [step["position"] for step in body["steps"]] == [1, 2, 3, 4, 5]
    assert [row["kind"] for row in body["timeline"]] == ["OPENED", "ESCALATED"]
    assert body["timeline"][0]["by"] == "olga"
    again = send(olga, "", TROUBLE)
    assert (again.status_code, again.json()["id"]) == (200, body["id"])


def test_the_whole_way_from_open_to_closed(olga: Client) -> None:
    number = opened(olga, began_at=(timezone.now() - timedelta(minutes=3)).isoformat())["id"]
    assert send(olga, f"/{number}/acknowledge").json()["acknowledged_by"] == "olga"
    assert send(olga, f"/{number}/steps/1").json()["state"] == "DONE"
    assert send(olga, f"/{number}/steps/2").json()["output"].startswith("openai is held open")
    assert send(olga, f"/{number}/steps/3", {"note": "the quota was used up"}).json()["state"] == "DONE"
    assert send(olga, f"/{number}/steps/4").json()["output"].startswith("openai is closed")
    skipped = send(olga, f"/{number}/steps/5", {"do": "SKIP", "note": "no claims at night"}).json()
    assert (skipped["state"], skipped["output"]) == ("SKIPPED", "no claims at night")
    assert send(olga, f"/{number}/mitigate", {"note": "calls pass"}).json()["status"] == "MITIGATED"
    assert send(olga, f"/{number}/resolve").json()["status"] == "RESOLVED"
    assert send(olga, f"/{number}/close").json()["code"] == "report_missing"
    words = {"cause": "The quota.\n# not a heading", "follow_ups": "Watch the bill."}
    report = send(olga, f"/{number}/report", words, verb="put").json()
    assert 180 <= report["detected_seconds"] < 240
    assert (report["steps_done"], report["steps_skipped"], report["steps_total"]) == (4, 1, 5)
    assert "> # not a heading" in report["markdown"] and "| 2. Leave the provider alone | Done |" in report["markdown"]
    assert send(olga, f"/{number}/close").json()["status"] == "CLOSED"
    kinds = [row["kind"] for row in olga.get(f"{ADDRESS}/{number}").json()["timeline"]]
    assert kinds[-4:] == ["MITIGATED", "RESOLVED", "REPORTED", "CLOSED"]


def test_a_step_that_somebody_did_is_refused_with_its_state(olga: Client) -> None:
    number = opened(olga)["id"]
    send(olga, f"/{number}/steps/1")
    answer = send(olga, f"/{number}/steps/1")
    assert (answer.status_code, answer.json()["code"], answer.json()["step_state"]) == (409, "step_taken", "DONE")


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        ("/steps/3", {"do": "RUN"}, 400, "step_by_hand"),
        ("/steps/1", {"do": "TICK"}, 400, "step_runs"),
        ("/steps/1", {"do": "SKIP"}, 400, "reason_needed"),
        ("/steps/1", {"do": "FLY"}, 400, "invalid_input"),
        ("/steps/9", {}, 404, "not_found"),
        ("/close", {}, 409, "report_missing"),
        ("/acknowledge", {"now": True}, 400, "invalid_input"),
    ],
)
def test_what_does_not_fit_is_refused(olga: Client, address: str, body: dict[str, Any], status: int, code: str) -> None:
    number = opened(olga)["id"]
    answer = send(olga, f"/{number}{address}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_report_is_written_when_it_is_over(olga: Client) -> None:
    number = opened(olga)["id"]
    answer = send(olga, f"/{number}/report", {"cause": "too early"}, verb="put")
    assert (answer.status_code, answer.json()["code"], answer.json()["incident_status"]) == (
        409,
        "incident_moved",
        "OPEN",
    )


def test_the_list_is_filtered_and_paged(olga: Client) -> None:
    first, second = opened(olga)["id"], opened(olga, subject="local", severity="P4")["id"]
    send(olga, f"/{first}/resolve")
    assert [i["id"] for i in olga.get(ADDRESS).json()["items"]] == [second, first]
    assert [i["id"] for i in olga.get(ADDRESS, {"open": "true"}).json()["items"]] == [second]
    assert [i["id"] for i in olga.get(ADDRESS, {"open": "false"}).json()["items"]] == [first]
    assert [i["id"] for i in olga.get(ADDRESS, {"severity": "P4"}).json()["items"]] == [second]
    page = olga.get(ADDRESS, {"limit": "1"}).json()
    rest = olga.get(ADDRESS, {"limit": "1", "cursor": page["next_cursor"]}).json()
    assert [i["id"] for i in (*page["items"], *rest["items"])] == [second, first]
    assert olga.get(ADDRESS, {"status": "ASLEEP"}).status_code == 400


def test_runbooks_are_shown_before_anything_happened(olga: Client) -> None:
    books = olga.get(f"{ADDRESS}/runbooks").json()["items"]
    assert [(book["kind"], len(book["steps"]), book["minutes"]) for book in books] == [
        ("SERVICE_DOWN", 6, 30),
        ("HIGH_ERROR_RATE", 6, 30),
        ("MODEL_FAILURE", 5, 90),
        ("DATABASE_FAILURE", 6, 45),
        ("SECURITY_BREACH", 6, 120),
    ]


@pytest.mark.parametrize("number", ["0", "99999", "99999999999999999999999"])
def test_what_does_not_exist_is_not_found(olga: Client, number: str) -> None:
    for verb, address in (("get", ""), ("post", "/acknowledge"), ("post", "/steps/1"), ("get", "/report")):
        answer = send(olga, f"/{number}{address}", verb=verb)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address


def test_incidents_are_neither_for_a_stranger_nor_for_a_tenant(adam: Person, client: Client) -> None:
    number = an_incident().number
    for verb, address in (("get", ""), ("get", f"/{number}"), ("post", f"/{number}/acknowledge")):
        assert getattr(client, verb)(f"{ADDRESS}{address}").status_code == 401
        assert getattr(adam.api(), verb)(f"{ADDRESS}{address}").status_code == 403
    assert Incident.objects.get().status == "OPEN"


def breach(olga: Client) -> int:
    return int(opened(olga, kind="SECURITY_BREACH", subject="sign-in")["id"])


@pytest.mark.django_db(transaction=True)
def test_the_runbook_of_a_breach_ends_a_persons_access(olga: Client, ada: Person) -> None:
    browser, key = ada.browser(), make_key(ada)
    number = breach(olga)
    answer = send(olga, f"/{number}/steps/2", {"target": "ada"})
    assert (answer.json()["state"], answer.json()["output"]) == (
        "DONE",
        "1 sessions, 0 token families, 1 api keys ended",
    )
    assert not BrowserSession.objects.filter(user=ada.user).exists()
    assert browser.get("/desk/").status_code == 302
    assert Client().get("/api/v1/claims", headers={"X-API-Key": key}).status_code == 401
    with tenant_scope(ada.tenant.id):
        event = AuditEvent.objects.filter(event=str(TenancyAction.SESSIONS_ENDED)).get()
    assert (event.actor_name, event.reason) == ("olga", "incident")
    nobody = send(olga, f"/{number}/steps/3", {"target": "nowhere"}).json()
    assert (nobody["state"], nobody["output"]) == ("FAILED", "not_found: There is no such tenant.")


@pytest.mark.django_db(transaction=True)
def test_the_runbook_of_a_breach_ends_a_tenants_keys_and_proves_the_trail(
    olga: Client, acme: Tenant, adam: Person, zoe: Person
) -> None:
    make_key(adam), make_key(zoe)
    number = breach(olga)
    assert send(olga, f"/{number}/steps/3").json()["code"] == "target_needed"
    send(olga, f"/{number}/steps/3", {"target": "acme"})
    assert set(ApiKey.objects.filter(revoked_at=None).values_list("tenant__slug", flat=True)) == {"borealis"}
    seal_now(acme.id)  # as the worker does every moment
    proven = send(olga, f"/{number}/steps/4").json()
    assert (proven["state"], sorted(proven["output"].splitlines())) == (
        "DONE",
        ["acme: 1 events, whole", "borealis: 0 events, whole"],
    )


def test_the_doors_are_quiet_only_when_nobody_is_turned_away(olga: Client) -> None:
    number, minute = breach(olga), int(timezone.now().timestamp()) // 60
    RequestMinute.objects.create(minute=minute, requests=6, unauthorised=6)
    seen = send(olga, f"/{number}/steps/1").json()
    assert (seen["state"], seen["output"].splitlines()[0]) == ("DONE", "turned away in the last hour: 6")
    loud = send(olga, f"/{number}/steps/6").json()
    assert (loud["state"], loud["output"]) == ("FAILED", "in 2 min: 6 turned away, 0 tokens used twice")


def test_failed_sign_ins_are_counted_at_the_doors(olga: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    make_person(acme, "bea", Role.ANALYST)
    stranger = Client()
    for _ in range(3):
        stranger.post("/sign-in/", {"username": "bea", "password": "guessed"})
    request_minutes.write_minutes()
    assert "turned away in the last hour: 3" in send(olga, f"/{breach(olga)}/steps/1").json()["output"]


def test_the_report_counts_what_was_hit(olga: Client) -> None:
    now = timezone.now()
    number = opened(olga, began_at=(now - timedelta(minutes=10)).isoformat())["id"]
    with known_kind():
        dead = make_job(state=JobState.DEAD, attempts=5, started_at=now, finished_at=now)
        make_job(state=JobState.SUCCEEDED, attempts=1, started_at=now, finished_at=now)
        before = make_job(state=JobState.DEAD, attempts=5)
        Job.objects.filter(id=before.id).update(started_at=now - timedelta(days=1), finished_at=now - timedelta(days=1))
    report = olga.get(f"{ADDRESS}/{number}/report").json()
    assert report["jobs"] == [{"kind": dead.kind, "tried_again": 1, "dead": 1}]
    assert {effect["what"]: effect["count"] for effect in report["effects"]} == {
        "claims assessed without every part of the AI": 0,
        "claims that nobody but a person could assess": 0,
    }
    assert (report["mitigated_seconds"], report["calls"]) == (None, 1)


def test_the_desk_tells_open_incidents_first(olga: Client) -> None:
    incident = an_incident(IncidentKind.DATABASE_FAILURE, subject="database", now=timezone.now())
    panel = olga.get("/api/v1/operations/desk").json()["panels"][0]
    assert (panel["name"], panel["tone"], panel["headline"]) == ("incidents", "BAD", "1 open, 1 without an answer")
    assert panel["rows"][0]["name"] == f"{incident} P1 It fails"
    page = olga.get("/admin/observability/incident/")
    assert page.status_code == 200 and str(incident) in page.content.decode()
    assert olga.get(f"/admin/observability/incident/{incident.number}/change/").status_code == 200


def test_the_operator_sets_who_is_called_in_the_administration(olga: Client) -> None:
    minutes = {f"minutes_p{n}": 5 for n in (1, 2, 3, 4)}
    olga.post(
        "/admin/observability/escalationlevel/add/", {"level": 1, "name": "Night rota", "contact": "#night", **minutes}
    )
    assert "Night rota" in opened(olga)["timeline"][1]["text"]
