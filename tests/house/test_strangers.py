"""Every address refuses a stranger, except the few that are public on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = {
    "/": "sends people on to the desk, which asks for a sign-in",
    "/sign-in/": "the door",
    "/api/v1/token": "the door for programs: asks for name and password",
    "/api/v1/token/refresh": "asks for a refresh token",
    "/api/v1/token/revoke": "asks for a refresh token",
    "/health": "public and cheap",
    "/health/live": "for the process supervisor",
    "/health/ready": "for the load balancer",
    "/metrics": "restricted by network or token, tested with the metrics",
    "/api/v1/schema": "the contract is no secret",
    "/api/v1/docs": "the contract is no secret",
    "/api/v1/redoc": "the contract is no secret",
    "/admin/logout/": "leaving is open to everyone and shows nothing",
    "/favicon.ico": "a picture",
}
_SAMPLES = {"uuid": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22", "int": "1", "str": "x", "path": "x", "slug": "x"}


def _addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, route)
        else:
            filled = route
            for name, converter in pattern.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
                for spelled in (f"<{kind}:{name}>", f"<{name}>"):
                    filled = filled.replace(spelled, _SAMPLES.get(kind, "x"))
            yield filled


ADDRESSES = sorted({a for a in _addresses(get_resolver().url_patterns) if "(?P" not in a and a not in PUBLIC})


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_refuses_a_stranger(client: Client, address: str) -> None:
    for verb in ("get", "post", "put", "patch", "delete"):
        answer = getattr(client, verb)(address)
        if answer.status_code in {301, 302}:
            assert "sign-in" in answer["Location"] or "login" in answer["Location"], (verb, answer["Location"])
            continue
        assert answer.status_code in {401, 403, 404, 405}, (address, verb, answer.status_code)
        if address.startswith("/api/"):
            assert answer["Content-Type"].startswith("application/problem+json")
