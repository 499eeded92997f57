"""The table of service levels, row by row, and as it is read from breakers, queue and database."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from observability import guarding, managers, service_level, tasks
from observability.breakers import force_breaker_open, reset_breaker
from observability.caching import COMPUTED_ANEW, remembered
from observability.degradation import (
    TABLE,
    Facts,
    Part,
    PartFacts,
    ServiceLevel,
    Trouble,
    level_of,
    rules_for,
    troubles_of,
)
from observability.fallbacks import fallback_uses
from observability.guarding import BROKER, CACHE, STORAGE, Watched, watch_dependencies
from observability.managers import STAYS_PENDING
from observability.models import CircuitBreaker
from observability.service_level import current_standing, read_standing
from tests.observability.work import NOON, make_job

FULL, DEGRADED, MINIMAL, UNAVAILABLE = ServiceLevel

# The table once more, so that a changed row is changed on purpose.
EXPECTED = {
    Trouble.DATABASE_AWAY: UNAVAILABLE,
    Trouble.STORAGE_AWAY: MINIMAL,
    Trouble.MODELS_AWAY: MINIMAL,
    Trouble.QUEUE_STUCK: MINIMAL,
    Trouble.BROKER_AWAY: DEGRADED,
    Trouble.RETRIEVAL_AWAY: DEGRADED,
    Trouble.SOME_MODELS_AWAY: DEGRADED,
    Trouble.QUEUE_SLOW: DEGRADED,
    Trouble.CACHE_AWAY: DEGRADED,
}


def away(part: Part, *, in_use: int = 1, count: int = 1) -> dict[Part, PartFacts]:
    return {part: PartFacts(in_use, count)}


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.trouble)
def test_each_row_gives_its_level_and_says_what_works(rule: Any) -> None:
    assert level_of([rule.trouble]) == rule.level == EXPECTED[rule.trouble]
    assert rule.works.endswith(".") and len(rule.works) < 90


def test_the_table_has_a_row_for_each_trouble_and_the_worst_come_first() -> None:
    assert [rule.trouble for rule in TABLE] == list(EXPECTED)
    assert set(EXPECTED) == set(Trouble)
    order = list(ServiceLevel)
    assert [order.index(rule.level) for rule in TABLE] == sorted((order.index(r.level) for r in TABLE), reverse=True)


def test_of_several_troubles_the_worst_gives_the_level() -> None:
    order = list(ServiceLevel)
    for size in (0, 1, 2, 3, len(Trouble)):
        for chosen in combinations(Trouble, size):
            worst = max((EXPECTED[trouble] for trouble in chosen), key=order.index, default=FULL)
            assert level_of(chosen) == worst
            assert {rule.trouble for rule in rules_for(chosen)} == set(chosen)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), set()),
        (Facts(database_away=True, queue_seconds=900.0), {Trouble.DATABASE_AWAY}),
        (Facts(parts=away(Part.BROKER)), {Trouble.BROKER_AWAY}),
        (Facts(parts=away(Part.CACHE)), {Trouble.CACHE_AWAY}),
        (Facts(parts=away(Part.STORAGE)), {Trouble.STORAGE_AWAY}),
        (Facts(parts=away(Part.RETRIEVAL)), {Trouble.RETRIEVAL_AWAY}),
        (Facts(parts=away(Part.OTHER)), set()),
        (Facts(parts=away(Part.MODEL, in_use=2, count=0)), set()),
        (Facts(parts=away(Part.MODEL, in_use=2, count=1)), {Trouble.SOME_MODELS_AWAY}),
        (Facts(parts=away(Part.MODEL, in_use=2, count=2)), {Trouble.MODELS_AWAY}),
        (Facts(queue_seconds=59.9), set()),
        (Facts(queue_seconds=60.0), {Trouble.QUEUE_SLOW}),
        (Facts(queue_seconds=300.0), {Trouble.QUEUE_STUCK}),
    ],
)
def test_facts_become_troubles(facts: Facts, expected: set[Trouble]) -> None:
    assert troubles_of(facts) == expected


@pytest.mark.django_db
def test_providers_that_are_not_set_up_say_nothing_about_the_level(settings: Any) -> None:
    now = timezone.now()
    force_breaker_open(name="openai", by="olga", now=now)
    assert read_standing(now=now).level == FULL
    settings.OPENAI_API_KEY = "sk-test"
    assert [rule.trouble for rule in read_standing(now=now).rules] == [Trouble.MODELS_AWAY]
    settings.ANTHROPIC_API_KEY = "sk-test"
    assert [rule.trouble for rule in read_standing(now=now).rules] == [Trouble.SOME_MODELS_AWAY]
    reset_breaker(name="openai", by="olga", now=now)
    assert read_standing(now=now).is_full


@pytest.mark.django_db
def test_a_queue_that_does_not_move_lowers_the_level() -> None:
    now = timezone.now()
    make_job(now=now - timedelta(seconds=400))
    assert read_standing(now=now).level == MINIMAL


def test_a_database_that_is_away_is_a_level_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> frozenset[str]:
        raise OperationalError("away")

    monkeypatch.setattr(service_level, "open_breakers", refuse)
    standing = read_standing(now=timezone.now())
    assert (standing.level, [rule.trouble for rule in standing.rules]) == (UNAVAILABLE, [Trouble.DATABASE_AWAY])


@pytest.mark.django_db
def test_a_dependency_that_fails_twice_is_left_alone_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    problems, looks = ["timeout"], []

    def look() -> str:
        looks.append(1)
        return problems[0]

    monkeypatch.setattr(guarding, "_watched", {CACHE: Watched(CACHE, look)})
    clock = timezone.now()
    monkeypatch.setattr("observability.guarding.timezone.now", lambda: clock)
    for _ in range(6):
        watch_dependencies(now=clock)
        clock += timedelta(seconds=1)
    assert len(looks) == 2, "open after two failures, and left alone for its five seconds"
    assert CircuitBreaker.objects.get(name=CACHE).state == "OPEN"
    problems[0] = ""
    clock += timedelta(seconds=5)
    assert watch_dependencies(now=clock) == 0
    assert CircuitBreaker.objects.get(name=CACHE).state == "CLOSED"


@pytest.mark.django_db
def test_a_healthy_dependency_costs_no_write(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "_watched", {CACHE: Watched(CACHE, lambda: "")})
    with django_assert_num_queries(1):
        assert watch_dependencies(now=timezone.now()) == 0


@pytest.mark.django_db
def test_a_broker_that_is_away_is_tried_no_more_than_twice_and_the_jobs_stay_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[object] = []

    def refuse(**_options: object) -> None:
        tried.append(1)
        raise BrokerAway("connection refused")

    monkeypatch.setattr(tasks.run_job_task, "apply_async", refuse)
    before = used(STAYS_PENDING)
    assert [tasks.publish_job(make_job().id) for _ in range(5)] == [False] * 5
    assert len(tried) == 2, "then the breaker is open and no request waits for the broker's timeout"
    assert used(STAYS_PENDING) == before + 5
    assert Trouble.BROKER_AWAY in {rule.trouble for rule in read_standing(now=NOON).rules}


@pytest.mark.django_db
def test_cached_values_are_computed_anew_while_the_cache_is_left_alone(live_level: None) -> None:
    answers = iter(range(10))

    def ask() -> int:
        return remembered("degradation-test", lambda: next(answers), seconds=60)

    assert [ask(), ask()] == [0, 0]
    before = used(COMPUTED_ANEW)
    force_breaker_open(name=CACHE, by="olga", now=timezone.now())
    assert [ask(), ask()] == [1, 2]
    assert used(COMPUTED_ANEW) == before + 2
    reset_breaker(name=CACHE, by="olga", now=timezone.now())
    assert ask() == 0


@pytest.mark.django_db
def test_the_level_of_a_process_is_at_most_two_seconds_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_level, "_last", None)
    clock = [100.0]
    monkeypatch.setattr("observability.service_level.time.monotonic", lambda: clock[0])
    assert current_standing().is_full
    force_breaker_open(name=STORAGE, by="olga", now=timezone.now())
    assert current_standing().is_full
    clock[0] += 2.0
    assert current_standing().level == MINIMAL


@pytest.mark.django_db
def test_prometheus_reads_the_level(client: Client) -> None:
    force_breaker_open(name=BROKER, by="olga", now=timezone.now())
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'claimwright_service_level{level="DEGRADED"} 1.0' in lines
    assert 'claimwright_service_level{level="FULL"} 0.0' in lines


def test_the_cache_is_looked_at_by_what_it_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert managers.cache_problem() == ""
    monkeypatch.setattr(cache, "get", lambda _key: None)
    assert managers.cache_problem() == "value_lost"


def used(name: str) -> int:
    return next(use.used for use in fallback_uses() if use.fallback.name == name)
