"""An integrator's program: talks to a running server over HTTP with a key, nothing of Django around it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed


@dataclass(frozen=True)
class Program:
    """One API key on one server."""

    url: str
    api_key: str

    def get(self, path: str, **headers: str) -> Answer:
        return self._send(urllib.request.Request(self.url + path, headers=self._headers(headers)))

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        return self._write("POST", path, body)

    def put(self, path: str, body: dict[str, Any]) -> Answer:
        return self._write("PUT", path, body)

    def upload(self, video: Path, **fields: str) -> Answer:
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="video"; filename="{video.name}"\r\n\r\n'
        body = b"".join([*parts, head.encode(), video.read_bytes(), f"\r\n--{boundary}--\r\n".encode()])
        headers = self._headers({"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return self._send(urllib.request.Request(f"{self.url}/api/v1/claims/upload", body, headers, method="POST"))

    def wait_until_assessed(self, claim_id: str, seconds: float = 120.0) -> dict[str, Any]:
        """Return the claim's status once no worker is needed any more."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.get(f"/api/v1/claims/{claim_id}/status").json
            if status["status"] not in {"RECEIVED", "PROCESSING"}:
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.2)

    def _write(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        headers = self._headers({"Content-Type": "application/json"})
        return self._send(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method=method))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"X-API-Key": self.api_key, **more}

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
