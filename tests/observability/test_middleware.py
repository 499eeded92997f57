from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from observability import http_metrics
from observability.context import current_context, work_context

pytestmark = pytest.mark.urls(__name__)


def echo(request: HttpRequest, number: str = "") -> HttpResponse:
    with work_context(tenant_id="t-1", principal_id="p-1"):
        return HttpResponse(current_context().request_id)


def fail(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken")


def handler500(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("sorry", status=500)


urlpatterns = [
    path("claims/<str:number>/", echo, name="claim"),
    path("broken/", fail),
    path("health", echo, name="health"),
]


def access_lines(client: Client, *paths: str, **headers: str) -> list[dict]:
    with capture_logs() as lines:
        for address in paths:
            client.get(address, headers=headers)
    return [dict(line) for line in lines if line["event"] == "request"]


def test_request_keeps_a_sane_id_of_the_client(client: Client) -> None:
    answer = client.get("/claims/1/", headers={"X-Request-ID": "trace-12345678"})
    assert answer["X-Request-ID"] == answer.content.decode() == "trace-12345678"


@pytest.mark.parametrize(
    "offered", ["", "short", "a" * 65, "with space in it", "line\\nend\\r12", "ümläut-12345678", "12345678\n"]
)
def test_request_gets_an_id_of_ours_instead_of_an_odd_one(client: Client, offered: str) -> None:
    answer = client.get("/claims/1/", HTTP_X_REQUEST_ID=offered)
    assert answer["X-Request-ID"] != offered
    assert len(answer["X-Request-ID"]) == 32


def test_request_ends_in_one_line_with_the_route_and_without_path_or_query(client: Client) -> None:
    (line,) = access_lines(client, "/claims/CLM-Ada-Lovelace/?q=ada@example.org")
    milliseconds = line.pop("milliseconds")
    assert milliseconds >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/claims/<str:number>/",
        "status": 200,
    }


def test_request_line_is_written_with_the_ids_that_inner_parts_found(client: Client, monkeypatch: object) -> None:
    seen: list[tuple[str, str, str]] = []

    def note(_request: object, _response: object, *, seconds: float) -> None:
        context = current_context()
        seen.append((context.request_id, context.tenant_id, context.principal_id))

    monkeypatch.setattr("observability.middleware._log_answer", note)  # type: ignore[attr-defined]
    client.get("/claims/1/", headers={"X-Request-ID": "trace-12345678"})
    assert seen == [("trace-12345678", "t-1", "p-1")]
    assert current_context().tenant_id == ""


def test_request_that_matches_no_route_is_logged_without_its_path(client: Client) -> None:
    (line,) = access_lines(client, "/claims-of/ada@example.org")
    assert (line["route"], line["status"]) == ("unknown", 404)


def test_request_that_fails_is_a_warning(client: Client) -> None:
    client.raise_request_exception = False
    (line,) = access_lines(client, "/broken/")
    assert (line["status"], line["log_level"]) == (500, "warning")


def test_request_of_a_probe_is_not_worth_a_line(client: Client) -> None:
    assert access_lines(client, "/health") == []


def test_answers_are_counted_by_what_the_code_names_and_not_by_what_callers_choose(client: Client) -> None:
    def seen() -> dict[tuple[str, str, str], float]:
        (family,) = (family for family in REGISTRY.collect() if f"{family.name}_total" == http_metrics.REQUESTS)
        return {
            (one.labels["view"], one.labels["method"], one.labels["status"]): one.value
            for one in family.samples
            if one.name.endswith("_total")
        }

    before = seen()
    client.get("/claims/CLM-1/")
    client.get("/claims/CLM-2/")
    client.generic("BREW", "/claims/CLM-2/")
    client.get("/no/such/address")
    rose = {labels: n - before.get(labels, 0) for labels, n in seen().items() if n != before.get(labels, 0)}
    assert rose == {
        ("claim", "GET", "200"): 2,
        ("claim", "<invalid method>", "200"): 1,
        ("<unnamed view>", "GET", "404"): 1,
    }
