"""Filters of the list of deliveries."""

from __future__ import annotations

import django_filters

from tenancy.choices import DeliveryState
from tenancy.models import WebhookDelivery


class DeliveryFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=DeliveryState.choices)
    type = django_filters.CharFilter(field_name="event__type", max_length=64)

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []
