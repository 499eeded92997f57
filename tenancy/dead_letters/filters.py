"""Filters of the list of dead letters."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from observability.choices import LetterResolution
from observability.models import DeadLetter

_WAITS = "OPEN"
STATES = [(_WAITS, "Waits for a person"), *LetterResolution.choices]


class DeadLetterFilter(django_filters.FilterSet):
    resolution = django_filters.ChoiceFilter(choices=STATES, method="in_state")
    kind = django_filters.CharFilter(max_length=64)
    reason_code = django_filters.CharFilter(max_length=64)

    class Meta:
        model = DeadLetter
        fields: list[str] = []

    def in_state(self, rows: QuerySet[DeadLetter], _name: str, value: str) -> QuerySet[DeadLetter]:
        return rows.filter(resolution="" if value == _WAITS else value)
