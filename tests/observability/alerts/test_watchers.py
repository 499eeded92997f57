"""What each watcher of the operations floor sees, and what it does not take for trouble."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from observability import request_minutes, service_level
from observability.alerts import watchers
from observability.alerts.watching import Condition
from observability.breakers import force_breaker_open
from observability.degradation import Part
from observability.heartbeats import record_heartbeat
from observability.models import CircuitBreaker, RequestMinute, RunningVersion
from observability.probes import Finding
from tenancy.models import User
from tenancy.second_factor import begin_second_factor, code_at, confirm_second_factor
from tests.observability.work import NOON, make_job, make_letter
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db


def minute(**columns: int) -> None:
    RequestMinute.objects.create(minute=int(NOON.timestamp()) // 60, **columns)


def told(conditions: Any) -> list[tuple[str, str, str | None]]:
    return [(c.event, c.subject, c.severity) for c in conditions]


def test_an_open_breaker_is_seen_and_one_that_a_person_holds_is_mild() -> None:
    assert list(watchers.open_breakers(NOON)) == []
    CircuitBreaker.objects.filter(name="openai").update(state="OPEN", opened_at=NOON)
    force_breaker_open(name="local", by="olga", now=NOON)
    assert told(sorted(watchers.open_breakers(NOON), key=lambda c: c.subject)) == [
        ("CIRCUIT_BREAKER_OPEN", "local", "INFO"),
        ("CIRCUIT_BREAKER_OPEN", "openai", None),
    ]


def test_a_backlog_is_old_or_long(settings: Any) -> None:
    settings.ALERT_BACKLOG_SECONDS, settings.ALERT_BACKLOG_JOBS = 300, 3
    now = timezone.now()
    make_job(now=now - timedelta(seconds=200))
    assert list(watchers.queue_backlog(now)) == []
    make_job(now=now - timedelta(seconds=400))
    assert told(watchers.queue_backlog(now)) == [("QUEUE_BACKLOG", "jobs", "WARNING")]
    for _ in range(13):
        make_job(now=now)
    [condition] = watchers.queue_backlog(now)
    assert (condition.severity, condition.facts["waiting_jobs"]) == ("ERROR", 15)


def test_dead_letters_are_told_by_kind() -> None:
    make_letter(kind="test.one")
    make_letter(kind="test.one")
    make_job(kind="test.two", state="SUCCEEDED")
    [condition] = watchers.dead_letters(NOON)
    assert (condition.subject, condition.facts) == ("dead/test.one", {"dead_letters": 2})


def test_all_providers_away_is_a_failure_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        service_level, "breakers_in_use", lambda: {"openai": Part.MODEL, "local": Part.MODEL, "broker": Part.BROKER}
    )
    now = timezone.now()
    force_breaker_open(name="openai", by="olga", now=now)
    assert list(watchers.no_model(now)) == [], "the local one answers"
    force_breaker_open(name="local", by="olga", now=now)
    assert told(watchers.no_model(now)) == [("MODEL_FAILURE", "every-provider", None)]


def test_no_worker_lives_only_where_one_did_not_sign_off() -> None:
    assert list(watchers.no_worker(NOON)) == [], "none was ever started, or all signed off"
    record_heartbeat(name="host-1", started_at=NOON, now=NOON - timedelta(seconds=40))
    make_job()
    [condition] = watchers.no_worker(NOON)
    assert told([condition]) == [("SYSTEM_DOWN", "workers", None)]
    assert condition.facts == {"lost_workers": 1, "waiting_jobs": 1}
    record_heartbeat(name="host-2", started_at=NOON, now=NOON - timedelta(seconds=5))
    assert list(watchers.no_worker(NOON)) == [], "another one lives"


@pytest.mark.parametrize(
    ("requests", "errors", "severity"),
    [(19, 19, None), (1000, 49, None), (1000, 50, "ERROR"), (1000, 249, "ERROR"), (1000, 250, "CRITICAL")],
)
def test_an_error_rate_is_high_from_five_percent(requests: int, errors: int, severity: str | None) -> None:
    minute(requests=requests, server_errors=errors)
    expected = [("HIGH_ERROR_RATE", "http", severity)] if severity else []
    assert told(watchers.troubled_requests(NOON)) == expected
    assert list(watchers.troubled_requests(NOON + timedelta(minutes=5))) == [], "it is over"


@pytest.mark.parametrize(
    ("slow", "quick", "severity"), [(6, 94, "WARNING"), (4, 96, None), (6, 40, None)], ids=["slow", "few", "too-few"]
)
def test_latency_is_high_by_its_95th_percentile(slow: int, quick: int, severity: str | None) -> None:
    minute(requests=slow + quick, up_to_50_ms=quick, up_to_5000_ms=slow)
    expected = [("HIGH_LATENCY", "http", severity)] if severity else []
    assert told(watchers.troubled_requests(NOON)) == expected


@pytest.mark.parametrize(("failures", "severity"), [(99, None), (100, "ERROR"), (500, "CRITICAL")])
def test_many_failed_authentications_point_to_an_attack(failures: int, severity: str | None) -> None:
    minute(requests=1, unauthorised=failures)
    expected = [("SECURITY_BREACH", "authentication", severity)] if severity else []
    assert told(watchers.failed_authentication(NOON)) == expected


def test_a_component_is_down_when_several_looks_in_a_row_found_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("broker", "3 messages (left)!", 1.0, required=False), Finding("database", "", 1.0, required=True)]
    monkeypatch.setattr(watchers, "readiness", lambda: found)
    look = watchers._Components()
    assert [list(look(NOON)) for _ in range(2)] == [[], []]
    [broker] = look(NOON)
    assert told([broker]) == [("SYSTEM_DOWN", "broker", "ERROR")]
    assert broker.facts == {"problem": "3_messages_left_"}
    found[:] = [Finding("broker", "", 1.0, required=False), Finding("database", "OperationalError", 1.0, required=True)]
    assert [list(look(NOON)) for _ in range(2)] == [[], []], "the count begins anew"
    assert told(look(NOON)) == [("DATABASE_FAILURE", "database", "CRITICAL")]


def test_another_version_is_told_once_over_all_processes(settings: Any) -> None:
    assert list(watchers._Version()(NOON)) == [], "the first start changes nothing"
    settings.VERSION = "9.9.9"
    first = watchers._Version()
    [condition] = first(NOON)
    assert (condition.event, condition.subject, condition.facts) == (
        "DEPLOYMENT_STATUS",
        "9.9.9",
        {"version_before": "0.1.0"},
    )
    assert list(first(NOON)) == [] and list(watchers._Version()(NOON)) == []
    assert RunningVersion.objects.get().version == "9.9.9"


def test_conditions_tell_codes_only(settings: Any) -> None:
    """What the watchers say passes the check of `raise_alert`, which refuses words."""
    from observability.alerts.raising import raise_alert  # only here

    CircuitBreaker.objects.create(name="openai", state="OPEN", opened_at=NOON, changed_at=NOON)
    minute(requests=100, server_errors=50, unauthorised=500, longer=100)
    make_letter(kind="webhooks.send")
    seen: list[Condition] = [
        *watchers.open_breakers(NOON),
        *watchers.dead_letters(NOON),
        *watchers.troubled_requests(NOON),
        *watchers.failed_authentication(NOON),
    ]
    assert len(seen) == 5
    for condition in seen:
        assert raise_alert(condition.event, subject=condition.subject, facts=condition.facts).opened


def test_requests_of_this_process_reach_the_shared_minutes(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    client.get("/api/v1/claims")
    client.get("/health/live")
    client.get("/sign-in/")
    request_minutes.write_minutes()
    client.get("/api/v1/claims")
    request_minutes.write_minutes()
    sums = request_minutes.request_sums(minutes=2, now=timezone.now())
    assert (sums.requests, sums.unauthorised, sums.server_errors, sums.timed) == (3, 2, 0, 3)
    assert sums.p95_seconds is not None  # how long they took is the machine's affair


def test_a_failed_sign_in_counts_though_its_answer_is_a_page(
    client: Any, monkeypatch: pytest.MonkeyPatch, ada: Any
) -> None:
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    request_minutes.write_minutes()
    assert request_minutes.request_sums(minutes=2, now=timezone.now()).unauthorised == 1


def turn_on_second_factor(user: User) -> None:
    now = timezone.now()
    secret = begin_second_factor(user=user, now=now).secret
    confirm_second_factor(user=user, code=code_at(secret, int(now.timestamp()) // 30), now=now)


def test_a_wrong_code_at_the_door_counts_once(client: Any, monkeypatch: pytest.MonkeyPatch, ada: Any) -> None:
    turn_on_second_factor(ada.user)
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 401
    request_minutes.write_minutes()
    assert request_minutes.request_sums(minutes=2, now=timezone.now()).unauthorised == 1


@pytest.mark.parametrize("password", ["wrong", PASSWORD], ids=["password", "code"])
def test_a_failed_sign_in_over_the_api_counts_once(
    client: Any, monkeypatch: pytest.MonkeyPatch, ada: Any, password: str
) -> None:
    turn_on_second_factor(ada.user)
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    body = {"username": "ada", "password": password, "code": "000000"}
    assert client.post("/api/v1/token", body, content_type="application/json").status_code == 401
    request_minutes.write_minutes()
    assert request_minutes.request_sums(minutes=2, now=timezone.now()).unauthorised == 1


def test_a_large_body_says_nothing_about_latency(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_minutes, "_minutes", request_minutes._Minutes())
    client.post("/api/v1/claims/upload", {"metadata": "x" * 1_100_000})
    request_minutes.write_minutes()
    sums = request_minutes.request_sums(minutes=2, now=timezone.now())
    assert (sums.requests, sums.timed) == (1, 0)


def test_sums_that_could_not_be_written_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = request_minutes._Minutes()
    monkeypatch.setattr(request_minutes, "_minutes", minutes)
    request_minutes.note_request(status=503, seconds=0.3, timed=True)

    def away(*_args: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(request_minutes, "_write", away)
        with pytest.raises(OperationalError):
            request_minutes.write_minutes()
    request_minutes.note_request(status=200, seconds=0.3, timed=True)
    request_minutes.write_minutes()
    sums = request_minutes.request_sums(minutes=2, now=timezone.now())
    assert (sums.requests, sums.server_errors) == (2, 1)


def test_an_hour_at_most_waits_for_a_database_that_is_away() -> None:
    minutes = request_minutes._Minutes()
    minutes.put_back({number: Counter(requests=1) for number in range(90)})
    assert sorted(minutes.take()) == list(range(30, 90))


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([0] * 9, None),
        ([100] + [0] * 8, 0.0475),
        ([0, 0, 100] + [0] * 6, 0.2425),
        ([0] * 8 + [10], 10.0),
        ([90, 0, 0, 0, 0, 10, 0, 0, 0], 1.75),
    ],
)
def test_quantiles_are_spread_within_their_bucket(buckets: list[int], expected: float | None) -> None:
    assert request_minutes.quantile_seconds(buckets, 0.95) == (expected and pytest.approx(expected))


def test_old_minutes_are_forgotten() -> None:
    minute(requests=1)
    assert request_minutes.purge_old_minutes(now=NOON + timedelta(days=6)) == 0
    assert request_minutes.purge_old_minutes(now=NOON + timedelta(days=8)) == 1
