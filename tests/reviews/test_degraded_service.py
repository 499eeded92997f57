"""Whatever is away besides the database: claims are taken in, people decide, and no address breaks."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, combinations
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from observability import tasks
from observability.breakers import force_breaker_open
from observability.degradation import ServiceLevel
from tenancy.models import User
from tests.claims.handing_in import hand_in
from tests.files import make_assessed_claim
from tests.people import PASSWORD, Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("live_level")]

MODELS = frozenset({"openai", "anthropic", "local"})
DEPENDENCIES = ("broker", "cache", *sorted(MODELS))
FULL, DEGRADED, MINIMAL, _ = ServiceLevel
# One of each outcome, and the worst of all; every other combination is in the harness.
SOME: list[tuple[str, ...]] = [(), ("broker",), ("cache",), ("openai",), tuple(sorted(MODELS)), DEPENDENCIES]
ALL = list(chain.from_iterable(combinations(DEPENDENCIES, size) for size in range(len(DEPENDENCIES) + 1)))
CACHE_NOBODY_ANSWERS = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": "redis://127.0.0.1:1/0",
    "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "IGNORE_EXCEPTIONS": True},
}


def expected(down: Collection[str]) -> ServiceLevel:
    """The table in the tests' own words."""
    if set(down) >= MODELS:
        return MINIMAL
    return DEGRADED if down else FULL


def take_away(down: Collection[str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the dependencies away, and let their breakers know, as failures would have done."""
    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
    settings.LOCAL_LLM_BASE_URL = "http://127.0.0.1:1"
    if "cache" in down:
        settings.CACHES = {**settings.CACHES, "default": CACHE_NOBODY_ANSWERS}
    if "broker" in down:

        def refuse(**_options: object) -> None:
            raise BrokerAway("connection refused")

        monkeypatch.setattr(tasks.run_job_task, "apply_async", refuse)
    for name in down:
        force_breaker_open(name=name, by="test", now=timezone.now())


def walk(down: Collection[str], cleo: Person, ada: Person, number: str) -> None:
    """Hand a claim in, look at every page of the desk, decide a claim; everything works at the table's level."""
    claim = make_assessed_claim(cleo, f"{number}-waiting")
    uploaded = hand_in(cleo.api(), number, content=None)
    assert uploaded.status_code in (200, 202), uploaded.content
    api, browser = ada.api(), ada.browser()
    summary = api.get("/api/v1/metrics/summary")
    assert (summary.status_code, summary.json()["service_level"]) == (200, expected(down))
    for address in ("/desk/", f"/desk/claims/{claim.id}/review/", "/api/v1/reviews/queue", "/api/v1/claims"):
        client: Any = api if address.startswith("/api") else browser
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        if not address.startswith("/api"):
            assert ('class="standing' in answer.content.decode()) == bool(down)
    words = {"decision": "APPROVE", "reasoning": "Seen.", "assessment_id": str(claim.assessment_id)}
    assert api.post(f"/api/v1/reviews/{claim.id}/decision", words, format="json").status_code == 201


@pytest.mark.parametrize("down", SOME, ids=lambda down: "+".join(down) or "nothing")
def test_upload_and_review_work_whatever_is_away(
    cleo: Person, ada: Person, settings: Any, monkeypatch: pytest.MonkeyPatch, down: tuple[str, ...]
) -> None:
    take_away(down, settings, monkeypatch)
    walk(down, cleo, ada, "CLM-1")


@pytest.mark.harness
@pytest.mark.parametrize("down", ALL, ids=lambda down: "+".join(down) or "nothing")
def test_upload_and_review_work_in_every_combination(
    cleo: Person, ada: Person, settings: Any, monkeypatch: pytest.MonkeyPatch, down: tuple[str, ...]
) -> None:
    take_away(down, settings, monkeypatch)
    walk(down, cleo, ada, "CLM-1")


def test_a_client_is_not_told_about_the_platform(cleo: Person) -> None:
    force_breaker_open(name="broker", by="test", now=timezone.now())
    assert 'class="standing' not in cleo.browser().get("/desk/claims/").content.decode()


def test_the_operator_sees_level_table_breakers_and_fallbacks(ada: Person, adam: Person, client: Client) -> None:
    force_breaker_open(name="broker", by="sven", now=timezone.now())
    force_breaker_open(name="openai", by="sven", now=timezone.now())
    olga = Client()
    olga.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    body = olga.get("/debug-resilience").json()
    assert (body["service_level"], [t["code"] for t in body["troubles"]]) == ("DEGRADED", ["broker_away"])
    assert [row["level"] for row in body["table"]] == ["UNAVAILABLE", *["MINIMAL"] * 3, *["DEGRADED"] * 5]
    newest = body["breakers"][0]
    assert (newest["state"], newest["changed_by"], newest["part"], newest["in_use"]) == ("OPEN", "sven", "MODEL", False)
    assert {use["kind"] for use in body["fallbacks"]} == {"STATIC", "FUNCTION", "CACHED"}
    assert 'class="standing' in olga.get("/admin/").content.decode()
    assert client.get("/debug-resilience").status_code == 401
    assert {person.api().get("/debug-resilience").status_code for person in (ada, adam)} == {403}
    assert olga.get("/debug-resilience?x=1").json()["code"] == "unknown_parameter"
