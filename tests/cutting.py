"""Ways to take a database away from running processes and to give it back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit


class Cut(Protocol):
    """Something that stands between the processes and their database."""

    def away(self) -> None: ...

    def back(self) -> None: ...


class SqliteCut:
    """Puts a folder in the place of the database's file: it cannot be opened any more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = file.with_name(f"{file.name}.kept")

    def away(self) -> None:
        self._file.rename(self._kept)
        self._file.mkdir()

    def back(self) -> None:
        self._file.rmdir()
        self._kept.rename(self._file)


class TcpCut:
    """A TCP proxy in front of a server; while it is cut, open connections are reset and new ones refused."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener = self._listen(0)
        self._port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        person = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{person}@127.0.0.1:{self._port}"))
        self._serve()

    def away(self) -> None:
        self._listener.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()

    def back(self) -> None:
        self._listener = self._listen(self._port)
        self._serve()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        return listener

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                return  # cut
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            with self._lock:
                self._open.discard(one)
