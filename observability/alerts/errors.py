"""Named refusals around alerts."""

from __future__ import annotations

from observability.errors import Conflict


class AlertIsOver(Conflict):
    code = "alert_resolved"
    message = "This alert is resolved already."


class NoChannel(Conflict):
    code = "no_alert_channel"
    message = "No channel is set up: give PAGERDUTY_ROUTING_KEY or SLACK_WEBHOOK_URL."
