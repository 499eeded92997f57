"""Model accuracy and coverage over all tenants, from people's blind labels."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from aiassist.gauges import model_figures
from aiassist.models import CalibrationCase
from observability.ids import new_id
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def label(
    tenant: Tenant, *, said: str, held: list[str], true: str, share: float = 1.0, at: datetime | None = None
) -> None:
    now = at or timezone.now()
    probabilities = {name: 0.7 if name == said else 0.1 for name in ("NONE", "LOW", "MEDIUM", "HIGH")}
    with tenant_scope(tenant.id):
        CalibrationCase.objects.create(
            assessment_id=new_id(),
            model_version="of-this-test",
            probabilities=probabilities,
            prediction_set=held,
            coverage_target=0.9,
            calibration_source="rendered",
            true_label=true,
            inclusion_probability=share,
            drawn_at=now,
            labelled_at=now,
        )


def test_without_labels_there_is_no_figure() -> None:
    found = model_figures()
    assert (found.accuracy, found.coverage, found.labels) == ({}, {}, {(): 0.0})


def test_labels_of_all_tenants_count_by_how_they_were_drawn(acme: Tenant, borealis: Tenant) -> None:
    label(acme, said="LOW", held=["LOW"], true="LOW")
    label(acme, said="HIGH", held=["MEDIUM", "HIGH"], true="MEDIUM")
    label(borealis, said="NONE", held=["NONE"], true="LOW", share=0.5)  # counts twice
    label(borealis, said="NONE", held=["NONE"], true="")  # cannot be told
    label(borealis, said="NONE", held=["NONE"], true="LOW", at=timezone.now() - timedelta(days=91))
    found = model_figures()
    assert found.accuracy == {(): 0.25}
    assert found.coverage[("share",)] == 0.5
    assert found.coverage[("low",)] < 0.5 < found.coverage[("high",)]
    assert found.labels == {(): 3.0}
