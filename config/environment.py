"""Reads the environment into typed values once; anything wrong is one line naming the variable, exit 2.

Every secret may come from a file instead: ``NAME_FILE`` holds its path.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import os
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tenancy.ratelimits.window import Rate

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_RATE = re.compile(r"([1-9]\d{0,6})/(s|m|h|d)", re.ASCII)
_RETRY = re.compile(r"(\d{1,3})/(\d{1,5}(?:\.\d+)?)/(\d{1,5}(?:\.\d+)?)/(\d(?:\.\d+)?)", re.ASCII)
_KEY_VERSION = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_KEY_BYTES = 32
_PERIOD_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class EnvironmentProblem(Exception):
    """A variable holds a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Reader:
    """Typed access to environment variables."""

    source: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def text(self, name: str, default: str = "") -> str:
        return self.source.get(name, default).strip()

    def secret(self, name: str, default: str = "") -> str:
        """Return the variable, or the content of the file named by ``NAME_FILE``."""
        file_name = self.text(f"{name}_FILE")
        if not file_name:
            return self.text(name, default)
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise EnvironmentProblem(f"{name}_FILE: cannot be read ({error.strerror})") from error

    def key_ring(self, name: str, default: str = "") -> dict[int, bytes]:
        """Return keys by version from ``2:key 1:key`` (32 bytes each, base64); one bare key is version 1."""
        ring: dict[int, bytes] = {}
        for part in self.secret(name, default).replace(",", " ").split():
            version, _, text = part.rpartition(":")
            if not _KEY_VERSION.fullmatch(version or "1") or int(version or "1") in ring:
                raise EnvironmentProblem(f"{name}: each key needs a version of its own, as in 2:key 1:key")
            try:
                key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
            except binascii.Error:
                key = b""
            if len(key) != _KEY_BYTES:  # the value itself is never told
                raise EnvironmentProblem(f"{name}: must hold keys of {_KEY_BYTES} bytes in base64")
            ring[int(version or "1")] = key
        return ring

    def flag(self, name: str, *, default: bool) -> bool:
        raw = self.text(name, "true" if default else "false").lower()
        if raw in _TRUE:
            return True
        if raw in _FALSE:
            return False
        raise EnvironmentProblem(f"{name}: must be true or false, not {raw!r}")

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        raw = self.text(name, str(default))
        if not raw.isascii() or not raw.lstrip("-").isdigit() or not low <= int(raw) <= high:
            raise EnvironmentProblem(f"{name}: must be a whole number from {low} to {high}, not {raw!r}")
        return int(raw)

    def seconds(self, name: str, default: float, *, low: float, high: float) -> float:
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError as error:
            raise EnvironmentProblem(f"{name}: must be seconds from {low:g} to {high:g}, not {raw!r}") from error
        if not low <= value <= high:  # NaN is in no range
            raise EnvironmentProblem(f"{name}: must be seconds from {low:g} to {high:g}, not {raw!r}")
        return value

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        raw = self.text(name, default).lower()
        if raw not in choices:
            raise EnvironmentProblem(f"{name}: must be one of {', '.join(choices)}, not {raw!r}")
        return raw

    def share(self, name: str, default: float) -> float:
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError as error:
            raise EnvironmentProblem(f"{name}: must be a number from 0 to 1, not {raw!r}") from error
        if not 0.0 <= value <= 1.0:
            raise EnvironmentProblem(f"{name}: must be a number from 0 to 1, not {raw!r}")
        return value

    def rate(self, name: str, default: str) -> Rate:
        raw = self.text(name, default)
        match = _RATE.fullmatch(raw)
        if not match:
            raise EnvironmentProblem(f"{name}: must look like 60/m (s, m, h or d), not {raw!r}")
        return Rate(count=int(match[1]), seconds=_PERIOD_SECONDS[match[2]])

    def retries(self, name: str) -> dict[str, tuple[int, float, float, float]]:
        """Return retry policies by kind of job from ``claims.assess=3/2/60/1 …``: attempts, first and longest pause in
        seconds, share of chance."""
        policies = {}
        for part in self.text(name).replace(",", " ").split():
            kind, _, figures = part.partition("=")
            match = _RETRY.fullmatch(figures)
            if not kind or not match or not 1 <= int(match[1]) <= 100 or float(match[4]) > 1:
                raise EnvironmentProblem(f"{name}: must look like claims.assess=5/2/60/1, not {part!r}")
            policies[kind] = (int(match[1]), float(match[2]), float(match[3]), float(match[4]))
        return policies

    def key(self, name: str, file: Path) -> str:
        """Return a key of 32 bytes in base64: the variable's, else the file's, else an empty text."""
        text = self.secret(name)
        if not text and file.is_file():
            text = file.read_text(encoding="utf-8").strip()
        return _checked_key(name, text) if text else ""

    def keys(self, name: str) -> list[str]:
        """Return several keys of 32 bytes in base64."""
        return [_checked_key(name, text) for text in self.names(name)]

    def names(self, name: str, default: str = "") -> list[str]:
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def words(self, name: str, default: str, *, known: Collection[str]) -> list[str]:
        """Return words of a closed list; an empty variable is an empty list."""
        found = self.names(name, default)
        for word in found:
            if word not in known:
                raise EnvironmentProblem(f"{name}: must list some of {', '.join(known)}, not {word!r}")
        return found

    def networks(self, name: str) -> list[str]:
        """Return addresses and networks such as ``10.0.0.0/8``."""
        found = self.names(name)
        for text in found:
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError as error:
                raise EnvironmentProblem(f"{name}: must list addresses or networks, not {text!r}") from error
        return found

    def origins(self, name: str) -> list[str]:
        """Return origins such as ``https://claims.example``: scheme, host and port alone, never ``*``."""
        found = self.names(name)
        for text in found:
            parts = urlsplit(text)
            if parts.scheme not in {"https", "http"} or f"{parts.scheme}://{parts.netloc}" != text or "*" in text:
                raise EnvironmentProblem(f"{name}: must list origins such as https://claims.example, not {text!r}")
        return found

    def scanner(self, name: str) -> str:
        """Return clamd's ``host:port`` or the path of its socket."""
        text = self.text(name)
        host, _, port = text.rpartition(":")
        if not text or text.startswith("/") or (host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            return text
        raise EnvironmentProblem(f"{name}: must be host:port or the path of a socket, not {text!r}")

    def database(self, name: str, default: Path) -> dict[str, object]:
        """Return Django's database settings from a ``sqlite:///path`` or ``postgres://user:pw@host:port/name`` URL."""
        url = self.secret(name, f"sqlite:///{default}")
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            return _sqlite(Path(unquote(parts.path.removeprefix("/")) if parts.path.startswith("//") else parts.path))
        if parts.scheme in {"postgres", "postgresql"} and parts.path.strip("/"):
            return {
                "ENGINE": "tenancy.postgresql",
                "NAME": parts.path.strip("/"),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": parts.hostname or "",
                "PORT": str(parts.port or 5432),
                "CONN_MAX_AGE": 60,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {"connect_timeout": 5},
            }
        raise EnvironmentProblem(f"{name}: must be sqlite:///path or postgres://user:password@host:port/name")

    def database_owner(self, name: str, application: Mapping[str, object]) -> dict[str, object]:
        """Return how to reach the application's database as the owner of its tables; the application's own way where
        nothing is said."""
        if not self.secret(name):
            return dict(application)
        owner = self.database(name, Path())
        if any(owner[part] != application[part] for part in ("ENGINE", "NAME")):
            raise EnvironmentProblem(f"{name}: must lead to the same database as DATABASE_URL")
        return owner

    def sign_on_providers(self, name: str) -> list[dict[str, str]]:
        """Return OpenID Connect providers from a JSON list of objects, each field a text."""
        raw = self.secret(name)
        try:
            entries = json.loads(raw) if raw else []
        except ValueError as error:
            raise EnvironmentProblem(f"{name}: must be a JSON list") from error
        if not isinstance(entries, list):
            raise EnvironmentProblem(f"{name}: must be a JSON list")
        found = [_sign_on_provider(name, entry) for entry in entries]
        for unique in ("id", "issuer"):
            if len({entry[unique] for entry in found}) < len(found):
                raise EnvironmentProblem(f"{name}: two providers have the same {unique}")
        return found

    def escalation(self, name: str) -> list[dict[str, object]]:
        """Return whom to call about an incident from a JSON list of objects: name, contact, and four whole numbers of
        minutes (for P1 to P4) until the next one is called."""
        raw = self.text(name)
        try:
            entries = json.loads(raw) if raw else _ESCALATION
        except ValueError as error:
            raise EnvironmentProblem(f"{name}: must be a JSON list") from error
        if not isinstance(entries, list) or not 1 <= len(entries) <= _MOST_LEVELS:
            raise EnvironmentProblem(f"{name}: must be a JSON list of 1 to {_MOST_LEVELS} levels")
        return [_escalation_level(name, entry) for entry in entries]


# Minutes for P1 to P4: someone who is on call answers a page within five minutes, what is low can wait for the morning.
_ESCALATION = [
    {"name": "On-call engineer", "contact": "on-call", "minutes": [5, 15, 120, 1440]},
    {"name": "Engineering lead", "contact": "lead", "minutes": [10, 30, 240, 1440]},
    {"name": "Head of operations", "contact": "head", "minutes": [15, 60, 480, 2880]},
]
_MOST_LEVELS = 9
_MOST_MINUTES = 10_080  # a week


def _escalation_level(name: str, entry: object) -> dict[str, object]:
    whole = isinstance(entry, dict) and entry.keys() == {"name", "contact", "minutes"}
    minutes = entry["minutes"] if isinstance(entry, dict) and whole else None
    fits = isinstance(minutes, list) and len(minutes) == 4 and all(_is_minutes(value) for value in minutes)
    if not isinstance(entry, dict) or not fits or not all(isinstance(entry[word], str) for word in ("name", "contact")):
        raise EnvironmentProblem(
            f"{name}: each level has the texts name and contact, and minutes: 4 whole numbers from 1 to {_MOST_MINUTES}"
        )
    return entry


def _is_minutes(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_MINUTES


_PROVIDER_NEEDS = frozenset({"id", "name", "issuer", "client_id", "client_secret"})
_PROVIDER_MAY_HAVE = frozenset({"tenant", "algorithm"})
_PROVIDER_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_ID_TOKEN_ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA"})


def _sign_on_provider(name: str, entry: object) -> dict[str, str]:
    known = isinstance(entry, dict) and _PROVIDER_NEEDS <= entry.keys() <= _PROVIDER_NEEDS | _PROVIDER_MAY_HAVE
    if not isinstance(entry, dict) or not known or not all(isinstance(value, str) for value in entry.values()):
        needs, may = ", ".join(sorted(_PROVIDER_NEEDS)), ", ".join(sorted(_PROVIDER_MAY_HAVE))
        raise EnvironmentProblem(f"{name}: each provider has the texts {needs} and may have {may}")
    if _PROVIDER_ID.fullmatch(entry["id"]) is None:
        raise EnvironmentProblem(f"{name}: an id is made of small letters, digits and dashes, not {entry['id']!r}")
    issuer = urlsplit(entry["issuer"])
    if issuer.scheme != "https" and issuer.hostname not in {"127.0.0.1", "localhost"}:
        raise EnvironmentProblem(f"{name}: the issuer of {entry['id']} must be https://")
    if entry.get("algorithm", "RS256") not in _ID_TOKEN_ALGORITHMS:
        raise EnvironmentProblem(
            f"{name}: the algorithm of {entry['id']} must be one of {sorted(_ID_TOKEN_ALGORITHMS)}"
        )
    return entry


def _checked_key(name: str, text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise EnvironmentProblem(f"{name}: must be 32 bytes in base64") from error
    if len(raw) != _KEY_BYTES:
        raise EnvironmentProblem(f"{name}: must be 32 bytes in base64, not {len(raw)}")
    return text


def _sqlite(path: Path) -> dict[str, object]:
    """SQLite for real use: write-ahead log, immediate transactions (no deadlock by lock upgrade), 30 s patience."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Opening the file and its settings anew took a fifth of a status request (10.3 against 8.1 ms).
        "CONN_MAX_AGE": 60,
        # A file, because threads cannot share a database in memory the way processes share a file.
        "TEST": {"NAME": path.with_name("tests.sqlite3")},
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # What is deleted is overwritten: destroyed keys must not wait in free pages.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
            "PRAGMA secure_delete=ON;",
        },
    }


def stop_with(problem: EnvironmentProblem) -> None:
    """Print the one line and leave with exit code 2."""
    sys.stderr.write(f"claimwright: {problem}\n")
    raise SystemExit(2)
