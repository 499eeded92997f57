"""Alerts in the admin: to look at, to take on and to end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from observability.alerts.errors import AlertIsOver
from observability.alerts.models import Alert, AlertEntry, AlertTelling
from observability.alerts.raising import acknowledge_alert, resolve_open_alert
from observability.looked_at import LookedAt

if TYPE_CHECKING:  # the class takes its model as a parameter for the type checker only
    AlertModelAdmin = admin.ModelAdmin[Alert]
    EntryTabular = admin.TabularInline[AlertEntry, Alert]
    TellingTabular = admin.TabularInline[AlertTelling, Alert]
else:
    AlertModelAdmin = admin.ModelAdmin
    EntryTabular = TellingTabular = admin.TabularInline


_INNER = ("fingerprint", "quiet_sweeps")


class _Act(Protocol):
    def __call__(self, *, alert_id: UUID, by: str, now: datetime) -> Alert: ...


class _LookingOnly:
    """Rows of alerts are written by `raising.py` and the jobs."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


class EntryInline(_LookingOnly, EntryTabular):
    model = AlertEntry
    fields = ("at", "kind", "severity", "channel", "code", "by")
    ordering = ("id",)
    verbose_name_plural = "history"


class TellingInline(_LookingOnly, TellingTabular):
    model = AlertTelling
    fields = ("channel", "state", "wanted", "told", "told_at", "attempts", "next_attempt_at", "error_code")
    ordering = ("channel",)
    verbose_name_plural = "channels"


@admin.register(Alert)
class AlertAdmin(LookedAt, AlertModelAdmin):
    list_display = ("event", "subject", "severity", "state", "count", "opened_at", "last_raised_at", "resolved_at")
    list_filter = ("state", "severity", "event")
    search_fields = ("=id", "=subject", "=tenant_ref")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at",)
    actions = ("acknowledge", "resolve")
    exclude = _INNER
    inlines = (TellingInline, EntryInline)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Alert | None = None) -> list[str]:
        return [field.name for field in Alert._meta.fields if field.name not in _INNER]

    @admin.action(description="Acknowledge: somebody has taken it on", permissions=["change"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Take the chosen alerts on, also at PagerDuty; resolved ones stay as they are."""
        self._act(request, queryset, acknowledge_alert, "taken on")

    @admin.action(description="Resolve: it is over", permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """End the chosen alerts, also on the channels."""
        self._act(request, queryset, resolve_open_alert, "resolved")

    def _act(self, request: HttpRequest, queryset: QuerySet[Alert], act: _Act, word: str) -> None:
        done = 0
        for alert_id in queryset.values_list("id", flat=True):
            try:
                act(alert_id=alert_id, by=str(request.user.pk), now=timezone.now())
            except AlertIsOver:
                continue
            done += 1
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, f"{done} alert{'' if done == 1 else 's'} {word}.", level)
