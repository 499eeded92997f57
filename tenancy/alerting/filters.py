"""Filters of the list of alerts."""

from __future__ import annotations

import django_filters

from observability.alerts.choices import AlertEvent, AlertSeverity, AlertState
from observability.alerts.models import Alert


class AlertFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AlertState.choices)
    severity = django_filters.ChoiceFilter(choices=AlertSeverity.choices)
    event = django_filters.ChoiceFilter(choices=AlertEvent.choices)

    class Meta:
        model = Alert
        fields: list[str] = []
