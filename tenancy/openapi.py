"""Pieces of the OpenAPI schema that every floor's views share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


def listed(item: type[serializers.Serializer[Any]], **more: serializers.Field[Any, Any, Any, Any]) -> Any:
    """Return the serializer of a cursor list of such items, for a schema's `responses`; `more` adds fields beside."""
    name = f"{item.__name__.removesuffix('Answer')}List"
    cursor = serializers.CharField(allow_null=True, help_text="Give it as `cursor` for the next page; null at the end.")
    fields = {"items": item(many=True), "next_cursor": cursor, **more}
    return type(name, (serializers.Serializer,), fields)
