"""What a channel is given and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from observability.alerts.choices import AlertEvent, AlertSeverity, ChannelName, Step
from observability.outbound.transport import Answer


@dataclass(frozen=True)
class Message:
    """One thing to tell of an alert, masked already. `not_told`: alerts of this severity held back by the limit."""

    alert_id: UUID
    step: Step
    event: AlertEvent
    severity: AlertSeverity
    meaning: str
    runbook: str
    subject: str
    tenant_ref: str
    facts: Mapping[str, object]
    count: int
    opened_at: datetime
    ended_at: datetime | None
    by: str
    source: str
    link: str
    not_told: int = 0

    @property
    def headline(self) -> str:
        """Return event and subject in one line."""
        return f"{self.event.label}: {self.subject}" if self.subject else str(self.event.label)


@dataclass(frozen=True)
class Said:
    """What an answer means: told, to be tried again (no sooner than `wait_seconds`), or final with its code.

    `outage`: the service failed, which counts for its circuit breaker; its refusals do not.
    """

    told: bool
    error_code: str = ""
    final: bool = False
    wait_seconds: float = 0.0
    outage: bool = False


class Channel(Protocol):
    """A way to tell people. `steps` are those that the channel is told of."""

    name: ChannelName
    breaker: str
    steps: frozenset[Step]

    def is_set_up(self) -> bool: ...

    def severities(self) -> frozenset[AlertSeverity]: ...

    def url(self) -> str: ...

    def body(self, message: Message) -> bytes: ...

    def judge(self, answer: Answer, *, now: datetime) -> Said: ...
