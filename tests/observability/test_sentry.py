"""What would leave for Sentry, caught at its transport: none of the planted secrets may be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import sentry_sdk
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from observability.context import work_context
from observability.sentry import mask_sentry_event, start_sentry

pytestmark = [pytest.mark.urls(__name__)]

CANARIES = {
    "message": "ada.message@example.org",
    "local": "460-89-9847",
    "query": "query-canary-5550001",
    "header": "header-canary-5550002",
    "cookie": "cookie-canary-5550003",
    "body": "body-canary-5550004",
    "breadcrumb": "crumb@example.org",
    "extra": "extra@example.org",
    "person": "person-canary-5550005",
    "cause": "cause@example.org",
}


class Caught(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__({"dsn": "https://key@sentry.invalid/1"})
        self.items: list[dict] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.items += [json.loads(item.get_bytes()) for item in envelope.items]


@pytest.fixture
def caught(settings: object) -> Iterator[Caught]:
    settings.SENTRY_DSN = "https://key@sentry.invalid/1"  # type: ignore[attr-defined]
    settings.SENTRY_TRACES_SAMPLE_RATE = 1.0  # type: ignore[attr-defined]
    transport = Caught()
    start_sentry(transport=transport)
    yield transport
    sentry_sdk.get_global_scope().set_client(None)


@csrf_exempt
def fail(_request: HttpRequest, number: str) -> HttpResponse:
    local_number = CANARIES["local"]
    people = {"password": CANARIES["local"], "list": [local_number]}
    sentry_sdk.add_breadcrumb(message=CANARIES["breadcrumb"], category="note")
    sentry_sdk.set_extra("note", CANARIES["extra"])
    sentry_sdk.set_user({"username": CANARIES["person"], "email": CANARIES["message"]})
    with work_context(tenant_id="0192-tenant"):
        try:
            raise KeyError(CANARIES["cause"])
        except KeyError as error:
            raise ValueError(f"no claim of {CANARIES['message']} in {len(people)}") from error


urlpatterns = [path("claims/<str:number>/", fail)]


def handler500(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("sorry", status=500)


def everything_sent(caught: Caught) -> str:
    """Ask through the WSGI door: that is where Sentry stands."""
    request = RequestFactory().post(
        f"/claims/17/?q={CANARIES['query']}",
        data={"note": CANARIES["body"]},
        headers={"X-API-Key": CANARIES["header"], "Cookie": f"sessionid={CANARIES['cookie']}"},
    )
    answer = WSGIHandler()(request.environ, lambda *_arguments: lambda _chunk: None)
    answer.close()
    sentry_sdk.flush()
    return json.dumps(caught.items)


def test_start_sentry_does_nothing_without_a_dsn() -> None:
    assert start_sentry() is False
    assert not sentry_sdk.get_client().is_active()


@pytest.mark.django_db(transaction=True)
def test_sentry_gets_the_error_and_none_of_the_planted_secrets(caught: Caught) -> None:
    sent = everything_sent(caught)
    errors = [item for item in caught.items if "exception" in item]
    assert [value["type"] for value in errors[0]["exception"]["values"]] == ["KeyError", "ValueError"]
    assert errors[0]["exception"]["values"][1]["value"] == "no claim of [email] in 2"
    assert {name for name, canary in CANARIES.items() if canary in sent} == set()


@pytest.mark.django_db(transaction=True)
def test_sentry_gets_transactions_by_route_and_none_of_the_planted_secrets(caught: Caught) -> None:
    everything_sent(caught)
    (transaction,) = (item for item in caught.items if item.get("type") == "transaction")
    assert transaction["transaction"] == "/claims/{number}/"
    assert transaction["request"] == {"method": "POST"}
    assert {name for name, canary in CANARIES.items() if canary in json.dumps(transaction)} == set()


def test_mask_sentry_event_drops_locals_and_source_even_if_they_were_collected() -> None:
    frame = {"filename": "x.py", "lineno": 1, "vars": {"a": CANARIES["local"]}, "context_line": CANARIES["local"]}
    event = {"exception": {"values": [{"type": "E", "value": "x", "stacktrace": {"frames": [frame]}}]}}
    masked = mask_sentry_event(event, {})  # type: ignore[arg-type]
    (value,) = masked["exception"]["values"]
    assert value["stacktrace"]["frames"] == [{"filename": "x.py", "lineno": 1}]


def test_mask_sentry_event_says_which_request_and_tenant_it_was() -> None:
    with work_context(request_id="req-1", tenant_id="0192", principal_id="person"):
        masked = mask_sentry_event({"level": "error"}, {})
    assert masked["tags"] == {"request_id": "req-1", "tenant_id": "0192"}
