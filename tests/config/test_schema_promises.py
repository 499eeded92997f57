"""Asks the running API for what its own document promises: generated requests, valid and broken, against every
operation. No answer may be a fault of ours, none may be undocumented, and each must have the documented shape."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from observability.alerts.choices import AlertEvent
from observability.alerts.raising import raise_alert
from tenancy.choices import Scope
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, User
from tests.files import make_assessed_claim
from tests.observability.incidents.troubles import an_incident
from tests.observability.work import make_letter
from tests.people import Person, make_key

# A handful each in the suite; SCHEMA_EXAMPLES=500 for a night.
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "6"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
document = schemathesis.openapi.from_wsgi("/api/v1/schema", WSGIHandler())
OPERATIONS = [found.ok() for found in document.get_all_operations() if not isinstance(found, Err)]


def _operators_key() -> str:
    operator = User.objects.create_user(username="olga", password="not used here 17", is_operator=True)
    secret = make_secret()
    ApiKey.objects.create(
        user=operator,
        name="ops",
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=[Scope.OPS],
        created_at=timezone.now(),
    )
    return secret


@pytest.fixture(autouse=True)
def connection_stays_open() -> Iterator[None]:
    """As Django's own test client does: the request's end must not end the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def keys(adam: Person, cleo: Person) -> Callable[[str], str]:
    """Return which key opens an address: the operator's for operations, else the administrator's."""
    tenants, operators = make_key(adam), _operators_key()
    operations = ("/circuit-breakers", "/health/detailed", "/operations/", "/dlq/", "/incidents", "/alerting/")
    return lambda path: operators if any(name in path for name in operations) else tenants


@pytest.fixture
def known(cleo: Person) -> Iterator[dict[str, str]]:
    """Ids of objects that are there, by the name of their path parameter."""
    claim = make_assessed_claim(cleo)
    with transaction.atomic():
        alert = raise_alert(AlertEvent.MODEL_FAILURE, subject="openai")
    yield {
        "claim_id": str(claim.id),
        "name": "openai",
        "alert_id": str(alert.alert_id),
        "job_id": str(make_letter().job_id),
        "number": str(an_incident().number),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_one_that_the_document_promises(
    operation: Any, keys: Callable[[str], str], known: dict[str, str]
) -> None:
    hits = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
    turn = iter(range(10**9))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if next(turn) % 2 == 0:
            case.path_parameters = {**(case.path_parameters or {}), **hits}
        answer = case.call(headers={"X-API-Key": keys(operation.path)})
        case.validate_response(answer, checks=CHECKS)

    ask()
