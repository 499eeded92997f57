"""Guessing is slow, the rightful person gets in, names tell nothing, and a door that cannot count stays shut."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.utils import timezone

from observability.errors import LimitReached
from tenancy.form_limits import count_attempt
from tenancy.models import SignInPlace, User
from tenancy.ratelimits.window import Rate
from tenancy.sign_in import purge_old_places, refuse_guessing, remember_place
from tests.people import PASSWORD, Person

DOOR = "/sign-in/"
HOME, CAFE = "203.0.113.7", "198.51.100.9"


def knock(name: str, password: str = "guess", address: str = HOME, **headers: str) -> Any:
    return Client().post(DOOR, {"username": name, "password": password}, REMOTE_ADDR=address, headers=headers)


def test_the_ninth_attempt_is_refused_whatever_address_it_claims_to_come_from(ada: Person) -> None:
    for number in range(8):
        knock("ada", **{"X-Forwarded-For": f"192.0.2.{number}"})
    refused = knock("ada", PASSWORD, **{"X-Forwarded-For": "192.0.2.99"})
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 900
    assert knock("ada", PASSWORD, address=CAFE).status_code == 302


def test_behind_a_named_proxy_the_client_counts_and_not_the_proxy(ada: Person, settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    for number in range(9):
        knock("ada", address="10.0.0.1", **{"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.1"})
    assert knock("ada", address="10.0.0.1", **{"X-Forwarded-For": "198.51.100.1"}).status_code == 429
    assert knock("ada", PASSWORD, address="10.0.0.1", **{"X-Forwarded-For": "198.51.100.2"}).status_code == 302


@pytest.mark.parametrize("spelled", ["ADA", " ada ", "ａｄａ"])
def test_another_spelling_of_the_name_is_the_same_name(ada: Person, spelled: str) -> None:
    for _ in range(8):
        knock(spelled)
    assert knock("ada", PASSWORD).status_code == 429


def test_guesses_from_everywhere_do_not_keep_ada_out_where_she_has_been(ada: Person) -> None:
    assert knock("ada", PASSWORD).status_code == 302
    for number in range(41):
        last = knock("ada", address=f"192.0.2.{number}")
    assert last.status_code == 429
    assert knock("ada", PASSWORD, address=CAFE).status_code == 429
    assert knock("ada", PASSWORD).status_code == 302


def test_who_signs_in_often_is_not_slowed_down(ada: Person) -> None:
    assert {knock("ada", PASSWORD).status_code for _ in range(12)} == {302}
    assert SignInPlace.objects.count() == 1


def test_a_name_that_does_not_exist_is_counted_like_one_that_does(ada: Person) -> None:
    answers = {name: [knock(name) for _ in range(9)] for name in ("ada", "nobody")}
    seen = {
        name: [(a.status_code, a.content.decode().replace(name, "…").count("do not match")) for a in found]
        for name, found in answers.items()
    }
    assert seen["ada"] == seen["nobody"]


def test_a_name_that_does_not_exist_costs_the_same_hash(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is the password hash; it is made once for a known, an unknown and an inactive name."""
    User.objects.create_user("ina", password=PASSWORD, is_active=False)
    hashed: list[str] = []
    real = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    counts = {}
    for name in ("ada", "ina", "nobody"):
        hashed.clear()
        knock(name)
        counts[name] = len(hashed)
    assert set(counts.values()) == {1}


def test_the_door_is_shut_while_attempts_cannot_be_counted(ada: Person, settings: LazySettings) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "away": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    }
    settings.RATELIMIT_USE_CACHE = "away"
    browser = ada.browser()
    answer = knock("ada", PASSWORD)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"
    assert "Signing in is closed for a moment" in answer.content.decode()
    # Who is inside goes on working, forms included.
    assert browser.get("/desk/claims/").status_code == 200
    assert browser.post("/desk/labels/", {}).status_code not in {429, 500, 503}


@pytest.mark.parametrize("edge", [0, -1])
def test_the_last_second_of_a_window_is_no_outage(ada: Person, monkeypatch: pytest.MonkeyPatch, edge: int) -> None:
    """The window's end is read from one look at the clock, the time left from the next: a second later, perhaps."""
    period, group, value = 900, "sign-in-here", "somebody"
    ends = 900 * 2_000_000 + zlib.crc32(value.encode()) % period
    looks = iter([ends, ends - edge])
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: next(looks)))
    assert count_attempt(group=group, value=value, rate=Rate(1, period)) is None


def test_places_are_forgotten_after_half_a_year_and_twenty_newer_ones(ada: Person) -> None:
    now = timezone.now()
    for number in range(25):
        remember_place(user=ada.user, address=f"192.0.2.{number}", now=now + timedelta(minutes=number))
    assert SignInPlace.objects.filter(user=ada.user).count() == 20
    assert purge_old_places(now=now + timedelta(days=181)) == 20
    stored = str(list(SignInPlace.objects.values_list()))
    assert "192.0.2" not in stored


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_eight() -> None:
    def one(_number: int) -> bool:
        try:
            refuse_guessing(username="ada", address=HOME)
        except LimitReached:
            return False
        finally:
            connection.close()
        return True

    caches["limits"].clear()
    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(one, range(64))) == 8
