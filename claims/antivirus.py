"""Asks clamd about an uploaded file. Only an explicit OK is clean: no answer, an error and "too large" are not."""

from __future__ import annotations

import re
import socket
import struct
import time
from pathlib import Path

import structlog
from django.conf import settings

from claims.errors import MalwareFound, ScannerUnavailable

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 256 * 1024
# clamd reads some 50 MB/s of film; a file at the upload limit takes ten seconds.
_TIMEOUT_SECONDS = 120.0
_LONGEST_ANSWER_BYTES = 4096
_FOUND = re.compile(r"stream: (?P<name>[\w.:/+\-() ]{1,120}) FOUND", re.ASCII)


def scan_upload(path: Path) -> None:
    """Let clamd read the file; does nothing where CLAMD_ADDRESS is not set.

    Raises MalwareFound, and ScannerUnavailable for every answer that is neither that nor OK.
    """
    address: str = settings.CLAMD_ADDRESS
    if not address:
        return
    try:
        answer = _instream(address, path)
    except OSError as problem:
        log.error("scanner_unreachable", problem=type(problem).__name__)
        raise ScannerUnavailable from problem
    if answer == "stream: OK":
        return
    found = _FOUND.fullmatch(answer)
    if found is None:
        log.error("scanner_gave_no_verdict", answer=answer[:200])
        raise ScannerUnavailable
    log.warning("malware_found", signature=found["name"])
    raise MalwareFound


def _instream(address: str, path: Path) -> str:
    """Send the file by clamd's INSTREAM and return the answer without its closing NUL."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with _connected(address) as connection:
        try:
            connection.sendall(b"zINSTREAM\0")
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    _refuse_late(deadline)
                    connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            # Over its own size limit clamd says so and hangs up while we still send.
            return _answer(connection, deadline)
        return _answer(connection, deadline)


def _connected(address: str) -> socket.socket:
    if address.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT_SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_SECONDS)


def _answer(connection: socket.socket, deadline: float) -> str:
    answer = b""
    while b"\0" not in answer and len(answer) <= _LONGEST_ANSWER_BYTES:
        _refuse_late(deadline)
        part = connection.recv(_LONGEST_ANSWER_BYTES)
        if not part:
            break
        answer += part
    return answer.partition(b"\0")[0].decode("ascii", "replace").strip()


def _refuse_late(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError
