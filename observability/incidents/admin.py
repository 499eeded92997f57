"""Incidents in the admin, to look at, and who is called about them; what can be done stands on the incidents' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from observability.incidents.models import EscalationLevel, Incident, IncidentEvent, IncidentStep

if TYPE_CHECKING:  # the class takes its model as a parameter for the type checker only
    IncidentModelAdmin = admin.ModelAdmin[Incident]
    LevelModelAdmin = admin.ModelAdmin[EscalationLevel]
    StepTable = admin.TabularInline[IncidentStep, Incident]
    EventTable = admin.TabularInline[IncidentEvent, Incident]
else:
    IncidentModelAdmin = LevelModelAdmin = admin.ModelAdmin
    StepTable = EventTable = admin.TabularInline


class LookingOnly:
    """Not even an action."""

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


class StepInline(LookingOnly, StepTable):
    model = IncidentStep
    fields = ("position", "title", "state", "by", "ended_at", "output")
    extra = 0


class EventInline(LookingOnly, EventTable):
    model = IncidentEvent
    fields = ("at", "kind", "by_name", "text")
    extra = 0


@admin.register(Incident)
class IncidentAdmin(LookingOnly, IncidentModelAdmin):
    list_display = ("__str__", "severity", "status", "title", "subject", "opened_at", "resolved_at")
    list_filter = ("status", "severity", "kind")
    search_fields = ("=number", "=subject")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at",)
    inlines = (StepInline, EventInline)


@admin.register(EscalationLevel)
class EscalationLevelAdmin(LevelModelAdmin):
    """Who is called, and after how long the next one; with no row here the environment's levels hold."""

    list_display = ("level", "name", "contact", "minutes_p1", "minutes_p2", "minutes_p3", "minutes_p4")
