"""Bodies of the alerting API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from observability.alerts.catalogue import CATALOGUE
from observability.alerts.channels.registry import CHANNELS, channels_for
from observability.alerts.choices import (
    AlertEvent,
    AlertSeverity,
    AlertState,
    ChannelName,
    EntryKind,
    Step,
    TellingState,
)
from observability.alerts.models import Alert, AlertEntry, AlertTelling
from tenancy.inputs import StrictSerializer

_CODE = r"^[A-Za-z0-9_.:/@+#-]+\Z"
_MOST_FACTS = 20


@extend_schema_field({"oneOf": [{"type": "string", "maxLength": 128}, {"type": "number"}, {"type": "boolean"}]})
class _Fact(serializers.Field[Any, Any, Any, Any]):
    """A code, a number or a truth value: an alert holds no words, so that nothing personal leaves in one."""

    default_error_messages = {"invalid": "A code of at most 128 characters without blanks, a number, or true or false."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            return serializers.RegexField(_CODE, max_length=128).run_validation(data)
        if not isinstance(data, bool | int | float) or (isinstance(data, int) and abs(data) >= 10**18):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class SendAlertRequest(StrictSerializer):
    event = serializers.ChoiceField(choices=AlertEvent.choices)
    severity = serializers.ChoiceField(choices=AlertSeverity.choices, required=False, help_text="Default: the event's.")
    subject = serializers.RegexField(
        _CODE, max_length=128, required=False, default="", allow_blank=True, help_text="An id or a code, no words."
    )
    tenant_id = serializers.UUIDField(required=False)
    facts = serializers.DictField(
        child=_Fact(), required=False, default=dict, help_text="Codes and numbers, at most 20; no words."
    )

    def validate_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        if len(facts) > _MOST_FACTS:
            raise serializers.ValidationError(f"At most {_MOST_FACTS}.", code="too_many")
        name = serializers.RegexField(_CODE, max_length=128)
        return {name.run_validation(key): value for key, value in facts.items()}


class AlertAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    event = serializers.ChoiceField(choices=AlertEvent.choices)
    severity = serializers.ChoiceField(choices=AlertSeverity.choices)
    state = serializers.ChoiceField(choices=AlertState.choices)
    subject = serializers.CharField(allow_null=True)
    tenant_id = serializers.UUIDField(allow_null=True)
    count = serializers.IntegerField(help_text="How often it was raised.")
    facts = serializers.DictField(help_text="Codes and numbers of the last raise.")
    runbook = serializers.CharField(allow_null=True, help_text="Key of the runbook to follow.")
    opened_at = serializers.DateTimeField()
    last_raised_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = serializers.CharField(allow_null=True, help_text="Id of the person; null when it was over by itself.")


class AlertEntryAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    severity = serializers.ChoiceField(choices=AlertSeverity.choices)
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True)
    channel = serializers.ChoiceField(choices=ChannelName.choices, allow_null=True)
    code = serializers.CharField(allow_null=True, help_text="What was told, or why it could not be.")


class AlertTellingAnswer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=ChannelName.choices)
    state = serializers.ChoiceField(choices=TellingState.choices)
    wanted = serializers.ChoiceField(choices=Step.choices)
    told = serializers.ChoiceField(choices=Step.choices, allow_null=True)
    told_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)


class AlertDetailAnswer(AlertAnswer):
    channels = AlertTellingAnswer(many=True)
    history = AlertEntryAnswer(many=True)


class AlertEventAnswer(serializers.Serializer[Any]):
    event = serializers.ChoiceField(choices=AlertEvent.choices)
    severity = serializers.ChoiceField(choices=AlertSeverity.choices, help_text="Unless the raiser says otherwise.")
    description = serializers.CharField()
    runbook = serializers.CharField(allow_null=True)
    resolves_after_seconds = serializers.IntegerField(
        allow_null=True, help_text="Without a further raise; null: its owner or a person ends it."
    )


class AlertEventsAnswer(serializers.Serializer[Any]):
    items = AlertEventAnswer(many=True)


class AlertSeverityAnswer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=AlertSeverity.choices)
    channels = serializers.ListField(child=serializers.ChoiceField(choices=ChannelName.choices))
    limit = serializers.IntegerField(help_text="Alerts that a channel is told of in the window; more are counted.")
    limit_seconds = serializers.IntegerField()


class AlertSeveritiesAnswer(serializers.Serializer[Any]):
    items = AlertSeverityAnswer(many=True)


class _OpenStats(serializers.Serializer[Any]):
    by_severity = serializers.DictField(child=serializers.IntegerField())
    by_event = serializers.DictField(child=serializers.IntegerField())
    acknowledged = serializers.IntegerField()


class _DayStats(serializers.Serializer[Any]):
    opened = serializers.IntegerField()
    raised = serializers.IntegerField(help_text="Raises of the alerts that opened in these hours.")
    by_severity = serializers.DictField(child=serializers.IntegerField())
    resolved = serializers.IntegerField()
    mean_seconds_to_acknowledge = serializers.FloatField(allow_null=True)
    mean_seconds_to_resolve = serializers.FloatField(allow_null=True)


class _ChannelStats(serializers.Serializer[Any]):
    is_set_up = serializers.BooleanField()
    told = serializers.IntegerField()
    suppressed = serializers.IntegerField(help_text="Held back by the limit in the last 24 hours.")
    failed = serializers.IntegerField()
    suppressed_and_not_said_yet = serializers.IntegerField()
    waiting = serializers.IntegerField()


class AlertStatsAnswer(serializers.Serializer[Any]):
    open = _OpenStats()
    last_24_hours = _DayStats()
    channels = serializers.DictField(child=_ChannelStats())


def alert_data(alert: Alert) -> dict[str, Any]:
    """Return an alert as it is shown."""
    return {
        "id": str(alert.id),
        "event": alert.event,
        "severity": alert.severity,
        "state": alert.state,
        "subject": alert.subject or None,
        "tenant_id": alert.tenant_ref or None,
        "count": alert.count,
        "facts": alert.facts,
        "runbook": CATALOGUE[AlertEvent(alert.event)].runbook or None,
        "opened_at": alert.opened_at,
        "last_raised_at": alert.last_raised_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by or None,
        "resolved_at": alert.resolved_at,
        "resolved_by": alert.resolved_by or None,
    }


def entry_data(entry: AlertEntry) -> dict[str, Any]:
    """Return one line of the history."""
    return {
        "kind": entry.kind,
        "severity": entry.severity,
        "at": entry.at,
        "by": entry.by or None,
        "channel": entry.channel or None,
        "code": entry.code or None,
    }


def telling_data(telling: AlertTelling) -> dict[str, Any]:
    """Return where a channel stands."""
    return {
        "channel": telling.channel,
        "state": telling.state,
        "wanted": telling.wanted,
        "told": telling.told or None,
        "told_at": telling.told_at,
        "attempts": telling.attempts,
        "next_attempt_at": telling.next_attempt_at,
        "error_code": telling.error_code or None,
    }


def event_list() -> list[dict[str, Any]]:
    """Return what is known of every event."""
    return [
        {
            "event": facts.event,
            "severity": facts.severity,
            "description": facts.meaning,
            "runbook": facts.runbook or None,
            "resolves_after_seconds": facts.quiet_seconds,
        }
        for facts in CATALOGUE.values()
    ]


def severity_list(limits: Any) -> list[dict[str, Any]]:
    """Return each severity with the configured channels that are told, and its limit."""
    return [
        {
            "severity": severity,
            "channels": [channel.name for channel in channels_for(severity)],
            "limit": limits[severity].count,
            "limit_seconds": limits[severity].seconds,
        }
        for severity in AlertSeverity
    ]


def stats_data(stats: dict[str, Any]) -> dict[str, Any]:
    """Return the figures with which channels are set up."""
    channels = {
        name: {"is_set_up": CHANNELS[ChannelName(name)].is_set_up(), **figures}
        for name, figures in stats["channels"].items()
    }
    return {**stats, "channels": channels}
