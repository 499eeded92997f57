"""Blind labels as people would have given them, for the tests of the monitoring."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from aiassist.assessment.severity import load_model
from aiassist.models import CalibrationCase
from aiassist.types import Severity
from observability.ids import new_id
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

LABELS = tuple(Severity)


def label_cases(
    tenant: Tenant,
    *,
    per_class: dict[Severity, int],
    covered: float = 0.92,
    until: datetime | None = None,
    days: int = 150,
    share: float = 0.05,
    source: str = "RENDERED",
    version: str = "",
) -> None:
    """Store labelled cases spread evenly over the days before `until`; of each class exactly `covered` are covered."""
    end = until or timezone.now() - timedelta(minutes=1)
    labels = [label for label, count in per_class.items() for _ in range(count)]
    order = np.random.default_rng(4).permutation(len(labels))
    seen = dict.fromkeys(LABELS, 0)
    with tenant_scope(tenant.id):
        rows = []
        for position, index in enumerate(order):
            label = labels[index]
            seen[label] += 1
            hit = round(seen[label] * covered) > round((seen[label] - 1) * covered)
            at = end - timedelta(days=days) * (1 - (position + 1) / len(labels))
            rows.append(_case(label, hit=hit, at=at, share=share, source=source, version=version))
        CalibrationCase.objects.bulk_create(rows)


def _case(label: Severity, *, hit: bool, at: datetime, share: float, source: str, version: str) -> CalibrationCase:
    other = LABELS[(LABELS.index(label) + 1) % 4]
    likely = label if hit else other
    probabilities = {str(name): 0.7 if name is likely else 0.1 for name in LABELS}
    return CalibrationCase(
        assessment_id=new_id(),
        model_version=version or load_model().version,
        probabilities=probabilities,
        prediction_set=[str(label), str(other)] if hit else [str(other)],
        coverage_target=0.9,
        calibration_source=source,
        true_label=label,
        inclusion_probability=share,
        drawn_at=at,
        labelled_at=at,
    )
