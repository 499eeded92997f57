"""Certificates, names and receivers for the tests of webhooks."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.tenancy.webhooks.receiver import Answering, Receiver, answering, receiving

HOST = "hooks.acme.example"
Names = dict[str, list[str]]
Listen = Callable[..., Receiver]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our authority is the one this process trusts, as an operator would have it."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What the resolver knows; nothing else is asked."""
    known: Names = {HOST: ["127.0.0.1"]}
    plain = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host.replace(".", "").isdigit():  # connecting to an address asks, too
            return plain(host, port, *args, **kwargs)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def loopback(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture
def listen(authority: trustme.CA, loopback: None) -> Iterator[Listen]:
    """Start receivers with a certificate for HOST (or `name`), or without TLS."""
    with ExitStack() as stack:

        def start(answer: Answering | None = None, *, name: str = HOST, tls: bool = True) -> Receiver:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
            if context is not None:
                authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).configure_cert(context)
            return stack.enter_context(receiving(answer or answering("204 No Content"), context))

        yield start
