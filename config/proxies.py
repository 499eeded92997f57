"""Believes `X-Forwarded-*` from the proxies named in TRUSTED_PROXIES and from nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from observability.addresses import FORWARDED_BY_STRANGER

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxyMiddleware:
    """Removes forwarding headers of strangers; behind a trusted proxy REMOTE_ADDR becomes the client's address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        trusted = _networks(tuple(settings.TRUSTED_PROXIES))
        if _is_trusted(request.META.get("REMOTE_ADDR", ""), trusted):
            client = client_address(request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)
            if client:
                request.META["REMOTE_ADDR"] = client
        else:
            claims = [request.META.pop(name, None) for name in _FORWARDED]
            if any(claim is not None for claim in claims):
                # The peer may be a proxy that nobody named here: its own address says nothing about the client.
                request.META[FORWARDED_BY_STRANGER] = "1"
        return self._get_response(request)


def client_address(forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the last address that no trusted proxy wrote itself, or an empty text.

    Read from the right: everything left of the first unknown address is what that client claims.
    """
    for hop in reversed(forwarded_for.split(",")):
        address = hop.strip()
        if not _parsed(address):
            return ""
        if not _is_trusted(address, trusted):
            return address
    return ""


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name, strict=False) for name in names)


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
