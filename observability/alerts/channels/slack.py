"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (read 2026-11).

200 is the success; 400, 403, 404 and 410 are final (a wrong payload, a revoked or unknown webhook, an archived
channel); 429 says in Retry-After when to come back. `&`, `<` and `>` are the control characters of its text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings

from observability.alerts.channels.judging import judged
from observability.alerts.channels.types import Message, Said
from observability.alerts.choices import AlertSeverity, ChannelName, Step
from observability.desk import in_words
from observability.outbound.transport import Answer

# Of a section's text and of a context element (Block Kit reference).
LONGEST_TEXT = 3000
_MARKS = {
    AlertSeverity.CRITICAL: ":red_circle:",
    AlertSeverity.ERROR: ":large_orange_circle:",
    AlertSeverity.WARNING: ":large_yellow_circle:",
    AlertSeverity.INFO: ":large_blue_circle:",
}


class Slack:
    """Posts into a channel. Acknowledging is not told there: who did it is talking in that channel."""

    name = ChannelName.SLACK
    breaker = "alerts.slack"
    steps = frozenset({Step.TRIGGER, Step.RESOLVE})

    def is_set_up(self) -> bool:
        return bool(settings.SLACK_WEBHOOK_URL)

    def severities(self) -> frozenset[AlertSeverity]:
        return frozenset(AlertSeverity(name) for name in settings.ALERT_SLACK_SEVERITIES)

    def url(self) -> str:
        return str(settings.SLACK_WEBHOOK_URL)

    def body(self, message: Message) -> bytes:
        told = _resolved(message) if message.step == Step.RESOLVE else _opened(message)
        return json.dumps(told).encode()

    def judge(self, answer: Answer, *, now: datetime) -> Said:
        return judged(answer, accepted=HTTPStatus.OK, now=now)


def summary_body(*, severity: AlertSeverity, number: int) -> bytes:
    """Return the message that says how many alerts a limit held back."""
    noun = "alert was" if number == 1 else "alerts were"
    text = f"{_MARKS[severity]} {number} more {severity.label.lower()} {noun} not told here: the limit was reached."
    return json.dumps({"text": text, "blocks": [_section([text])]}).encode()


def escaped(text: str) -> str:
    """Return the text with Slack's three control characters written out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _opened(message: Message) -> dict[str, Any]:
    headline = f"{_MARKS[message.severity]} *{message.severity.label}* – {escaped(message.headline)}"
    lines = [headline, escaped(message.meaning), *_fact_lines(message)]
    if message.link:
        lines.append(f"<{escaped(message.link)}|Open the alert>")
    if message.not_told:
        lines.append(f"_{message.not_told} more of this severity were not told here before: the limit was reached._")
    return {"text": _plain(message, "opened"), "blocks": [_section(lines)]}


def _resolved(message: Message) -> dict[str, Any]:
    ended = message.ended_at or message.opened_at
    lasted = in_words((ended - message.opened_at).total_seconds())
    who = " by a person" if message.by else ""
    times = "once" if message.count == 1 else f"{message.count} times"
    lines = [
        f":white_check_mark: *Resolved{who}* – {escaped(message.headline)}",
        f"Raised {times}; it was open for {lasted}.",
    ]
    return {"text": _plain(message, "resolved"), "blocks": [_section(lines)]}


def _fact_lines(message: Message) -> list[str]:
    facts = {**message.facts, "tenant": message.tenant_ref, "runbook": message.runbook}
    return [f"• {escaped(name)}: `{escaped(str(value))}`" for name, value in facts.items() if value not in ("", None)]


def _plain(message: Message, word: str) -> str:
    """Return what a notification on a phone shows."""
    return escaped(f"{message.severity.label} {word}: {message.headline}")


def _section(lines: Sequence[str]) -> dict[str, Any]:
    """Return the lines as a block, as many as fit: a line cut in half could end in half an escape."""
    text = ""
    for line in lines:
        if len(text) + len(line) + 1 > LONGEST_TEXT:
            break
        text += f"\n{line}" if text else line
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
