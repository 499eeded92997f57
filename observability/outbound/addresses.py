"""Which addresses may be called from here: a URL that is taken literally, a name that leads to the public network.

`ipaddress.is_global` alone lets through 224.0.0.1, 192.0.0.8, NAT64 and 6to4 spellings of inner addresses, and the C
library reads 0x7f000001, 2130706433, 0177.0.0.1, 127.1 and full-width digits as 127.0.0.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import idna

from observability.errors import FieldProblem, InvalidInput

Address = IPv4Address | IPv6Address

URL_LENGTH = 500
PORTS = (443, 8443)
# RFC 3986 without blanks, controls, quotes and backslashes; anything else is percent-encoded by who writes the URL.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*", re.ASCII)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# The last label of a name is no number in any base, or the C library reads an IPv4 address out of it.
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)

_BLOCKED_V4 = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"))
# The only IPv6 addresses that are given out on the public network; outside it lie NAT64 (64:ff9b::/96,
# 64:ff9b:1::/48), IPv4-compatible (::/96), IPv4-translated, link-local, site-local and multicast addresses.
_UNICAST_V6 = ip_network("2000::/3")
# Teredo and other protocol assignments, documentation, 6to4.
_BLOCKED_V6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


class UnusableUrl(InvalidInput):
    """The address is none that may be called; `problems` says why, under /url."""

    code = "webhook_url_refused"
    message = "This address cannot be a webhook's."

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(problems=[FieldProblem("/url", code, detail)])


@dataclass(frozen=True)
class Target:
    """A checked URL in its parts: `host` is ASCII, `literal` its address when it is one."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        standard = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}{'' if standard else f':{self.port}'}{self.path}"


def parse_target(text: str, *, allow_loopback: bool) -> Target:
    """Return the parts of a URL; raises UnusableUrl.

    With `allow_loopback` http and other ports are taken, but then only loopback addresses may be behind them
    (`may_reach`).
    """
    parts = _split(text)
    if parts.scheme not in (("https", "http") if allow_loopback else ("https",)):
        raise UnusableUrl("not_https", "The address begins with https://.")
    if "@" in parts.netloc:
        raise UnusableUrl("has_credentials", "No user name and no password stand in the address.")
    if "#" in text:
        raise UnusableUrl("has_fragment", "A fragment is never sent; leave it out.")
    host, literal = _host(parts)
    target = Target(
        parts.scheme, host, _port(parts), f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", literal
    )
    if target.port not in PORTS and not allow_loopback:
        raise UnusableUrl("port_not_allowed", "Only the ports 443 and 8443 are called.")
    return target


def may_reach(target: Target, address: Address, *, allow_loopback: bool) -> bool:
    """Whether the target may be called at this address: a public one, or with `allow_loopback` the machine itself."""
    plain = _unwrapped(address)
    if allow_loopback and plain.is_loopback:
        return True
    return target.scheme == "https" and target.port in PORTS and is_public(plain)


def is_public(address: Address) -> bool:
    """Whether the address belongs to a machine on the public network."""
    plain = _unwrapped(address)
    if not plain.is_global or plain.is_multicast:
        return False
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _BLOCKED_V4)
    return plain in _UNICAST_V6 and not any(plain in network for network in _BLOCKED_V6)


def _unwrapped(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _split(text: str) -> SplitResult:
    if len(text) > URL_LENGTH:
        raise UnusableUrl("too_long", f"At most {URL_LENGTH} characters.")
    scheme, mark, rest = text.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # The name may be written in any script; `urlsplit` would silently drop tabs and line ends elsewhere.
    if (
        not mark
        or not _PLAIN.fullmatch(scheme + rest[len(authority) :])
        or re.search(r"[\s\\\x00-\x1f\x7f]", authority)
    ):
        raise UnusableUrl("malformed", "This is no web address; encode special characters by %.")
    try:
        return urlsplit(text)
    except ValueError as error:
        raise UnusableUrl("malformed", "This is no web address.") from error


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise UnusableUrl("port_not_allowed", "Only the ports 443 and 8443 are called.") from error
    return port if port is not None else (443 if parts.scheme == "https" else 80)


def _host(parts: SplitResult) -> tuple[str, Address | None]:
    raw = parts.hostname or ""
    if parts.netloc.startswith("["):
        return _literal(raw, IPv6Address)
    try:
        host = idna.encode(raw, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        host = raw.lower() if raw.isascii() else ""  # an underscore is no IDNA, but such names exist
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise UnusableUrl("bad_host", "The address names no machine.")
    return _literal(host, IPv4Address) if _NUMBER.fullmatch(labels[-1]) else (host, None)


def _literal(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> tuple[str, Address]:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise UnusableUrl("bad_host", "This is no address of a machine.") from error
    if not isinstance(address, kind) or getattr(address, "scope_id", None):
        raise UnusableUrl("bad_host", "This is no address of a machine.")
    return str(address), address
