"""The operator's desk: the panels of all floors on one page of the administration, and over HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from observability.desk import ShownPanel, Tone, shown_panels, worst_tone
from tenancy.base_api import OperationsAPIView
from tenancy.listing import refuse_parameters
from tenancy.scope import every_tenant

_ICONS = {Tone.GOOD: "check-circle", Tone.WATCH: "clock", Tone.BAD: "urgent", Tone.UNKNOWN: "question"}
_COLOURS = {Tone.GOOD: "ok", Tone.WATCH: "warn", Tone.BAD: "danger", Tone.UNKNOWN: "quiet"}
_WORDS = {
    Tone.GOOD: "Nothing needs you",
    Tone.WATCH: "Some things want a look",
    Tone.BAD: "Something is broken",
    Tone.UNKNOWN: "Something cannot be read",
}


class DeskRowAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField(help_text="With its unit, for people.")
    tone = serializers.ChoiceField(choices=Tone.choices)


class DeskPanelAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    tone = serializers.ChoiceField(choices=Tone.choices)
    headline = serializers.CharField()
    rows = DeskRowAnswer(many=True)


class DeskAnswer(serializers.Serializer[Any]):
    tone = serializers.ChoiceField(choices=Tone.choices, help_text="The gravest of the panels.")
    panels = DeskPanelAnswer(many=True)


class OperationsDeskView(OperationsAPIView):
    """`GET /operations/desk`"""

    @extend_schema(operation_id="operations_desk", responses=DeskAnswer)
    def get(self, request: Request) -> Response:
        """Tell in one answer what runs, what waits and what needs a person."""
        refuse_parameters(request)
        shown = _panels()
        panels = [
            {
                "name": one.panel.name,
                "title": one.panel.title,
                "tone": one.state.tone,
                "headline": one.state.headline,
                "rows": [{"name": r.label, "value": r.value, "tone": r.tone} for r in one.state.rows],
            }
            for one in shown
        ]
        return Response({"tone": worst_tone(shown), "panels": panels})


def desk_context() -> dict[str, Any]:
    """Return what the page shows; `desk_etag` changes when any word of it does."""
    shown = _panels()
    tone = worst_tone(shown)
    context = {"desk": {"words": _WORDS[tone], "icon": _ICONS[tone], "colour": _COLOURS[tone]}}
    panels = [_for_page(one) for one in shown]
    text = render_to_string("admin/_desk_panels.html", {**context, "panels": panels})
    return {**context, "panels": panels, "desk_etag": f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'}


def _panels() -> list[ShownPanel]:
    with every_tenant("the operator's desk counts all tenants' work"):
        return shown_panels(now=timezone.now())


def _for_page(one: ShownPanel) -> dict[str, Any]:
    state = one.state
    return {
        "name": one.panel.name,
        "title": one.panel.title,
        "url": reverse(one.panel.address) + one.panel.query if one.panel.address else "",
        "headline": state.headline,
        "icon": _ICONS[state.tone],
        "colour": _COLOURS[state.tone],
        "word": state.tone.label,
        "rows": [{"label": r.label, "value": r.value, "colour": _COLOURS[r.tone]} for r in state.rows],
    }
