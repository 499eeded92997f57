"""Which channels there are, and which of them an alert is told on."""

from __future__ import annotations

from observability.alerts.channels.pagerduty import PagerDuty
from observability.alerts.channels.slack import Slack
from observability.alerts.channels.types import Channel
from observability.alerts.choices import AlertSeverity, ChannelName

CHANNELS: dict[ChannelName, Channel] = {channel.name: channel for channel in (PagerDuty(), Slack())}


def configured_channels() -> list[Channel]:
    """Return the channels that have a key or an address."""
    return [channel for channel in CHANNELS.values() if channel.is_set_up()]


def channels_for(severity: AlertSeverity) -> list[Channel]:
    """Return the configured channels that are told of alerts of this severity."""
    return [channel for channel in configured_channels() if severity in channel.severities()]
