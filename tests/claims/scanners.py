"""Virus scanners for tests: one that speaks clamd's INSTREAM on loopback and misbehaves, and the real clamd."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# What the real scanner finds here: a signature of our own, so that no file of the tests alarms anybody else's scanner.
MARK = b"CLAIMWRIGHT-SCANNER-TEST-SIGNATURE-1"
_PATIENCE_SECONDS = 30.0

Talk = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def scanner_that(talk: Talk) -> Iterator[str]:
    """Run a loopback scanner that reads the whole stream and then talks; yields its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                talk(connection, _received(connection))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
        thread.join(timeout=5)


def _received(connection: socket.socket) -> bytes:
    stream = connection.makefile("rb")
    assert stream.read(10) == b"zINSTREAM\0"
    content = b""
    while size := struct.unpack("!I", stream.read(4))[0]:
        content += stream.read(size)
    return content


def answers(text: str) -> Talk:
    """Return a talk that says one thing."""
    return lambda connection, _content: connection.sendall(text.encode() + b"\0")


@contextlib.contextmanager
def real_clamd() -> Iterator[str]:
    """Run clamd with one signature (MARK) and a stream limit of 1 MB; yields the path of its socket."""
    program = shutil.which("clamd")
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "own.ndb").write_text(f"Claimwright.Test:0:*:{MARK.hex()}\n", encoding="ascii")
        endpoint = root / "clamd.sock"
        settings = {
            "DatabaseDirectory": folder,
            "LocalSocket": str(endpoint),
            "Foreground": "yes",
            "StreamMaxLength": "1M",
            "TemporaryDirectory": folder,
            "User": "root",
        }
        lines = "\n".join(f"{name} {value}" for name, value in settings.items())
        (root / "clamd.conf").write_text(lines + "\n", encoding="ascii")
        process = subprocess.Popen([program, "-c", str(root / "clamd.conf")], stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while not endpoint.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            assert endpoint.exists(), "clamd did not start"
            yield str(endpoint)
        finally:
            process.terminate()
            process.wait(timeout=10)
