"""The desk's panel of incidents: it comes first, because it is what people were called for."""

from __future__ import annotations

from datetime import datetime

from observability.desk import Panel, PanelRow, PanelState, Tone, in_words, register_panel
from observability.incidents.choices import OPEN_STATUSES, IncidentSeverity, IncidentStatus
from observability.incidents.models import Incident

_MOST_ROWS = 5


def register_incidents_panel() -> None:
    register_panel(Panel("incidents", "Incidents", 5, incidents_panel, "incidents:list"))


def incidents_panel(now: datetime) -> PanelState:
    """What is not over, the gravest and oldest first."""
    found = list(Incident.objects.filter(status__in=OPEN_STATUSES).order_by("severity", "opened_at"))
    if not found:
        return PanelState(Tone.GOOD, "None is open")
    rows = [
        PanelRow(
            f"{one} {one.severity} {one.title}",
            f"{IncidentStatus(one.status).label.lower()} for {in_words((now - one.opened_at).total_seconds())}",
            _tone(one),
        )
        for one in found[:_MOST_ROWS]
    ]
    waiting = sum(one.status == IncidentStatus.OPEN for one in found)
    headline = f"{len(found)} open" + (f", {waiting} without an answer" if waiting else "")
    return PanelState(Tone.BAD if any(row.tone == Tone.BAD for row in rows) else Tone.WATCH, headline, rows)


def _tone(incident: Incident) -> Tone:
    grave = incident.severity in (IncidentSeverity.P1, IncidentSeverity.P2)
    return Tone.BAD if grave and incident.status != IncidentStatus.MITIGATED else Tone.WATCH
