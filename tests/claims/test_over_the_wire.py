"""Uploads through a real server and real sockets: what the client hears, and what a broken connection leaves."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from tests.claims.handing_in import NOTHING, UPLOAD, clip, files_in, left_behind
from tests.claims.test_bad_uploads import BOUNDARY, END, field, file_part
from tests.people import Person, make_key

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = 1024 * 1024


def request_head(server: LiveServer, key: str, length: int) -> dict[str, str]:
    return {
        "Host": urlsplit(server.url).netloc,
        "X-API-Key": key,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(length),
    }


def post(server: LiveServer, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Send everything before listening, as most clients do."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request("POST", UPLOAD, body=body, headers=request_head(server, key, len(body)))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("size", [MEGABYTE + 1, 20 * MEGABYTE], ids=["just over", "far over"])
def test_a_client_that_sends_too_much_hears_the_413(
    live_server: LiveServer, cleo: Person, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(settings, "MAX_UPLOAD_BYTES", MEGABYTE)
    body = field("claim_number", "1") + file_part(clip() + bytes(size - len(clip()))) + END
    status, problem = post(live_server, make_key(cleo), body)
    assert (status, problem["code"]) == (413, "file_too_large")
    assert left_behind() == NOTHING


def test_a_client_without_a_credential_hears_the_401_after_a_long_body(live_server: LiveServer, db: None) -> None:
    status, problem = post(live_server, "clm_live_nonsense", bytes(8 * MEGABYTE))
    assert (status, problem["code"]) == (401, "invalid_credential")


def test_a_client_whose_film_is_none_hears_the_415_after_a_long_body(live_server: LiveServer, cleo: Person) -> None:
    body = field("claim_number", "1") + file_part(b"not a film" * MEGABYTE) + END
    status, problem = post(live_server, make_key(cleo), body)
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    assert left_behind() == NOTHING


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(live_server: LiveServer, cleo: Person) -> None:
    body = field("claim_number", "1") + file_part(clip() + bytes(MEGABYTE))
    head = request_head(live_server, make_key(cleo), len(body) * 2)
    lines = [f"POST {UPLOAD} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    address = urlsplit(live_server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as line:
        line.sendall("\r\n".join(lines).encode() + body)
        _until(lambda: bool(files_in(settings.QUARANTINE_DIR)))
    _until(lambda: not files_in(settings.QUARANTINE_DIR))
    assert left_behind() == NOTHING


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
