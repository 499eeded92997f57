"""Whether a request comes from the inner network. `REMOTE_ADDR` is the client's address here: the composition root's
proxy middleware has replaced a trusted proxy's and marked what some other proxy sent."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

# Set in `request.META` when a peer that is no trusted proxy claims to forward for someone.
FORWARDED_BY_STRANGER = "claimwright.forwarded_by_stranger"

# Loopback, RFC 1918, RFC 4193 and link-local. `is_private` also holds for documentation and other special ranges.
_INTERNAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def is_from_inside(request: HttpRequest) -> bool:
    """Whether the client itself is in the inner network; behind an unknown proxy nobody is."""
    if FORWARDED_BY_STRANGER in request.META:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _INTERNAL)
