"""The filters of the claim list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from claims.choices import ClaimStatus, ReviewPriority
from claims.models import Claim
from claims.selectors import claims_found


class MomentField(forms.Field):
    """An RFC 3339 time with its offset, as UTC. (Django's own field lets year 1 at +14:00 through, which is a 500.)"""

    def to_python(self, value: str | None) -> datetime | None:
        if not value:
            return None
        try:
            moment = parse_datetime(value)
            if moment is None or is_naive(moment):
                raise ValueError
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as problem:
            message = "Give a time with its offset from UTC, for example 2026-03-01T17:30:00Z."
            raise ValidationError(message, code="invalid") from problem


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class ClaimFilter(django_filters.FilterSet):
    """`?status=&priority=&claim_number=&q=&received_after=&received_before=`"""

    status = django_filters.ChoiceFilter(choices=ClaimStatus.choices)
    priority = django_filters.ChoiceFilter(field_name="review_priority", choices=ReviewPriority.choices)
    claim_number = django_filters.CharFilter(field_name="claim_number", lookup_expr="exact")
    q = django_filters.CharFilter(method="search")
    received_after = MomentFilter(field_name="received_at", lookup_expr="gte")
    received_before = MomentFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Claim
        fields: list[str] = []

    def search(self, claims: QuerySet[Claim], name: str, words: str) -> QuerySet[Claim]:
        return claims_found(claims, words)


CLAIM_FILTERS: Collection[str] = frozenset(ClaimFilter.base_filters)
