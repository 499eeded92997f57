"""What every answer says to browsers, and which other origins may call the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.environment import EnvironmentProblem, Reader
from tests.people import Person

pytestmark = pytest.mark.django_db
FRIEND = "https://portal.partner.example"


@pytest.mark.parametrize("address", ["/sign-in/", "/health", "/api/v1/claims", "/nowhere", "/desk/", "/api/v1/docs"])
def test_every_answer_carries_the_protective_headers(client: Client, address: str) -> None:
    answer = client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"] and "geolocation=()" in answer["Permissions-Policy"]


def test_no_origin_may_call_unless_it_is_listed(ada: Person) -> None:
    answer = ada.api().get("/api/v1/claims", headers={"Origin": FRIEND})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer


def test_a_listed_origin_may_call_the_api_without_cookies(ada: Person, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]
    answer = ada.api().get("/api/v1/claims", headers={"Origin": FRIEND})
    assert answer["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in answer
    assert "ETag" in answer["Access-Control-Expose-Headers"]
    other = ada.api().get("/api/v1/claims", headers={"Origin": "https://portal.partner.example.evil.test"})
    assert "Access-Control-Allow-Origin" not in other


def test_a_listed_origin_may_ask_before_it_calls(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]
    asked = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key,idempotency-key",
    }
    answer = client.options("/api/v1/claims/upload", headers=asked)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == FRIEND
    assert "idempotency-key" in answer["Access-Control-Allow-Headers"]


def test_pages_are_for_no_other_origin(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]
    assert "Access-Control-Allow-Origin" not in client.get("/sign-in/", headers={"Origin": FRIEND})


@pytest.mark.parametrize(
    "text", ["*", "https://*.example", "portal.example", "https://a.example/path", "ftp://a.example"]
)
def test_origins_are_whole_and_named(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="CORS_ORIGINS: must list origins"):
        Reader({"CORS_ORIGINS": text}).origins("CORS_ORIGINS")
    assert Reader({"CORS_ORIGINS": f"{FRIEND}, http://localhost:3000"}).origins("CORS_ORIGINS") == [
        FRIEND,
        "http://localhost:3000",
    ]


@pytest.mark.parametrize("text", ["clamd", "clamd:", "clamd:http", ":3310", "clamd:70000"])
def test_the_scanners_address_is_checked(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="CLAMD_ADDRESS: must be host:port"):
        Reader({"CLAMD_ADDRESS": text}).scanner("CLAMD_ADDRESS")
    for good in ("", "127.0.0.1:3310", "[::1]:3310", "/run/clamd.sock"):
        assert Reader({"CLAMD_ADDRESS": good}).scanner("CLAMD_ADDRESS") == good
