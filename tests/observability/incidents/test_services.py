"""What happens to an incident: each change once, told in the same transaction, and nobody is called twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from observability.errors import NotFound, PlatformError
from observability.incidents import escalation
from observability.incidents.choices import IncidentKind, IncidentSeverity, IncidentStatus, TimelineKind
from observability.incidents.errors import IncidentMoved, ReportMissing
from observability.incidents.escalation import Call, escalate_overdue, levels
from observability.incidents.models import EscalationLevel, Incident, IncidentEvent, TimelineIsHistory
from observability.incidents.services import (
    acknowledge_incident,
    close_incident,
    mitigate_incident,
    open_incident,
    resolve_incident,
    write_report,
)
from observability.incidents.timeline import tell
from observability.metrics import INCIDENTS_OPEN, scrape_sources
from tests.observability.incidents.troubles import OLGA, PAVEL, an_incident, told
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    made: list[Call] = []
    monkeypatch.setattr(escalation, "_callers", {"test": made.append})
    yield made


def test_open_incident_copies_its_runbook_and_calls_the_first_level(calls: list[Call]) -> None:
    incident = an_incident(began_at=NOON - MINUTE)
    assert (incident.status, incident.severity, incident.runbook_minutes) == ("OPEN", "P2", 90)
    assert incident.began_at == NOON - MINUTE
    assert [step.position for step in incident.steps.order_by("position")] == [1, 2, 3, 4, 5]
    assert told(incident) == [TimelineKind.OPENED, TimelineKind.ESCALATED]
    assert [(call.level, call.name) for call in calls] == [(1, "On-call engineer")]
    assert (incident.escalation_level, incident.escalate_at) == (1, NOON + 15 * MINUTE)


def test_open_incident_about_the_same_opens_none_beside_it(calls: list[Call]) -> None:
    first = an_incident()
    again = open_incident(kind=IncidentKind.MODEL_FAILURE, subject="openai", title="Still", actor=OLGA, now=NOON)
    assert (again.incident.number, again.is_new) == (first.number, False)
    assert an_incident(subject="anthropic").number != first.number
    assert len(calls) == 2


def test_two_open_incidents_about_the_same_are_refused_by_the_database() -> None:
    first = an_incident()
    columns = {"kind": first.kind, "subject": first.subject, "severity": "P1", "title": "x", "runbook_minutes": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(**columns, began_at=NOON, opened_at=NOON)
    resolve_incident(number=first.number, actor=OLGA, now=NOON)
    assert an_incident().number != first.number


def test_trouble_that_comes_back_opens_a_mitigated_incident_again(calls: list[Call]) -> None:
    incident = an_incident()
    acknowledge_incident(number=incident.number, actor=OLGA, now=NOON)
    mitigate_incident(number=incident.number, actor=OLGA, now=NOON + MINUTE)
    again = an_incident(now=NOON + 2 * MINUTE)
    assert (again.number, again.status, again.mitigated_at) == (incident.number, "OPEN", None)
    assert told(incident)[-2:] == [TimelineKind.REOPENED, TimelineKind.ESCALATED]
    assert len(calls) == 2


def test_worse_trouble_raises_the_severity_and_milder_does_not_lower_it() -> None:
    incident = an_incident()
    assert an_incident(severity=IncidentSeverity.P1).severity == "P1"
    assert an_incident(severity=IncidentSeverity.P4).severity == "P1"
    assert told(incident).count(TimelineKind.SEVERITY_RAISED) == 1


def test_acknowledging_ends_the_calling_and_is_done_once() -> None:
    incident = an_incident()
    mine = acknowledge_incident(number=incident.number, actor=OLGA, now=NOON)
    late = acknowledge_incident(number=incident.number, actor=PAVEL, now=NOON + MINUTE)
    assert (mine.escalate_at, late.acknowledged_by, late.acknowledged_at) == (None, "Olga Operator", NOON)
    assert told(incident).count(TimelineKind.ACKNOWLEDGED) == 1
    assert escalate_overdue(now=NOON + timedelta(days=2)) == []


def test_nobody_answers_and_the_next_levels_are_called_in_turn(calls: list[Call]) -> None:
    incident = an_incident(severity=IncidentSeverity.P1)
    assert escalate_overdue(now=NOON + 4 * MINUTE) == []
    for minutes in (5, 15, 30, 45):
        assert escalate_overdue(now=NOON + minutes * MINUTE) == [incident.number]
        assert escalate_overdue(now=NOON + minutes * MINUTE) == []
    assert [call.level for call in calls] == [1, 2, 3, 3, 3], "the last level is called until somebody answers"
    assert told(incident).count(TimelineKind.ESCALATED) == 5


def test_two_workers_escalate_once(calls: list[Call]) -> None:
    incident = an_incident()
    stale = Incident.objects.get(number=incident.number)
    assert escalation._escalate(stale, NOON + 20 * MINUTE)
    assert not escalation._escalate(stale, NOON + 20 * MINUTE)
    assert [call.level for call in calls] == [1, 2]


def test_rows_of_the_administration_replace_the_levels_of_the_environment(calls: list[Call]) -> None:
    minutes = {f"minutes_p{n}": n for n in (1, 2, 3, 4)}
    EscalationLevel.objects.create(level=2, name="Lead", contact="#lead", **minutes)
    EscalationLevel.objects.create(level=1, name="Night rota", contact="#night", **minutes)
    assert [level.name for level in levels()] == ["Night rota", "Lead"]
    incident = an_incident(severity=IncidentSeverity.P3)
    assert (calls[0].contact, incident.escalate_at) == ("#night", NOON + 3 * MINUTE)


def test_resolving_keeps_all_times_and_is_done_once() -> None:
    incident = an_incident()
    done = resolve_incident(number=incident.number, actor=OLGA, now=NOON + MINUTE, text="it was the key")
    again = resolve_incident(number=incident.number, actor=PAVEL, now=NOON + 9 * MINUTE)
    assert (done.acknowledged_at, done.mitigated_at, done.resolved_at) == (NOON + MINUTE,) * 3
    assert (again.resolved_by, again.resolved_at) == ("Olga Operator", NOON + MINUTE)
    assert told(incident)[-1] == TimelineKind.RESOLVED
    with pytest.raises(IncidentMoved):
        acknowledge_incident(number=incident.number, actor=OLGA, now=NOON)


def test_a_grave_incident_is_closed_with_a_report_only() -> None:
    incident = an_incident()
    with pytest.raises(IncidentMoved):
        write_report(number=incident.number, cause="too early", follow_ups="", actor=OLGA, now=NOON)
    resolve_incident(number=incident.number, actor=OLGA, now=NOON)
    with pytest.raises(ReportMissing):
        close_incident_of(incident)
    words = "mail zoe.quist@example.org about sk-abcdefghijklmnopqrst"
    kept = write_report(number=incident.number, cause=words, follow_ups="rotate", actor=OLGA, now=NOON)
    assert kept.cause == "mail [email] about [api-key]"
    assert close_incident_of(incident).status == IncidentStatus.CLOSED
    with pytest.raises(IncidentMoved):
        write_report(number=incident.number, cause="later", follow_ups="", actor=OLGA, now=NOON)


def test_a_small_incident_is_closed_without_words() -> None:
    incident = an_incident(severity=IncidentSeverity.P4)
    with pytest.raises(IncidentMoved):
        close_incident_of(incident)
    resolve_incident(number=incident.number, actor=OLGA, now=NOON)
    assert close_incident_of(incident).closed_at == NOON


def close_incident_of(incident: Incident) -> Incident:
    return close_incident(number=incident.number, actor=OLGA, now=NOON)


def test_an_incident_that_does_not_exist_is_not_found() -> None:
    for change in (acknowledge_incident, mitigate_incident, resolve_incident, close_incident):
        with pytest.raises(NotFound):
            change(number=99_999, actor=OLGA, now=NOON)


def test_what_is_told_is_masked_and_history() -> None:
    incident = an_incident(text="call +46 8 928 571 38 or zoe.quist@example.org")
    row = IncidentEvent.objects.filter(incident=incident).order_by("id").first()
    assert row is not None and row.text == "call [phone] or [email]"
    row.text = "other"
    for change in (row.save, row.delete, IncidentEvent.objects.all().delete):
        with pytest.raises(TimelineIsHistory):
            change()
    with pytest.raises(TimelineIsHistory):
        IncidentEvent.objects.update(text="other")


@pytest.mark.parametrize("change", ["UPDATE {0} SET text = 'x'", "DELETE FROM {0}"])
def test_the_database_itself_refuses_to_change_the_timeline(change: str) -> None:
    statement = change.format("observability_incidentevent")
    an_incident()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_open_incidents_are_counted_by_severity() -> None:
    an_incident()
    an_incident(subject="local", severity=IncidentSeverity.P1)
    resolve_incident(number=an_incident(subject="anthropic").number, actor=OLGA, now=NOON)
    read = next(read for gauge, read in scrape_sources() if gauge is INCIDENTS_OPEN)
    assert read() == {("P1",): 1.0, ("P2",): 1.0, ("P3",): 0.0, ("P4",): 0.0}


@pytest.mark.django_db(transaction=True)
def test_the_timeline_is_not_written_outside_the_change() -> None:
    with pytest.raises(PlatformError, match="one transaction"):
        tell(number=1, kind=TimelineKind.ALERT, actor=OLGA, now=NOON)
