"""Alerts open incidents, worsen and mitigate them, in the alert's own transaction; people close them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from observability.alerts.catalogue import CATALOGUE
from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import Fact, acknowledge_alert, raise_alert, resolve_alert
from observability.incidents.choices import TimelineKind
from observability.incidents.detection import KINDS
from observability.incidents.models import Incident
from observability.incidents.services import resolve_incident
from tests.observability.incidents.troubles import OLGA, told
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_every_alert_with_a_kind_names_that_kinds_runbook() -> None:
    assert {event: kind.lower() for event, kind in KINDS.items()} == {
        event: CATALOGUE[event].runbook for event in KINDS
    }


@pytest.mark.parametrize(
    ("event", "severity", "kind"),
    [
        (AlertEvent.SYSTEM_DOWN, "P1", "SERVICE_DOWN"),
        (AlertEvent.HIGH_ERROR_RATE, "P2", "HIGH_ERROR_RATE"),
        (AlertEvent.CIRCUIT_BREAKER_OPEN, "P3", "MODEL_FAILURE"),
        (AlertEvent.DATABASE_FAILURE, "P1", "DATABASE_FAILURE"),
        (AlertEvent.SECURITY_BREACH, "P1", "SECURITY_BREACH"),
    ],
)
def test_an_alert_opens_the_incident_of_its_kind(event: AlertEvent, severity: str, kind: str) -> None:
    raise_alert(event, subject="openai", facts={"failures": 7}, now=NOON)
    incident = Incident.objects.get()
    assert (incident.kind, incident.severity, incident.subject, incident.began_at) == (kind, severity, "openai", NOON)
    assert told(incident) == [TimelineKind.OPENED, TimelineKind.ESCALATED, TimelineKind.ALERT]
    assert "(failures 7)" in incident.events.order_by("id")[0].text


def test_what_has_no_runbook_opens_none() -> None:
    for event in set(AlertEvent) - set(KINDS):
        raise_alert(event, subject="acme", now=NOON)
    assert not Incident.objects.exists()


def test_an_outage_that_is_told_when_it_is_over_began_before() -> None:
    raise_alert(AlertEvent.DATABASE_FAILURE, subject="outage", facts={"seconds_away": 95}, now=NOON)
    assert Incident.objects.get().began_at == NOON - timedelta(seconds=95)


def test_a_breakers_trouble_began_when_it_opened() -> None:
    facts: dict[str, Fact] = {"state": "OPEN", "opened_at": "2026-03-01T11:58:30Z"}
    raise_alert(AlertEvent.CIRCUIT_BREAKER_OPEN, subject="openai", facts=facts, now=NOON)
    assert Incident.objects.get().began_at == NOON - timedelta(seconds=90)


@pytest.mark.parametrize("name", ["broker", "cache", "storage", "alerts.slack", "nobody-knows-it"])
def test_a_breaker_before_no_model_opens_none(name: str) -> None:
    raise_alert(AlertEvent.CIRCUIT_BREAKER_OPEN, subject=name, now=NOON)
    assert not Incident.objects.exists()


def test_dead_letters_open_none() -> None:
    raise_alert(AlertEvent.QUEUE_BACKLOG, subject="dead/claims.assess", watcher="dead-letters", now=NOON)
    assert not Incident.objects.exists()


def test_ten_thousand_raises_are_one_incident_with_one_call() -> None:
    for seconds in range(30):
        raise_alert(AlertEvent.MODEL_FAILURE, subject="openai", now=NOON + timedelta(seconds=seconds))
    assert told(Incident.objects.get()) == [TimelineKind.OPENED, TimelineKind.ESCALATED, TimelineKind.ALERT]


def test_two_alerts_about_the_same_are_one_incident_which_is_gone_with_the_last() -> None:
    raise_alert(AlertEvent.CIRCUIT_BREAKER_OPEN, subject="openai", now=NOON)
    raise_alert(AlertEvent.MODEL_FAILURE, subject="openai", now=NOON)
    incident = Incident.objects.get()
    assert incident.severity == "P2", "the graver of the two"
    assert resolve_alert(AlertEvent.CIRCUIT_BREAKER_OPEN, "openai", now=NOON + MINUTE)
    assert Incident.objects.get().status == "OPEN"
    assert resolve_alert(AlertEvent.MODEL_FAILURE, "openai", now=NOON + 2 * MINUTE)
    incident.refresh_from_db()
    assert (incident.status, incident.mitigated_at) == ("MITIGATED", NOON + 2 * MINUTE)


def test_an_alert_that_gets_graver_raises_the_incident() -> None:
    raise_alert(AlertEvent.HIGH_LATENCY, subject="requests", now=NOON)
    raise_alert(AlertEvent.HIGH_LATENCY, subject="requests", severity=AlertSeverity.CRITICAL, now=NOON)
    assert Incident.objects.get().severity == "P1"


def test_who_takes_the_alert_on_has_taken_the_incident_on() -> None:
    raised = raise_alert(AlertEvent.SYSTEM_DOWN, subject="workers", now=NOON)
    acknowledge_alert(alert_id=raised.alert_id, by="olga-id", now=NOON + MINUTE)
    incident = Incident.objects.get()
    assert (incident.status, incident.acknowledged_by, incident.escalate_at) == ("ACKNOWLEDGED", "olga-id", None)


def test_what_comes_back_opens_the_same_incident_until_a_person_ended_it() -> None:
    for turn in range(2):
        raise_alert(AlertEvent.SYSTEM_DOWN, subject="workers", now=NOON + 2 * turn * MINUTE)
        resolve_alert(AlertEvent.SYSTEM_DOWN, "workers", now=NOON + (2 * turn + 1) * MINUTE)
    incident = Incident.objects.get()
    assert told(incident).count(TimelineKind.REOPENED) == 1
    resolve_incident(number=incident.number, actor=OLGA, now=NOON + 9 * MINUTE)
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="workers", now=NOON + 10 * MINUTE)
    assert Incident.objects.count() == 2


def test_the_same_trouble_of_two_tenants_is_two_incidents() -> None:
    for tenant in ("0192-acme", "0192-borealis"):
        raise_alert(AlertEvent.SECURITY_BREACH, subject="sign-in", tenant=tenant, now=NOON)
    assert sorted(Incident.objects.values_list("subject", "tenant_ref")) == [
        ("sign-in 0192-acme", "0192-acme"),
        ("sign-in 0192-borealis", "0192-borealis"),
    ]


@pytest.mark.django_db(transaction=True)
def test_an_alert_that_is_rolled_back_leaves_no_incident() -> None:
    with transaction.atomic():
        raise_alert(AlertEvent.SYSTEM_DOWN, subject="workers", now=NOON)
        transaction.set_rollback(True)
    assert not Incident.objects.exists()
