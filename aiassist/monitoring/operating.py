"""Model health as the platform's operator sees it: how many tenants, never whose claims."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import F, Max, OuterRef, Subquery

from aiassist.models import DriftLook, DriftReference, HealthReport
from aiassist.monitoring.health import HealthStatus
from observability import metrics
from observability.desk import Panel, PanelRow, PanelState, Tone, in_words, register_panel
from observability.metrics import Readings, register_scrape_source
from tenancy.scope import every_tenant

_TONES = {
    HealthStatus.UNHEALTHY: Tone.BAD,
    HealthStatus.WATCH: Tone.WATCH,
    HealthStatus.HEALTHY: Tone.GOOD,
    HealthStatus.NOT_ENOUGH_DATA: Tone.GOOD,
}
_WORDS = {
    HealthStatus.UNHEALTHY: "Unhealthy",
    HealthStatus.WATCH: "To watch",
    HealthStatus.HEALTHY: "Healthy",
    HealthStatus.NOT_ENOUGH_DATA: "Not enough claims yet",
}
# A report is made every day; two days without one mean that the worker's timer does not run.
_REPORTS_MISSING = timedelta(days=2)


def register_operating() -> None:
    """Register the panel and the gauges; called when the app starts."""
    register_panel(Panel("model-health", "Model health", 60, health_panel, "admin:aiassist_healthreport_changelist"))
    register_scrape_source(metrics.MODEL_HEALTH, _tenants_by_status)
    register_scrape_source(metrics.DRIFT_EPISODES, lambda: {(): float(_episodes())})


def health_panel(now: datetime) -> PanelState:
    """Tell how many tenants have a model that needs a look, and when the last report was made."""
    counts, drifting = _statuses(), _episodes()
    with every_tenant("the operator's desk counts all tenants' reports"):
        newest = HealthReport.objects.aggregate(at=Max("made_at"))["at"]
    if newest is None:
        return PanelState(Tone.GOOD, "No report yet")
    rows = [PanelRow(_WORDS[status], str(counts[status]), _TONES[status]) for status in _TONES if counts[status]]
    late = now - newest > _REPORTS_MISSING
    rows.append(PanelRow("Drifting now", str(drifting), Tone.WATCH if drifting else Tone.GOOD))
    rows.append(
        PanelRow("Last report", f"{in_words((now - newest).total_seconds())} ago", Tone.WATCH if late else Tone.GOOD)
    )
    if counts[HealthStatus.UNHEALTHY]:
        return PanelState(Tone.BAD, f"{counts[HealthStatus.UNHEALTHY]} unhealthy", rows)
    watched = counts[HealthStatus.WATCH]
    if watched or drifting or late:
        words = "Reports are missing" if late else f"{max(watched, drifting)} to watch"
        return PanelState(Tone.WATCH, words, rows)
    return PanelState(Tone.GOOD, "Nothing stands out", rows)


def _tenants_by_status() -> Readings:
    counts = _statuses()
    return {(str(status),): float(counts[status]) for status in HealthStatus}


def _statuses() -> Counter[HealthStatus]:
    """Count tenants by the status of their newest report."""
    with every_tenant("metrics"):
        newest = HealthReport.objects.filter(tenant_id=OuterRef("tenant_id")).order_by("-made_at", "-id").values("id")
        rows = HealthReport.objects.filter(id=Subquery(newest[:1])).values_list("status", flat=True)
        return Counter(HealthStatus(status) for status in rows)


def _episodes() -> int:
    """Count tenants whose newest look at their reference in force stands in an episode."""
    with every_tenant("metrics"):
        reference = DriftReference.objects.filter(tenant_id=OuterRef("tenant_id")).order_by("-number").values("id")
        look = DriftLook.objects.filter(reference_id=OuterRef("reference_id")).order_by("-number").values("id")
        rows = DriftLook.objects.filter(in_episode=True, reference_id=Subquery(reference[:1]))
        open_now: int = rows.annotate(newest=Subquery(look[:1])).filter(id=F("newest")).count()
        return open_now
