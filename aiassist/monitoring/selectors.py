"""Reads of the tenant's audited cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from aiassist.assessment.severity import load_model
from aiassist.assessment.tenant_conformal import (
    FEWEST_PER_CLASS,
    MOST_PER_CLASS,
    TENANT,
    AuditedCase,
    TenantCalibration,
    tenant_calibration,
)
from aiassist.models import CalibrationCase
from aiassist.monitoring.coverage import CoverageReport, ShownSet, coverage_report
from aiassist.types import Severity

# The adaptation forgets: what lies further back than this has no part in today's share.
_LONGEST_STREAM = 2_000


def cases_per_class(*, model_version: str) -> dict[Severity, int]:
    """Return how many audited cases of the severity model each class has."""
    rows = CalibrationCase.objects.filter(model_version=model_version).values_list("true_label")
    counted = dict(rows.annotate(count=Count("id")))
    return {label: counted.get(label, 0) for label in Severity}


@dataclass(frozen=True)
class CalibrationState:
    """Whose calibration holds, what the tenant's own still lacks, and how the labels of a window judge the sets."""

    start: datetime
    end: datetime
    report: CoverageReport
    cannot_tell: int
    model_version: str
    cases: dict[Severity, int]
    in_force: TenantCalibration | None


def coverage_between(*, start: datetime, end: datetime) -> CoverageReport:
    """Return how the tenant's sets held what blind people said from `start` up to `end`."""
    return coverage_report(_shown_sets(start=start, end=end))


def calibration_state(*, start: datetime, end: datetime) -> CalibrationState:
    """Return the state of the tenant in scope with the coverage of the labels given from `start` up to `end`."""
    version = load_model().version
    rows = _cases_between(start, end)
    return CalibrationState(
        start=start,
        end=end,
        report=coverage_between(start=start, end=end),
        cannot_tell=rows.filter(true_label="").count(),
        model_version=version,
        cases=cases_per_class(model_version=version),
        in_force=calibration_in_force(),
    )


def calibration_in_force() -> TenantCalibration | None:
    """Return the calibration of the tenant in scope for the bundled severity model; None: the rendered one holds.

    Cases that another version of the model judged say nothing about this one.
    """
    version = load_model().version
    if min(cases_per_class(model_version=version).values()) < FEWEST_PER_CLASS:
        return None
    return tenant_calibration(_newest_cases(version), _shown_stream(version))


def _cases_between(start: datetime, end: datetime) -> QuerySet[CalibrationCase]:
    rows: QuerySet[CalibrationCase] = CalibrationCase.objects.filter(labelled_at__gte=start, labelled_at__lt=end)
    return rows


def _shown_sets(*, start: datetime, end: datetime) -> list[ShownSet]:
    columns = ("prediction_set", "true_label", "inclusion_probability", "labelled_at")
    rows = _cases_between(start, end).exclude(true_label="").order_by("labelled_at", "id").values_list(*columns)
    return [ShownSet(tuple(shown), Severity(label), share, at) for shown, label, share, at in rows]


def _newest_cases(model_version: str) -> Iterator[AuditedCase]:
    for label in Severity:
        rows = CalibrationCase.objects.filter(model_version=model_version, true_label=label).order_by("-labelled_at")
        for probabilities, share in rows.values_list("probabilities", "inclusion_probability")[:MOST_PER_CLASS]:
            known = {Severity(name): float(value) for name, value in probabilities.items()}
            yield AuditedCase(known, label, share)


def _shown_stream(model_version: str) -> list[tuple[Severity, bool]]:
    rows = CalibrationCase.objects.filter(model_version=model_version, calibration_source=TENANT)
    rows = rows.exclude(true_label="")
    newest = rows.order_by("-labelled_at", "-id").values_list("true_label", "prediction_set")[:_LONGEST_STREAM]
    return [(Severity(label), label in shown) for label, shown in reversed(newest)]
