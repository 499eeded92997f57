"""Alerts over HTTP, in the admin and on the desk, for the platform's operator alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from observability.alerts.choices import AlertEvent
from observability.alerts.models import Alert
from observability.alerts.raising import raise_alert, resolve_alert
from tenancy.models import User
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/alerting"
NOBODY = "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"


@pytest.fixture
def olga() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


def send(client: Client, **body: Any) -> Any:
    return client.post(f"{ROOT}/send", body, content_type="application/json")


def test_a_sent_alert_is_raised_and_the_same_again_is_counted(olga: Client) -> None:
    tenant = uuid4()
    wanted = {"event": "MODEL_FAILURE", "subject": "openai", "tenant_id": str(tenant), "facts": {"errors": 3}}
    first, second = send(olga, **wanted), send(olga, **wanted)
    assert (first.status_code, second.status_code) == (202, 202)
    body = second.json()
    assert first["Location"] == f"{ROOT}/alerts/{body['id']}"
    assert (body["count"], body["severity"], body["state"], body["runbook"]) == (2, "ERROR", "OPEN", "model_failure")
    assert (body["tenant_id"], body["facts"]) == (str(tenant), {"errors": 3})
    by = str(User.objects.get().pk)
    assert [(line["kind"], line["by"]) for line in body["history"]] == [("RAISED", by)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/event"),
        ({"event": "COFFEE_OUT"}, "/event"),
        ({"event": "MODEL_FAILURE", "severity": "P1"}, "/severity"),
        ({"event": "MODEL_FAILURE", "subject": "two words"}, "/subject"),
        ({"event": "MODEL_FAILURE", "tenant_id": "acme"}, "/tenant_id"),
        ({"event": "MODEL_FAILURE", "facts": {"note": "Ada Lovelace called"}}, "/facts/note"),
        ({"event": "MODEL_FAILURE", "facts": {"list": [1]}}, "/facts/list"),
        ({"event": "MODEL_FAILURE", "facts": {f"f{n}": n for n in range(21)}}, "/facts"),
        ({"event": "MODEL_FAILURE", "colour": "red"}, "/colour"),
    ],
)
def test_what_is_no_alert_is_refused_by_its_field(olga: Client, body: dict[str, Any], pointer: str) -> None:
    answer = send(olga, **body)
    assert answer.status_code == 400
    assert pointer in [problem["pointer"] for problem in answer.json()["errors"]]
    assert not Alert.objects.exists()


def test_an_alert_is_taken_on_and_ended_by_a_person(olga: Client) -> None:
    alert_id = send(olga, event="SECURITY_BREACH").json()["id"]
    by = str(User.objects.get().pk)
    taken = olga.post(f"{ROOT}/alerts/{alert_id}/acknowledge", content_type="application/json").json()
    assert (taken["state"], taken["acknowledged_by"]) == ("ACKNOWLEDGED", by)
    ended = olga.post(f"{ROOT}/alerts/{alert_id}/resolve", content_type="application/json").json()
    assert (ended["state"], ended["resolved_by"]) == ("RESOLVED", by)
    assert [line["kind"] for line in ended["history"]] == ["RAISED", "ACKNOWLEDGED", "RESOLVED"]
    for act in ("acknowledge", "resolve"):
        again = olga.post(f"{ROOT}/alerts/{alert_id}/{act}", content_type="application/json")
        assert (again.status_code, again.json()["code"]) == (409, "alert_resolved")
        missing = olga.post(f"{ROOT}/alerts/{NOBODY}/{act}", content_type="application/json")
        assert missing.status_code == 404
    assert olga.get(f"{ROOT}/alerts/{NOBODY}").status_code == 404


def test_the_list_is_filtered_and_paged(olga: Client) -> None:
    now = timezone.now()
    for number in range(5):
        raise_alert(AlertEvent.DRIFT_DETECTED, subject=f"s{number}", now=now + timedelta(seconds=number))
    raise_alert(AlertEvent.MODEL_FAILURE, subject="over")
    resolve_alert(AlertEvent.MODEL_FAILURE, "over")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = olga.get(f"{ROOT}/alerts", {"limit": "2", "state": "OPEN", **cursor}).json()
        found += [item["subject"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == ["s4", "s3", "s2", "s1", "s0"]
    only = olga.get(f"{ROOT}/alerts", {"event": "MODEL_FAILURE"}).json()["items"]
    assert [item["subject"] for item in only] == ["over"]
    assert olga.get(f"{ROOT}/alerts", {"severity": "WORST"}).status_code == 400


def test_a_test_without_a_channel_is_refused_and_with_one_shows_it(olga: Client, settings: Any) -> None:
    refused = olga.post(f"{ROOT}/test", content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_alert_channel")
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.example/services/T/B/X"
    body = olga.post(f"{ROOT}/test", content_type="application/json").json()
    assert [(one["channel"], one["state"]) for one in body["channels"]] == [("SLACK", "PENDING")]
    assert body["event"] == "DEPLOYMENT_STATUS"


def test_events_and_severities_are_listed(olga: Client, settings: Any) -> None:
    events = olga.get(f"{ROOT}/event-types").json()["items"]
    assert {item["event"] for item in events} == set(AlertEvent)
    settings.PAGERDUTY_ROUTING_KEY = settings.SLACK_WEBHOOK_URL = "set"
    severities = olga.get(f"{ROOT}/severities").json()["items"]
    assert [(one["severity"], one["channels"], one["limit"]) for one in severities] == [
        ("CRITICAL", ["PAGERDUTY", "SLACK"], 60),
        ("ERROR", ["PAGERDUTY", "SLACK"], 30),
        ("WARNING", ["SLACK"], 20),
        ("INFO", ["SLACK"], 10),
    ]


def test_the_figures_count_what_happened(olga: Client) -> None:
    now = timezone.now()
    raise_alert(AlertEvent.MODEL_FAILURE, subject="a", now=now - timedelta(minutes=10))
    raise_alert(AlertEvent.MODEL_FAILURE, subject="a", now=now - timedelta(minutes=9))
    resolve_alert(AlertEvent.MODEL_FAILURE, "a", now=now - timedelta(minutes=5))
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="b", now=now)
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="old", now=now - timedelta(days=2))
    stats = olga.get(f"{ROOT}/stats").json()
    assert stats["open"]["by_severity"] == {"CRITICAL": 2, "ERROR": 0, "WARNING": 0, "INFO": 0}
    day = stats["last_24_hours"]
    assert (day["opened"], day["raised"], day["resolved"]) == (2, 3, 1)
    assert (day["mean_seconds_to_resolve"], day["mean_seconds_to_acknowledge"]) == (300.0, None)
    assert stats["channels"]["SLACK"]["is_set_up"] is False


def test_alerts_are_neither_for_a_stranger_nor_for_a_tenant(adam: Person, ada: Person, client: Client) -> None:
    gets = ["alerts", f"alerts/{NOBODY}", "stats", "event-types", "severities"]
    posts = ["send", "test", f"alerts/{NOBODY}/acknowledge", f"alerts/{NOBODY}/resolve"]
    for verb, name in [*(("get", name) for name in gets), *(("post", name) for name in posts)]:
        assert getattr(client, verb)(f"{ROOT}/{name}").status_code == 401
        for person in (adam, ada):
            assert getattr(person.api(), verb)(f"{ROOT}/{name}").status_code == 403


def test_the_operator_takes_on_and_ends_alerts_in_the_admin(olga: Client) -> None:
    one, other = (raise_alert(AlertEvent.SYSTEM_DOWN, subject=name).alert_id for name in ("broker", "storage"))
    page = "/admin/observability/alert/"
    assert "broker" in olga.get(page, {"state__in": "OPEN,ACKNOWLEDGED"}).content.decode()
    olga.post(page, {"action": "acknowledge", "_selected_action": [str(one)]})
    olga.post(page, {"action": "resolve", "_selected_action": [str(one), str(other)]})
    assert set(Alert.objects.values_list("state", "resolved_by")) == {("RESOLVED", str(User.objects.get().pk))}
    form = olga.get(f"{page}{one}/change/").content.decode()
    assert 'name="state"' not in form, "the state is written by the machine, not by a form"
    assert "Acknowledged" in form, "its history is there"
    assert 'name="_save"' not in form and "<h1>Alert</h1>" in form, "there is nothing to save"
    assert "<h1>Alerts</h1>" in olga.get(page).content.decode()
    again = olga.post(page, {"action": "resolve", "_selected_action": [str(one)]}, follow=True)
    assert "0 alerts resolved" in again.content.decode()


def test_the_desk_shows_the_gravest_alert_first_and_that_nobody_is_told(olga: Client) -> None:
    raise_alert(AlertEvent.DEPLOYMENT_STATUS, subject="2.0")
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="broker")
    panels = olga.get("/api/v1/operations/desk").json()["panels"]
    panel = next(one for one in panels if one["name"] == "alerts")
    assert (panel["tone"], panel["headline"]) == ("BAD", "2 open")
    assert [row["name"] for row in panel["rows"]] == [
        "System down: broker",
        "Deployment status: 2.0",
        "Channels",
    ]
    assert olga.get("/admin/").status_code == 200


def test_prometheus_reads_how_many_are_open(client: Client) -> None:
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="broker")
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'claimwright_alerts_open{severity="CRITICAL"} 1.0' in lines
    assert 'claimwright_alerts_open{severity="INFO"} 0.0' in lines
    assert any(line.startswith('claimwright_alerts_opened_total{event="SYSTEM_DOWN"') for line in lines)


def test_an_id_that_is_none_is_not_found(olga: Client) -> None:
    assert olga.get(f"{ROOT}/alerts/{UUID(int=0)}").status_code == 404
    assert olga.get(f"{ROOT}/alerts/nonsense").status_code == 404
