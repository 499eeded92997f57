"""Bases for checking what comes in: unknown fields and values of another type are refused, not guessed at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

_MOST_NAMED = 20


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            refusal = serializers.ErrorDetail("This field is not known here.", code="unknown_field")
            raise serializers.ValidationError({str(name)[:64]: [refusal] for name in unknown[:_MOST_NAMED]})
        return super().to_internal_value(data)

    @classmethod
    def checked(cls, data: Any) -> dict[str, Any]:
        """Return the checked values; raises ValidationError with all problems."""
        body = cls(data=data)
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        return values


class TextField(serializers.CharField):
    """A text, not a number that could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class JSONNumber(serializers.FloatField):
    """A number, not a text that looks like one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class JSONWhole(serializers.IntegerField):
    """A whole number, not a text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class JSONBoolean(serializers.BooleanField):
    """``true`` or ``false``, not a word or number for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class AwareDateTimeField(serializers.DateTimeField):
    """RFC 3339 with an offset: a time without one would silently be taken for UTC."""

    default_error_messages = {"naive": "Give the offset from UTC, for example 2026-03-01T17:30:00+01:00."}

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)
