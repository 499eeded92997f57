"""Circuit breakers over HTTP and in the admin, for the platform's operator alone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from observability.breakers import force_breaker_open
from observability.models import CircuitBreaker
from tenancy.models import User
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/circuit-breakers"
NAMES = ["alerts.pagerduty", "alerts.slack", "anthropic", "broker", "cache", "local", "openai", "storage"]


@pytest.fixture
def olga() -> Client:
    """Olga operates the platform."""
    browser = Client()
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


def test_the_operator_sees_every_breaker(olga: Client) -> None:
    body = olga.get(ADDRESS).json()
    assert [item["name"] for item in body["items"]] == NAMES
    assert body["next_cursor"] is None
    assert {item["state"] for item in body["items"]} == {"CLOSED"}


def test_the_operator_turns_the_pages(olga: Client) -> None:
    first = olga.get(ADDRESS, {"limit": "5"}).json()
    second = olga.get(ADDRESS, {"limit": "5", "cursor": first["next_cursor"]}).json()
    names = [item["name"] for item in (*first["items"], *second["items"])]
    assert names == NAMES


def test_the_operator_resets_a_breaker_that_is_held_open(olga: Client) -> None:
    force_breaker_open(name="openai", by="sven", now=timezone.now())
    seen = olga.get(f"{ADDRESS}/openai").json()
    assert (seen["state"], seen["forced_open"], seen["changed_by"]) == ("OPEN", True, "sven")
    answer = olga.post(f"{ADDRESS}/openai/reset", content_type="application/json")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["forced_open"]) == ("CLOSED", False)
    assert CircuitBreaker.objects.get(name="openai").changed_by == str(User.objects.get().pk)


def test_a_breaker_that_does_not_exist_is_not_found(olga: Client) -> None:
    for answer in (
        olga.get(f"{ADDRESS}/nobody"),
        olga.post(f"{ADDRESS}/nobody/reset", content_type="application/json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_breakers_refuse_unknown_parameters_and_bodies(olga: Client) -> None:
    assert olga.get(ADDRESS, {"colour": "red"}).json()["code"] == "unknown_parameter"
    odd = olga.post(f"{ADDRESS}/openai/reset", {"force": True}, content_type="application/json")
    assert odd.status_code == 400


def test_breakers_are_neither_for_a_stranger_nor_for_a_tenant(adam: Person, ada: Person, client: Client) -> None:
    addresses = [("get", ADDRESS), ("get", f"{ADDRESS}/openai"), ("post", f"{ADDRESS}/openai/reset")]
    for verb, address in addresses:
        assert getattr(client, verb)(address).status_code == 401
        for person in (adam, ada):
            answer = getattr(person.api(), verb)(address)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_prometheus_reads_the_state_of_every_breaker(client: Client) -> None:
    force_breaker_open(name="openai", by="sven", now=timezone.now())
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'claimwright_circuit_breaker_state{breaker="openai",state="OPEN"} 1.0' in lines
    assert 'claimwright_circuit_breaker_state{breaker="openai",state="CLOSED"} 0.0' in lines
    assert 'claimwright_circuit_breaker_state{breaker="local",state="CLOSED"} 1.0' in lines


def test_the_operator_holds_a_breaker_open_in_the_admin(olga: Client) -> None:
    olga.get(ADDRESS)  # makes the rows
    page = "/admin/observability/circuitbreaker/"
    assert olga.get(page).status_code == 200
    olga.post(page, {"action": "force_open", "_selected_action": ["local"]})
    assert CircuitBreaker.objects.get(name="local").forced_open
    olga.post(page, {"action": "reset", "_selected_action": ["local"]})
    assert not CircuitBreaker.objects.get(name="local").forced_open
    form = olga.get(f"{page}local/change/").content.decode()
    assert 'name="state"' not in form, "the state is written by the machine, not by a form"
