"""What clients meet: their rate, the headers that tell of it, the buckets, and a limiter that is away."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from config.environment import EnvironmentProblem, Reader
from tenancy.choices import Tier
from tenancy.models import ApiKey, AuditEvent, RateWindow, Tenant
from tenancy.ratelimits import limiter
from tenancy.ratelimits.database_store import DatabaseWindows, purge_idle_windows
from tenancy.ratelimits.window import Ask, Rate
from tenancy.scope import tenant_scope
from tests.claims.handing_in import hand_in
from tests.files import make_claim
from tests.people import Person, make_key

TENANT, CLAIMS, KEYS, RUN = "/api/v1/tenant", "/api/v1/claims", "/api/v1/api-keys", "/api/v1/run/claims"


@pytest.fixture
def slow(settings: LazySettings) -> LazySettings:
    """Limits that a test can reach, counted in the database."""
    settings.CACHE_URL = ""
    settings.RATE_LIMIT_DEFAULT, settings.RATE_LIMIT_RUN = Rate(3, 60), Rate(2, 60)
    settings.RATE_LIMIT_SESSION = Rate(5, 60)
    return settings


def statuses(client: Any, path: str, times: int) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def test_a_client_gets_its_rate_and_then_429_with_the_time_to_wait(ada: Person, slow: LazySettings) -> None:
    api = ada.api()
    first = api.get(TENANT)
    assert first.headers["RateLimit-Policy"] == '"default";q=3;w=60, "tenant";q=300;w=60'
    assert re.fullmatch(r'"default";r=2;t=60, "tenant";r=299;t=60', first.headers["RateLimit"])
    assert statuses(api, TENANT, 2) == [200, 200]
    refused = api.get(TENANT)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"default";r=0;')
    # Nobody else pays for it, not even the same person with another key.
    assert ada.api().get(TENANT).status_code == 200


def test_a_refused_request_counts_too(audrey: Person, slow: LazySettings) -> None:
    api = audrey.api()
    answers = [api.get(KEYS), api.delete(TENANT), api.get(f"{CLAIMS}/no-such"), api.get(KEYS), api.get(TENANT)]
    assert [answer.status_code for answer in answers] == [403, 405, 404, 403, 429]
    assert "RateLimit" in answers[0].headers and "RateLimit" in answers[1].headers


def test_a_stranger_is_told_no_limits(db: None, client: Any, slow: LazySettings) -> None:
    answer = client.get(TENANT)
    assert answer.status_code == 401 and "RateLimit" not in answer.headers


def test_costly_work_has_a_tighter_limit(ada: Person, slow: LazySettings) -> None:
    api = ada.api()
    answers = [api.post(RUN, {}, format="json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[0].headers["RateLimit-Policy"].startswith('"run";q=2;w=60, "default";q=3;w=60')
    assert api.get(TENANT).status_code == 200


def test_browser_sessions_have_a_bucket_of_their_own(ada: Person, slow: LazySettings) -> None:
    browser = ada.browser()
    answers = [browser.get(TENANT) for _ in range(4)]
    assert answers[3].status_code == 200 and answers[3].headers["RateLimit-Policy"] == '"session";q=5;w=60'
    assert browser.get("/desk/").status_code == 200  # pages and their data are one person at work
    page = browser.get("/desk/", headers={"Accept": "text/html"})
    assert page.status_code == 429 and "Too many requests" in page.content.decode()
    assert int(page.headers["Retry-After"]) >= 1


def test_forms_are_counted_apart_and_refused_in_the_same_words(adam: Person, slow: LazySettings) -> None:
    browser = adam.browser()
    answers = [browser.post("/desk/monitoring/fraud-model/", {"action": "retire", "number": "1"}) for _ in range(6)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True]
    assert browser.get("/desk/claims/").status_code == 200


def test_media_has_a_bucket_of_its_own_for_everybody(cleo: Person, slow: LazySettings) -> None:
    api, claim = cleo.api(), make_claim(cleo)
    assert statuses(api, TENANT, 4)[-1] == 429
    video = api.get(f"{CLAIMS}/{claim.id}/video", headers={"Range": "bytes=0-1"})
    assert video.status_code != 429
    assert video.headers["RateLimit-Policy"] == '"media";q=5;w=60'


def test_more_keys_are_not_more_requests_than_the_tier_allows(ada: Person, slow: LazySettings) -> None:
    Tenant.objects.filter(id=ada.tenant.id).update(tier=Tier.FREE)
    slow.RATE_LIMIT_DEFAULT = Rate(1, 60)
    clients = [ada.api() for _ in range(11)]
    assert [api.get(TENANT).status_code for api in clients] == [200] * 10 + [429]


def test_an_administrator_sets_the_rate_of_a_key(adam: Person, ada: Person, zoe: Person, slow: LazySettings) -> None:
    slow.RATE_LIMIT_DEFAULT = Rate(60, 60)
    admin, secret = adam.api(), make_key(ada)
    key = ApiKey.objects.get(user=ada.user)
    answer = admin.patch(f"{KEYS}/{key.id}", {"requests_per_minute": 2}, format="json")
    assert (answer.status_code, answer.json()["requests_per_minute"]) == (200, 2)
    client = ada.api()
    client.credentials(HTTP_X_API_KEY=secret)
    assert statuses(client, TENANT, 3) == [200, 200, 429]
    with tenant_scope(adam.tenant.id):
        event = AuditEvent.objects.get(event="api_key.changed")
    assert (event.before, event.after) == ('{"requests_per_minute":null}', '{"requests_per_minute":2}')
    too_much = admin.patch(f"{KEYS}/{key.id}", {"requests_per_minute": 6001}, format="json")
    assert (too_much.status_code, too_much.json()["errors"][0]["code"]) == (400, "out_of_range")
    assert admin.patch(f"{KEYS}/{key.id}", {"requests_per_minute": None}, format="json").status_code == 200
    assert zoe.api().patch(f"{KEYS}/{key.id}", {"requests_per_minute": 1}, format="json").status_code == 403
    assert ada.api().patch(f"{KEYS}/{key.id}", {"requests_per_minute": 1}, format="json").status_code == 403


def test_a_key_keeps_its_rate_when_it_is_rotated_and_loses_it_with_the_tier(adam: Person, slow: LazySettings) -> None:
    slow.RATE_LIMIT_DEFAULT = Rate(60, 60)
    admin = adam.api()
    body = {"name": "fast", "scopes": ["read"], "requests_per_minute": 5_000}
    made = admin.post(KEYS, body, format="json").json()
    rotated = admin.post(f"{KEYS}/{made['id']}/rotate", {}, format="json").json()
    assert rotated["requests_per_minute"] == 5_000
    fast = adam.api()
    fast.credentials(HTTP_X_API_KEY=rotated["secret"])
    assert '"default";q=5000;w=60' in fast.get(TENANT).headers["RateLimit-Policy"]
    Tenant.objects.filter(id=adam.tenant.id).update(tier=Tier.FREE)
    assert '"default";q=600;w=60' in fast.get(TENANT).headers["RateLimit-Policy"]


def test_reads_and_writes_stay_open_while_redis_is_away(
    cleo: Person, slow: LazySettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow.CACHE_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limiter, "_away_until", 0.0)
    api = cleo.api()
    assert statuses(api, TENANT, 5) == [200] * 5
    assert "RateLimit" not in api.get(TENANT).headers
    assert hand_in(api).status_code == 202
    assert "rate_limits_away" in caplog.text
    assert cleo.browser().get("/desk/claims/").status_code == 200


def test_counting_in_the_database_costs_one_lock_and_one_write(
    ada: Person, slow: LazySettings, django_assert_num_queries: Any
) -> None:
    asks = [Ask("a", Rate(60, 60)), Ask("b", Rate(600, 60))]
    DatabaseWindows().take(asks)
    # In and out of the (nested) transaction, the locked rows, the write; PostgreSQL's clock.
    with django_assert_num_queries(5 if connection.vendor == "postgresql" else 4):
        DatabaseWindows().take(asks)


def test_idle_windows_are_swept(ada: Person, slow: LazySettings) -> None:
    ada.api().get(TENANT)
    now = timezone.now()
    assert purge_idle_windows(now=now) == 0
    assert purge_idle_windows(now=now + timedelta(seconds=400)) == 2
    assert not RateWindow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sixty_four_threads_on_one_key_get_the_limit_and_not_one_more() -> None:
    asks = [Ask("default:one", Rate(20, 3600)), Ask("tenant:one", Rate(500, 3600))]

    def one(_number: int) -> bool:
        try:
            return DatabaseWindows().take(asks).granted
        finally:
            connection.close()

    with ThreadPoolExecutor(64) as pool:
        granted = list(pool.map(one, range(192)))
    assert sum(granted) == 20


def test_the_limits_of_an_environment_that_says_nothing() -> None:
    program = (
        "from config import settings as s; "
        "print([(r.count, r.seconds) for r in (s.RATE_LIMIT_DEFAULT, s.RATE_LIMIT_RUN, s.RATE_LIMIT_SESSION)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={}, check=True)
    assert done.stdout.strip() == "[(60, 60), (5, 60), (600, 60)]"


@pytest.mark.parametrize("text", ["", "60", "0/m", "-1/m", "60/w", "60/m\n1", "٦٠/m", "60 /m", "99999999/s"])
def test_a_rate_that_is_none_ends_the_start(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="RATE_LIMIT_RUN"):
        Reader({"RATE_LIMIT_RUN": text}).rate("RATE_LIMIT_RUN", "5/m")
