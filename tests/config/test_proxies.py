"""Forwarding headers are believed from trusted proxies and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.proxies import TrustedProxyMiddleware, client_address


def seen(settings: Any, trusted: list[str], remote: str, **headers: str) -> HttpRequest:
    settings.TRUSTED_PROXIES = trusted
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(view)(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))
    return requests[0]


FORWARDED = {
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Real-IP": "1.2.3.4",
    "Forwarded": "for=1.2.3.4",
}


def test_a_strangers_forwarding_headers_are_removed(settings: Any) -> None:
    for trusted in ([], ["10.0.0.0/8"]):
        request = seen(settings, trusted, "203.0.113.9", **FORWARDED)
        assert request.META["REMOTE_ADDR"] == "203.0.113.9"
        assert not [name for name in request.META if "FORWARDED" in name or "REAL_IP" in name]


def test_a_trusted_proxy_names_the_client(settings: Any) -> None:
    request = seen(settings, ["10.0.0.0/8"], "10.1.2.3", **FORWARDED)
    assert request.META["REMOTE_ADDR"] == "1.2.3.4"
    assert request.headers["X-Forwarded-Proto"] == "https"


def test_a_socket_without_an_address_is_nobodys_proxy(settings: Any) -> None:
    assert "HTTP_X_FORWARDED_FOR" not in seen(settings, ["10.0.0.0/8"], "", **FORWARDED).META


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("2001:db8::1, 10.0.0.2", "2001:db8::1"),
        ("10.0.0.9, 10.0.0.2", ""),
        ("", ""),
        ("not an address", ""),
        ("6.6.6.6, <script>", ""),
    ],
)
def test_client_address_is_the_last_hop_that_no_proxy_of_ours_is(forwarded: str, client: str) -> None:
    import ipaddress

    assert client_address(forwarded, [ipaddress.ip_network("10.0.0.0/8")]) == client
