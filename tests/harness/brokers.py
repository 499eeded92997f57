"""The brokers that harnesses run over: the embedded one, and those that are installed on this machine."""

from __future__ import annotations

import os
import socket
import uuid
from urllib.parse import urlsplit

import pytest

URLS = {
    "filesystem": "filesystem://",
    "rabbitmq": os.environ.get("HARNESS_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": os.environ.get("HARNESS_REDIS_URL", "redis://127.0.0.1:6379/7"),
}
NAMES = tuple(URLS)


def broker_environment(name: str) -> dict[str, str]:
    """Return what makes a site use the broker, with a queue of its own; skips where it is not running."""
    parts = urlsplit(URLS[name])
    if parts.hostname:
        try:
            socket.create_connection((parts.hostname, parts.port or 0), timeout=2).close()
        except OSError:
            pytest.skip(f"{name} does not answer at {parts.hostname}:{parts.port}")
    return {"CELERY_BROKER_URL": URLS[name], "FLOW_QUEUE": f"harness-{uuid.uuid4().hex[:12]}"}
