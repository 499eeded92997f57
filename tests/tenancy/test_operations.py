from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from observability import health
from observability.breakers import force_breaker_open
from observability.heartbeats import record_heartbeat
from observability.probes import Check, Prober
from tenancy.models import User
from tests.people import PASSWORD, Person

# The checks look from threads of their own.
pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/health/detailed"


@pytest.fixture
def olga() -> Client:
    """Olga operates the platform."""
    browser = Client()
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


@pytest.fixture(autouse=True)
def fresh_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.probes._FRESH_SECONDS", 0.0)


def test_health_detailed_shows_the_operator_every_component(olga: Client) -> None:
    now = timezone.now()
    record_heartbeat(name="worker-1", started_at=now, now=now)
    record_heartbeat(name="worker-0", started_at=now, now=now - timedelta(minutes=5))
    body = olga.get(ADDRESS).json()
    assert body["status"] == "ok"
    assert {name: part["status"] for name, part in body["components"].items()} == dict.fromkeys(
        ("database", "migrations", "storage", "broker", "cache"), "ok"
    )
    assert [(worker["name"], worker["alive"]) for worker in body["workers"]] == [
        ("worker-1", True),
        ("worker-0", False),
    ]
    assert body["disk"]["free_bytes"] > 0
    assert "rules" in body["providers"]
    assert body["uptime_seconds"] >= 0


def test_health_detailed_tells_of_providers_by_their_breakers_and_calls_none(
    olga: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    olga.get(ADDRESS)
    force_breaker_open(name="openai", by="olga", now=timezone.now())
    with django_assert_max_num_queries(10):
        told = olga.get(ADDRESS).json()["circuit_breakers"]
    assert (told["openai"], told["anthropic"]) == ("OPEN", "CLOSED")


def test_health_detailed_is_degraded_without_a_worker(olga: Client) -> None:
    assert olga.get(ADDRESS).json()["status"] == "degraded"


def test_health_detailed_answers_while_something_is_away(olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = (
        Prober(Check("storage", lambda: "Read-only file system")),
        Prober(Check("broker", lambda: "x", required=False)),
    )
    monkeypatch.setattr(health, "_READINESS", gone)
    answer = olga.get(ADDRESS)
    assert (answer.status_code, answer.json()["status"]) == (200, "unavailable")
    assert answer.json()["components"]["storage"]["status"] == "Read-only file system"


def test_health_detailed_names_providers_without_their_keys(olga: Client, settings: object) -> None:
    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-" + "a" * 40  # type: ignore[attr-defined]
    answer = olga.get(ADDRESS)
    assert answer.json()["providers"] == ["openai", "anthropic", "rules"]
    assert "sk-" not in answer.content.decode()


def test_health_detailed_is_not_for_a_tenant_nor_for_a_stranger(adam: Person, ada: Person, client: Client) -> None:
    assert client.get(ADDRESS).status_code == 401
    for person in (adam, ada):
        answer = person.api().get(ADDRESS)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_cache_that_forgets_is_told(olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of the class: each thread has a cache object of its own.
    monkeypatch.setattr(type(caches["default"]), "get", lambda _self, _key, default=None, **_more: default)
    body = olga.get(ADDRESS).json()
    assert (body["components"]["cache"]["status"], body["components"]["cache"]["required"]) == ("value_lost", False)
