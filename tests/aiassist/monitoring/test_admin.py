"""Fraud models and calibration cases on the operator's site: shown to superusers, changed by nobody there."""

from __future__ import annotations

import pytest
from django.test import Client

from aiassist.models import CalibrationCase, FraudModelVersion
from aiassist.types import Severity
from tenancy.models import User
from tenancy.scope import tenant_scope
from tests.aiassist.monitoring.cases import label_cases
from tests.aiassist.monitoring.test_calibration import model_version
from tests.people import PASSWORD, Person


@pytest.fixture
def root(db: None) -> Client:
    user = User.objects.create_superuser(username="root", password=PASSWORD)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_models_and_cases_are_shown_and_not_changed(root: Client, adam: Person) -> None:
    model_version(adam, 1)
    label_cases(adam.tenant, per_class={Severity.LOW: 1})
    with tenant_scope(adam.tenant.id):
        rows = [FraudModelVersion.objects.get(), CalibrationCase.objects.get()]
    for row in rows:
        listed = f"/admin/aiassist/{type(row).__name__.lower()}/"
        assert root.get(listed).status_code == 200
        shown = root.get(f"{listed}{row.pk}/change/")
        assert shown.status_code == 200 and b'name="_save"' not in shown.content
        assert root.post(f"{listed}{row.pk}/change/", {}).status_code == 403
        assert root.get(f"{listed}add/").status_code == 403
