"""The alarm of calibration: people are told while the AI's sets hold less than they promise, beyond chance."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from aiassist.monitoring.coverage import Coverage, CoverageReport, CoverageState
from aiassist.monitoring.selectors import coverage_between
from aiassist.monitoring.window import DEFAULT_DAYS
from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import Fact, raise_alert, resolve_alert
from tenancy.scope import current_tenant_id

# Beside the drift of the severity model, which has an alert of its own.
_SUBJECT = "calibration"


@transaction.atomic
def tell_of_calibration(*, now: datetime) -> None:
    """Raise the tenant's alert while coverage is below what was promised, and resolve it when it is not.

    Over the days that the page and the report look at, so that all of them say the same.
    """
    tenant_id = current_tenant_id()
    report = coverage_between(start=now - timedelta(days=DEFAULT_DAYS), end=now)
    if not report.alarm:
        resolve_alert(AlertEvent.DRIFT_DETECTED, _SUBJECT, tenant_id, now=now)
        return
    # A promise broken for all claims is graver than one broken for a class of them.
    severity = AlertSeverity.ERROR if _is_below(report.overall) else AlertSeverity.WARNING
    raise_alert(
        AlertEvent.DRIFT_DETECTED,
        severity=severity,
        subject=_SUBJECT,
        tenant=tenant_id,
        facts=_facts(report),
        now=now,
    )


def _facts(report: CoverageReport) -> dict[str, Fact]:
    below = [label for label, found in report.classes.items() if _is_below(found)]
    return {
        "labels": report.overall.count,
        "coverage": report.overall.share,
        "coverage_target": report.overall.target,
        "coverage_state": report.overall.state,
        "classes_below": len(below),
        "first_class": below[0] if below else "",
    }


def _is_below(coverage: Coverage) -> bool:
    return coverage.state is CoverageState.BELOW_TARGET
