"""Operations in the admin: jobs and workers to look at, dead letters to replay, breakers to reset or force open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from observability.breakers import force_breaker_open, reset_breaker
from observability.jobs import replay_job
from observability.models import CircuitBreaker, Job, WorkerHeartbeat

if TYPE_CHECKING:  # the class takes its model as a parameter for the type checker only
    JobModelAdmin = admin.ModelAdmin[Job]
    HeartbeatModelAdmin = admin.ModelAdmin[WorkerHeartbeat]
    BreakerModelAdmin = admin.ModelAdmin[CircuitBreaker]
else:
    JobModelAdmin = HeartbeatModelAdmin = BreakerModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin:
    """Looking only: rows of this floor are written by the machinery."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin, JobModelAdmin):
    list_display = ("id", "kind", "state", "attempts", "error_code", "created_at", "finished_at")
    list_filter = ("state", "kind", "error_code")
    search_fields = ("=id", "=tenant_ref", "=request_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("replay",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        return [field.name for field in Job._meta.fields]

    @admin.action(description="Replay dead letters", permissions=["change"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Give the chosen dead letters fresh attempts; jobs in other states stay as they are."""
        now = timezone.now()
        replayed = sum(replay_job(job_id=job_id, now=now) for job_id in queryset.values_list("id", flat=True))
        level = messages.SUCCESS if replayed else messages.WARNING
        self.message_user(request, f"{replayed} dead letters will run again.", level)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin, HeartbeatModelAdmin):
    list_display = ("name", "started_at", "seen_at")
    ordering = ("-seen_at",)

    def has_change_permission(self, request: HttpRequest, obj: WorkerHeartbeat | None = None) -> bool:
        return False


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(ReadOnlyAdmin, BreakerModelAdmin):
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
