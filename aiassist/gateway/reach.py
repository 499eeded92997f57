"""Tells whether an address is inside the house: "local" may be configured as a hosted server, and then data leaves."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiassist.gateway.types import Reach

# RFC 6761, RFC 6762, RFC 8375 and ICANN's reserved ".internal": names that the public DNS never answers.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".home.arpa", ".internal")


def reach_of(base_url: str) -> Reach:
    """Return LOCAL only for loopback and private addresses, reserved suffixes and one-word names (as in Compose)."""
    host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        inside = bool(host) and ("." not in host or host.endswith(_PRIVATE_SUFFIXES))
    else:
        inside = address.is_loopback or address.is_private
    return Reach.LOCAL if inside else Reach.EXTERNAL
