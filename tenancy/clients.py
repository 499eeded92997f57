"""What is kept of where a credential is used: network and program in a short form, never the whole of either."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest

# In this order: browsers name each other in their headers, the one that is meant stands first here.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-", "Python"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class ClientMark:
    """Enough for a person to know their own sign-in again."""

    network: str
    program: str


def client_mark(request: HttpRequest) -> ClientMark:
    """Return the mark of who sends the request."""
    return ClientMark(
        masked_address(request.META.get("REMOTE_ADDR", "")), program_of(request.headers.get("User-Agent"))
    )


def masked_address(address: str) -> str:
    """Return the network: three parts of an IPv4 address, three of an IPv6 one; empty for no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.version == 4:
        return f"{str(parsed).rpartition('.')[0]}.x"
    return f"{ipaddress.ip_network((parsed, 48), strict=False).network_address}x"


def program_of(user_agent: str | None) -> str:
    """Return words such as ``Firefox on Windows`` from a User-Agent header."""
    text = (user_agent or "")[:500]
    program = next((word for mark, word in _PROGRAMS if mark in text), "")
    system = next((word for mark, word in _SYSTEMS if mark in text), "")
    return " on ".join(word for word in (program, system) if word) or "Unknown program"
