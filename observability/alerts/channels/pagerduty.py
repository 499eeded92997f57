"""PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview (read 2026-11).

202 is the success, 400 an event that will never be accepted, 429 "slow down". One `dedup_key` for the whole life of an
alert: what is sent twice is one incident there, and the resolve closes the same one.
"""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings

from observability.alerts.channels.judging import judged
from observability.alerts.channels.types import Message, Said
from observability.alerts.choices import AlertSeverity, ChannelName, Step
from observability.outbound.transport import Answer

LONGEST_SUMMARY = 1024
_ACTIONS = {Step.TRIGGER: "trigger", Step.ACKNOWLEDGE: "acknowledge", Step.RESOLVE: "resolve"}
_SEVERITIES = {
    AlertSeverity.CRITICAL: "critical",
    AlertSeverity.ERROR: "error",
    AlertSeverity.WARNING: "warning",
    AlertSeverity.INFO: "info",
}


class PagerDuty:
    """Pages the person on call."""

    name = ChannelName.PAGERDUTY
    breaker = "alerts.pagerduty"
    steps = frozenset(Step)

    def is_set_up(self) -> bool:
        return bool(settings.PAGERDUTY_ROUTING_KEY)

    def severities(self) -> frozenset[AlertSeverity]:
        return frozenset(AlertSeverity(name) for name in settings.ALERT_PAGERDUTY_SEVERITIES)

    def url(self) -> str:
        return str(settings.PAGERDUTY_URL)

    def body(self, message: Message) -> bytes:
        event: dict[str, Any] = {
            "routing_key": settings.PAGERDUTY_ROUTING_KEY,
            "event_action": _ACTIONS[message.step],
            "dedup_key": dedup_key(message),
        }
        if message.step == Step.TRIGGER:
            event |= {"payload": _payload(message), "client": "Claimwright"}
            if message.link:
                event |= {"client_url": message.link, "links": [{"href": message.link, "text": "The alert"}]}
        return json.dumps(event).encode()

    def judge(self, answer: Answer, *, now: datetime) -> Said:
        return judged(answer, accepted=HTTPStatus.ACCEPTED, now=now)


def dedup_key(message: Message) -> str:
    """Return the name of the incident at PagerDuty."""
    return f"claimwright/{message.alert_id}"


def _payload(message: Message) -> dict[str, Any]:
    details: dict[str, object] = {
        "meaning": message.meaning,
        "raised": message.count,
        "runbook": message.runbook,
        "alert_id": str(message.alert_id),
        **{f"fact.{name}": value for name, value in message.facts.items()},
    }
    if message.not_told:
        details["not_paged_before"] = message.not_told
    payload = {
        "summary": f"{message.headline}. {message.meaning}"[:LONGEST_SUMMARY],
        "source": message.source,
        "severity": _SEVERITIES[message.severity],
        "timestamp": message.opened_at.isoformat(),
        "component": message.subject,
        "group": message.tenant_ref,
        "class": str(message.event),
        "custom_details": details,
    }
    return {name: value for name, value in payload.items() if value != ""}
