"""Operations in the admin: jobs and workers to look at, dead letters to replay, breakers to reset or force open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

import observability.alerts.admin  # noqa: F401  # registers the alerts
from observability.breakers import force_breaker_open, reset_breaker
from observability.choices import LetterResolution
from observability.dead_letters import JobNotDead, LetterEnded, resolve_letter, retry_letter
from observability.looked_at import LookedAt
from observability.models import CircuitBreaker, DeadLetter, Job, WorkerHeartbeat

if TYPE_CHECKING:  # the class takes its model as a parameter for the type checker only
    JobModelAdmin = admin.ModelAdmin[Job]
    HeartbeatModelAdmin = admin.ModelAdmin[WorkerHeartbeat]
    BreakerModelAdmin = admin.ModelAdmin[CircuitBreaker]
    LetterModelAdmin = admin.ModelAdmin[DeadLetter]
else:
    JobModelAdmin = HeartbeatModelAdmin = BreakerModelAdmin = LetterModelAdmin = admin.ModelAdmin


log = structlog.get_logger(__name__)


@admin.register(Job)
class JobAdmin(LookedAt, JobModelAdmin):
    list_display = ("id", "kind", "state", "attempts", "error_code", "created_at", "finished_at")
    list_filter = ("state", "kind", "error_code")
    search_fields = ("=id", "=tenant_ref", "=request_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        return [field.name for field in Job._meta.fields]


class WaitsFilter(admin.SimpleListFilter):
    """Whether a letter still waits for a person."""

    title = "waits for a person"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        if self.value() == "yes":
            return queryset.filter(resolution="")
        return queryset.exclude(resolution="") if self.value() == "no" else queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(LookedAt, LetterModelAdmin):
    list_display = ("job_id", "kind", "reason_code", "attempts", "first_failed_at", "last_failed_at", "resolution")
    list_filter = (WaitsFilter, "kind", "reason_code")
    search_fields = ("=id", "=job__id", "=tenant_ref")
    date_hierarchy = "last_failed_at"
    ordering = ("-last_failed_at", "-id")
    actions = ("retry", "resolve", "drop")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: DeadLetter | None = None) -> list[str]:
        return [field.name for field in DeadLetter._meta.fields]

    @admin.action(description="Retry: run the jobs again", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        def again(letter_id: UUID, by: str, now: datetime) -> None:
            retry_letter(letter_id=letter_id, by=by, now=now)

        self._end_each(request, queryset, again, "will run again")

    @admin.action(description="Resolve: mended by other means", permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        def resolved(letter_id: UUID, by: str, now: datetime) -> None:
            resolve_letter(letter_id=letter_id, by=by, now=now)

        self._end_each(request, queryset, resolved, "resolved")

    @admin.action(description="Drop: will not be done", permissions=["change"])
    def drop(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        def dropped(letter_id: UUID, by: str, now: datetime) -> None:
            resolve_letter(letter_id=letter_id, by=by, now=now, resolution=LetterResolution.DROPPED)

        self._end_each(request, queryset, dropped, "dropped")

    def _end_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[DeadLetter],
        end: Callable[[UUID, str, datetime], None],
        words: str,
    ) -> None:
        """End the chosen letters; those that somebody ended before stay as they are."""
        now, ended, chosen = timezone.now(), 0, list(queryset.values_list("id", flat=True))
        for letter_id in chosen:
            try:
                end(letter_id, str(request.user.pk), now)
                ended += 1
            except (LetterEnded, JobNotDead) as refusal:
                log.info("letter_left_alone", letter_id=str(letter_id), code=refusal.code)
        level = messages.SUCCESS if ended == len(chosen) else messages.WARNING
        self.message_user(request, f"{ended} of {len(chosen)} {words}.", level)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(LookedAt, HeartbeatModelAdmin):
    list_display = ("name", "started_at", "seen_at")
    ordering = ("-seen_at",)

    def has_change_permission(self, request: HttpRequest, obj: WorkerHeartbeat | None = None) -> bool:
        return False


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(LookedAt, BreakerModelAdmin):
    list_display = ("name", "state", "forced_open", "opened_at", "changed_at", "changed_by")
    list_filter = ("state",)
    ordering = ("name",)
    exclude = ("probe_token",)
    actions = ("reset", "force_open")

    def get_readonly_fields(self, request: HttpRequest, obj: CircuitBreaker | None = None) -> list[str]:
        return [field.name for field in CircuitBreaker._meta.fields]

    @admin.action(description="Reset: let calls through again", permissions=["change"])
    def reset(self, request: HttpRequest, queryset: QuerySet[CircuitBreaker]) -> None:
        for name in list(queryset.values_list("name", flat=True)):
            reset_breaker(name=name, by=str(request.user.pk), now=timezone.now())
            self.message_user(request, f"{name} is closed.", messages.SUCCESS)

    @admin.action(description="Force open: keep all calls back until a reset", permissions=["change"])
    def force_open(self, request: HttpRequest, queryset: QuerySet[CircuitBreaker]) -> None:
        for name in list(queryset.values_list("name", flat=True)):
            force_breaker_open(name=name, by=str(request.user.pk), now=timezone.now())
            self.message_user(request, f"{name} is held open.", messages.SUCCESS)


# Django looks for an app's admin here.
from observability.incidents import admin as incidents_admin  # noqa: E402, F401
