"""Fixtures shared by all tests: a data folder of the test's own, the two tenants and their people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from aiassist.monitoring.guard import health_guard_statements, health_lift_statements
from observability.incidents.guard import timeline_guard_statements, timeline_lift_statements
from tenancy.audit_guard import guard_statements, lift_statements
from tenancy.choices import Role
from tenancy.erasure_guard import erasure_guard_statements, erasure_lift_statements
from tenancy.ledger_guard import ledger_guard_statements, ledger_lift_statements
from tenancy.models import Tenant
from tests.people import Person, make_person, make_tenant

# A busy machine is no counter-example.
hypothesis_settings.register_profile("claimwright", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("claimwright")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


# What takes longest is handed out first, so that no core waits at the end for one long file.
_LONGEST_FIRST = ("tests/aiassist/", "tests/isolation/", "tests/claims/", "tests/house/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        found = (n for n, folder in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(folder))
        return next(found, len(_LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: object) -> Iterator[None]:
    """Files of a test stay in its own folder, and no cached answer leaks into the next test."""
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    settings.QUARANTINE_DIR = tmp_path / "quarantine"  # type: ignore[attr-defined]
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"  # type: ignore[attr-defined]
    cache.clear()
    yield


@pytest.fixture(autouse=True)
def nobody_is_drawn_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """One decision in twenty would get a blind label and its extra rows; tests that want one set the share to 1."""
    monkeypatch.setattr("reviews.labels.draw_number", lambda decision_id: 0.5)


@pytest.fixture(autouse=True)
def no_window_ends_in_mid_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts at forms are counted in fixed windows; one whose edge falls into a test would count twice."""
    begun = time.time()
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: begun))


@pytest.fixture(autouse=True)
def full_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level is read at most every two seconds, so which test pays for it would be chance; `live_level` reads it."""
    from observability import service_level
    from observability.degradation import ServiceLevel

    monkeypatch.setattr(service_level, "_last", (float("inf"), service_level.Standing(ServiceLevel.FULL)))


@pytest.fixture
def live_level(full_service: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the service level read anew whenever it is asked for."""
    monkeypatch.setattr("observability.service_level._last", None)
    monkeypatch.setattr("observability.service_level._FRESH_SECONDS", 0.0)


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests without the limiter's own queries, for tests that count those of a page."""
    monkeypatch.setattr("tenancy.ratelimits.limiter._take", lambda asks: None)


@pytest.fixture
def shared_data() -> Path:
    """The evaluation data beside the checkout, where it is there."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the evaluation data is not beside this checkout")
    return folder


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def borealis(db: None) -> Tenant:
    return make_tenant("borealis")


@pytest.fixture
def ada(acme: Tenant) -> Person:
    return make_person(acme, "ada", Role.ANALYST)


@pytest.fixture
def sam(acme: Tenant) -> Person:
    return make_person(acme, "sam", Role.SUPERVISOR)


@pytest.fixture
def cleo(acme: Tenant) -> Person:
    return make_person(acme, "cleo", Role.CLIENT)


@pytest.fixture
def audrey(acme: Tenant) -> Person:
    return make_person(acme, "audrey", Role.AUDITOR)


@pytest.fixture
def adam(acme: Tenant) -> Person:
    return make_person(acme, "adam", Role.ADMIN)


@pytest.fixture
def zoe(borealis: Tenant) -> Person:
    return make_person(borealis, "zoe", Role.ANALYST)


@pytest.fixture(scope="session", autouse=True)
def emptied_tables_may_hold_history() -> Iterator[None]:
    """Tests with real transactions empty all tables afterwards; the guards step aside for that alone."""
    operations = type(connection.ops)
    plain = operations.sql_flush

    def around_the_guard(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        vendor = connection.vendor
        lifted = [
            *health_lift_statements(vendor),
            *timeline_lift_statements(vendor),
            *lift_statements(vendor),
            *ledger_lift_statements(vendor),
            *erasure_lift_statements(vendor),
        ]
        guarded = [
            *health_guard_statements(vendor),
            *timeline_guard_statements(vendor),
            *guard_statements(vendor),
            *ledger_guard_statements(vendor),
            *erasure_guard_statements(vendor),
        ]
        return [*lifted, *plain(self, *args, **kwargs), *guarded]

    operations.sql_flush = around_the_guard  # type: ignore[method-assign]
    yield
    operations.sql_flush = plain  # type: ignore[method-assign]
