from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from observability import health
from observability.probes import Check, Prober

pytestmark = pytest.mark.urls("observability.urls")


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace the readiness checks; one that hangs has the real timeout."""

    def replace(*checks: Check) -> None:
        monkeypatch.setattr(health, "_READINESS", tuple(Prober(check) for check in checks))

    return replace


@pytest.mark.django_db
def test_health_tells_the_version_and_asks_nobody(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": django_settings.VERSION}
    assert answer["Cache-Control"] == "no-store"


def test_health_and_live_answer_while_the_database_is_away(client: Client) -> None:
    """Without the database mark every query raises: none may be made."""
    assert client.get("/health").status_code == 200
    answer = client.get("/health/live")
    assert answer.status_code == 200
    assert answer.json()["uptime_seconds"] >= 0


@pytest.mark.django_db(transaction=True)
def test_ready_looks_at_database_migrations_storage_and_broker(client: Client, tmp_path: Path) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "storage": "ok", "broker": "ok"},
    }


def test_ready_is_503_with_the_reason_and_when_to_come_back(client: Client, probing: Callable[..., None]) -> None:
    probing(Check("database", lambda: "OperationalError"), Check("storage", lambda: ""))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert int(answer["Retry-After"]) > 0
    body = answer.json()
    assert (body["code"], body["checks"]) == ("not_ready", {"database": "OperationalError", "storage": "ok"})


def test_ready_stays_ready_without_what_only_delays_work(client: Client, probing: Callable[..., None]) -> None:
    probing(Check("database", lambda: ""), Check("broker", lambda: "OperationalError", required=False))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["broker"]) == (200, "OperationalError")


@pytest.mark.django_db
def test_database_problem_names_the_kind_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("could not connect to server at 10.0.0.5")

    monkeypatch.setattr(connection, "cursor", away)
    assert health.database_problem() == "OperationalError"


@pytest.mark.django_db
def test_migrations_problem_counts_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", set())
    assert health.migrations_problem() == ""
    monkeypatch.setattr(health, "_migrated", set())
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'observability' AND name ="
            " (SELECT MAX(name) FROM django_migrations WHERE app = 'observability')"
        )
    assert health.migrations_problem() == "1 migrations wait (manage.py migrate)"


def test_storage_problem_sees_a_folder_that_cannot_be_written(settings: object, tmp_path: Path) -> None:
    assert health.storage_problem() == ""
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    settings.MEDIA_ROOT = blocked  # type: ignore[attr-defined]
    assert health.storage_problem() != ""
    assert list(tmp_path.glob("**/.probe-*")) == []


def test_storage_problem_sees_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_LEAST_FREE_BYTES", 10**18)
    assert health.storage_problem() == "disk_nearly_full"
