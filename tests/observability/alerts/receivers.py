"""PagerDuty and Slack on the loopback. They check what they are sent as the real ones do, and misbehave by order."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

ROUTING_KEY = "R0UT1NGK3Y00000000000000000TEST1"
HOOK = "/services/T000/B000/XXXX"
# An answer to give instead of the real one: a status with headers, or `HANG`.
HANG = 0
Order = tuple[int, dict[str, str]]


@dataclass
class Service:
    """What a service was sent, what it refused, and what it holds."""

    port: int = 0
    orders: list[Order] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    # dedup_key → "triggered", "acknowledged", "resolved"
    incidents: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        return [body["blocks"][0]["text"]["text"] for body in self.got]


def pagerduty_problem(body: Any) -> str:
    """Return what PagerDuty would answer 400 for, else nothing (Events API v2)."""
    event = body
    if not isinstance(event, dict):
        return "the event is no object"
    if not isinstance(event.get("routing_key"), str) or len(event["routing_key"]) != 32:
        return "routing_key is missing or is not 32 characters long"
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        return "event_action is missing or unknown"
    key = event.get("dedup_key", "")
    if len(key) > 255 or (event["event_action"] != "trigger" and not key):
        return "dedup_key is missing or too long"
    return _payload_problem(event.get("payload")) if event["event_action"] == "trigger" else ""


def _payload_problem(payload: Any) -> str:
    if not isinstance(payload, dict):
        return "payload is missing"
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name]:
            return f"payload.{name} is missing or blank"
    if len(payload["summary"]) > 1024:
        return "payload.summary is longer than 1024 characters"
    if payload["severity"] not in {"critical", "error", "warning", "info"}:
        return "payload.severity is unknown"
    if "timestamp" in payload and not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", str(payload["timestamp"])):
        return "payload.timestamp is no ISO 8601 time"
    return "" if isinstance(payload.get("custom_details", {}), dict) else "payload.custom_details is no object"


def slack_problem(body: Any) -> str:
    """Return what Slack would answer 400 for, else nothing (incoming webhooks, Block Kit)."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
        return "no_text"
    texts = [body["text"]]
    for block in body.get("blocks", []):
        text = block.get("text", {})
        if block.get("type") != "section" or text.get("type") not in {"mrkdwn", "plain_text"}:
            return "invalid_blocks"
        if not 1 <= len(text.get("text", "")) <= 3000:
            return "invalid_blocks"
        texts.append(text["text"])
    links = re.compile(r"<https?://[^<>|]+\|[^<>]+>")
    loose = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")
    return "unescaped" if any(loose.search(links.sub("", text)) for text in texts) else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: ClassVar[Service]
    path_wanted: ClassVar[str]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.service.orders:
            status, headers = self.service.orders.pop(0)
            if status == HANG:
                self.service.over.wait(30)
                self.close_connection = True
                return
            self._answer(status, headers)
            return
        self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body, problem = None, "the body is no JSON"
        else:
            problem = self.problem(body)
        if self.path != self.path_wanted:
            problem = f"nothing is at {self.path}"
        if self.headers.get("Content-Type") != "application/json":
            problem = "the Content-Type is not application/json"
        if problem:
            self.service.refused.append(problem)
            self._answer(400, {})
            return
        self.service.got.append(body)
        self.taken(body)  # before the answer: who has it may look at once
        self._answer(self.success, {})

    problem = staticmethod(slack_problem)
    success = 200

    def taken(self, body: dict[str, Any]) -> None:
        """Slack shows what comes."""

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.service.statuses.append(status)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _PagerDutyHandler(_Handler):
    problem = staticmethod(pagerduty_problem)
    success = 202
    _moves: ClassVar[dict[str, str]] = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}

    def taken(self, body: dict[str, Any]) -> None:
        """One incident a key; what is not triggered can neither be acknowledged nor resolved."""
        key, action = body["dedup_key"], body["event_action"]
        known = self.service.incidents.get(key, "resolved")
        if action == "trigger" and known != "resolved":
            return
        if action == "trigger" or known != "resolved":
            self.service.incidents[key] = self._moves[action]


@contextmanager
def serving(*, pagerduty: bool) -> Iterator[Service]:
    """Answer on a free port for the block."""
    service = Service()
    base = _PagerDutyHandler if pagerduty else _Handler
    handler = type("Handler", (base,), {"service": service, "path_wanted": "/v2/enqueue" if pagerduty else HOOK})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
