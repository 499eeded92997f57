"""Filters of the list of incidents."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from observability.incidents.choices import OPEN_STATUSES, IncidentKind, IncidentSeverity, IncidentStatus
from observability.incidents.models import Incident


class IncidentFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=IncidentStatus.choices)
    severity = django_filters.ChoiceFilter(choices=IncidentSeverity.choices)
    kind = django_filters.ChoiceFilter(choices=IncidentKind.choices)
    open = django_filters.ChoiceFilter(choices=[("true", "open"), ("false", "over")], method="open_or_over")

    class Meta:
        model = Incident
        fields: list[str] = []

    def open_or_over(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(status__in=OPEN_STATUSES) if value == "true" else rows.exclude(status__in=OPEN_STATUSES)
