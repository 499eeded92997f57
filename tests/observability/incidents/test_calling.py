"""Calls go through the channels of alerting: one alert for each call, gone when somebody answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from observability.alerts.choices import AlertEvent
from observability.alerts.models import Alert
from observability.alerts.raising import acknowledge_alert, raise_alert
from observability.incidents.choices import IncidentKind
from observability.incidents.escalation import escalate_overdue
from observability.incidents.models import Incident
from observability.incidents.services import acknowledge_incident
from tests.observability.incidents.troubles import OLGA, an_incident
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def subjects(state: str = "OPEN") -> list[str]:
    return list(Alert.objects.filter(state=state).order_by("opened_at", "subject").values_list("subject", flat=True))


def test_an_incident_opened_by_hand_calls_the_first_level_by_an_alert() -> None:
    incident = an_incident(IncidentKind.SERVICE_DOWN, subject="workers")
    alert = Alert.objects.get()
    assert (alert.event, alert.severity, alert.subject) == ("SYSTEM_DOWN", "CRITICAL", f"{incident}.level-1")
    assert alert.facts == {"level": 1, "call": "On-call-engineer", "contact": "on-call"}
    assert Incident.objects.count() == 1, "a call opens no incident"


def test_the_alert_that_opened_an_incident_is_its_first_call() -> None:
    raise_alert(AlertEvent.SYSTEM_DOWN, subject="workers", now=NOON)
    incident = Incident.objects.get()
    assert subjects() == ["workers"]
    escalate_overdue(now=NOON + 5 * MINUTE)
    assert subjects() == ["workers", f"{incident}.level-2"]


def test_each_level_rings_anew_and_the_last_one_again_and_again() -> None:
    incident = an_incident(IncidentKind.SERVICE_DOWN)
    for minutes in (5, 15, 30):
        escalate_overdue(now=NOON + minutes * MINUTE)
        assert len(subjects()) == 1
    assert subjects() == [f"{incident}.level-3"]
    assert subjects("RESOLVED") == [f"{incident}.level-1", f"{incident}.level-2", f"{incident}.level-3"]


def test_an_answer_ends_the_call() -> None:
    incident = an_incident()
    acknowledge_incident(number=incident.number, actor=OLGA, now=NOON + MINUTE)
    assert subjects() == []
    assert Incident.objects.get().status == "ACKNOWLEDGED", "the end of a call is not the end of the trouble"


def test_who_answers_the_call_has_taken_the_incident_on() -> None:
    an_incident()
    acknowledge_alert(alert_id=Alert.objects.get().id, by="olga-id", now=NOON + MINUTE)
    incident = Incident.objects.get()
    assert (incident.status, incident.acknowledged_by, subjects()) == ("ACKNOWLEDGED", "olga-id", [])
