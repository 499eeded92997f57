"""One call over a real socket: what a receiver can do to the sender, and what it cannot."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import trustme

from observability.outbound.addresses import Target, parse_target
from observability.outbound.transport import Answer, Limits, post
from tests.tenancy.webhooks.conftest import HOST, Listen, Names
from tests.tenancy.webhooks.receiver import (
    Answering,
    answering,
    dripping,
    endless_body,
    endless_head,
    garbage,
    hanging,
)

WHOLE = Limits()
SHORT = Limits(connect_seconds=0.5, total_seconds=0.5)


def target_at(port: int, *, scheme: str = "https", host: str = HOST) -> Target:
    return parse_target(f"{scheme}://{host}:{port}/in?a=b", allow_loopback=True)


def call(target: Target, *, limits: Limits = WHOLE) -> Answer:
    return post(target, headers={"Content-Type": "application/json"}, body=b'{"a":1}', limits=limits)


def test_post_sends_to_the_checked_address_under_the_name(listen: Listen, names: Names) -> None:
    receiver = listen()
    answer = call(target_at(receiver.port))
    assert (answer.status_code, answer.error_code) == (204, "")
    [got] = receiver.got
    assert got.line == "POST /in?a=b HTTP/1.1"
    assert got.headers["host"] == f"{HOST}:{receiver.port}" and got.sni == HOST
    assert got.body == b'{"a":1}'


def test_post_tries_the_next_address_when_one_does_not_answer(listen: Listen, names: Names) -> None:
    names[HOST] = ["127.9.9.9", "127.0.0.1"]  # nothing listens at the first
    assert call(target_at(listen().port)).status_code == 204


@pytest.mark.parametrize(
    ("answer", "code"),
    [(hanging, "timeout"), (dripping, "timeout"), (endless_head, "answer_too_large"), (garbage, "bad_answer")],
)
def test_post_ends_by_itself_whatever_the_receiver_does(
    listen: Listen, names: Names, answer: Answering, code: str
) -> None:
    limits = SHORT if code == "timeout" else WHOLE
    started = time.monotonic()
    given = call(target_at(listen(answer).port), limits=limits)
    assert (given.status_code, given.error_code) == (None, code)
    assert time.monotonic() - started < 5


def test_post_does_not_wait_for_a_body_that_never_ends(listen: Listen, names: Names) -> None:
    assert call(target_at(listen(endless_body).port)).status_code == 200


def test_post_follows_no_redirect(listen: Listen, names: Names) -> None:
    other = listen(tls=False)
    receiver = listen(answering("307 Temporary Redirect", f"Location: http://127.0.0.1:{other.port}/latest/meta-data"))
    assert call(target_at(receiver.port)).status_code == 307
    assert other.connections == 0


def test_post_refuses_a_certificate_of_another_name(listen: Listen, names: Names) -> None:
    receiver = listen(name="other.example")
    assert call(target_at(receiver.port)).error_code == "tls_failed"
    assert receiver.got == []


def test_post_refuses_a_certificate_that_nobody_vouches_for(
    listen: Listen, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    stranger = f"{tmp_path}/other.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    monkeypatch.setenv("SSL_CERT_FILE", stranger)
    receiver = listen()
    assert call(target_at(receiver.port)).error_code == "tls_failed"
    assert receiver.got == []


def test_post_speaks_no_plain_http_to_an_https_address(listen: Listen, names: Names) -> None:
    receiver = listen(tls=False)
    assert call(target_at(receiver.port), limits=SHORT).error_code in {"tls_failed", "timeout"}
    assert receiver.got == []


@pytest.mark.parametrize(
    "found",
    [["169.254.169.254"], ["10.0.0.5"], ["127.0.0.1", "10.0.0.5"], ["::ffff:169.254.169.254"], ["64:ff9b::7f00:1"]],
)
def test_post_does_not_connect_when_any_address_lies_inside(listen: Listen, names: Names, found: list[str]) -> None:
    receiver = listen()
    names[HOST] = found
    assert call(target_at(receiver.port)).error_code == "address_not_allowed"
    assert receiver.connections == 0


def test_post_does_not_call_the_own_machine_without_the_switch(listen: Listen, names: Names, settings: Any) -> None:
    receiver = listen()
    target = target_at(receiver.port)
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert call(target).error_code == "address_not_allowed"
    assert receiver.connections == 0


def test_post_resolves_once_so_that_a_second_answer_gains_nothing(
    listen: Listen, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebinding resolver: harmless when it is checked, inside when it would be asked again to connect."""
    receiver, asked, plain = listen(), 0, socket.getaddrinfo

    def rebind(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        if host != HOST:
            return plain(host, port, *args, **kwargs)
        asked += 1
        return [(2, 1, 6, "", ("127.0.0.1" if asked == 1 else "169.254.169.254", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    post(target_at(receiver.port), headers={}, body=b"{}")
    assert len(receiver.got) == 1 and receiver.got[0].headers["host"].startswith(HOST)


def test_post_names_what_kept_it_from_the_receiver(listen: Listen, names: Names) -> None:
    port = listen(tls=False).port
    assert call(target_at(port, host="nowhere.example")).error_code == "name_not_resolved"
    names[HOST] = ["127.9.9.9"]
    assert call(target_at(port)).error_code == "connect_failed"


def test_post_gives_up_on_a_resolver_that_does_not_answer(loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: slowly())
    started = time.monotonic()
    limits = Limits(connect_seconds=0.1, total_seconds=0.2)
    assert call(target_at(9), limits=limits).error_code == "name_not_resolved"
    assert time.monotonic() - started < 0.9


def slowly() -> list[Any]:
    time.sleep(1)
    return []


def test_post_tells_what_the_receiver_asks_for(listen: Listen, names: Names) -> None:
    answer = call(target_at(listen(answering("429 Too Many Requests", "Retry-After: 120")).port))
    assert (answer.status_code, answer.retry_after) == (429, "120")
