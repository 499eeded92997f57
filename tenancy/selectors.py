"""Reads of keys, tasks and events. Keys and jobs are no tenant-owned rows (they are needed before there is a scope), so
their functions name the tenant themselves."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from observability.errors import NotFound
from observability.models import Job
from tenancy.choices import Role
from tenancy.models import ApiKey, AuditEvent, Membership, Tenant
from tenancy.principals import Principal


def keys_of(tenant_id: UUID) -> QuerySet[ApiKey]:
    """Return the tenant's keys with their holders."""
    return ApiKey.objects.filter(tenant_id=tenant_id).select_related("user")


def key_of(*, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """Return one key of the tenant; raises NotFound."""
    key = keys_of(tenant_id).filter(id=key_id).first()
    if key is None:
        raise NotFound
    return key


def keys_with_successor(key_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of the keys were rotated already."""
    return set(ApiKey.objects.filter(rotated_from__in=key_ids).values_list("rotated_from_id", flat=True))


def client_members(tenant_id: UUID) -> QuerySet[Membership]:
    """Return the tenant's active clients, for whom its administrator makes keys."""
    members = Membership.objects.filter(tenant_id=tenant_id, role=Role.CLIENT, user__is_active=True)
    return members.select_related("user").order_by("user__username")


def tenant_of(tenant_id: UUID) -> Tenant:
    """Return the tenant; raises NotFound."""
    tenant = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise NotFound
    return tenant


def members_of(tenant_id: UUID) -> QuerySet[Membership]:
    """Return the tenant's active people with their roles, by name."""
    members = Membership.objects.filter(tenant_id=tenant_id, user__is_active=True)
    return members.select_related("user").order_by("user__first_name", "user__last_name", "user__username")


def task_visible_to(*, principal: Principal, task_id: UUID) -> Job:
    """Return a job of the principal's tenant; raises NotFound.

    A client sees the tasks that they asked for themselves (jobs written with `requested_by` in their arguments): any
    other task's kind and result would tell about other people's claims.
    """
    jobs = Job.objects.filter(tenant_ref=str(principal.tenant_id))
    if principal.is_client:
        jobs = jobs.filter(arguments__requested_by=str(principal.user_id))
    job = jobs.filter(id=task_id).first()
    if job is None:
        raise NotFound
    return job


def event_of(event_id: UUID) -> AuditEvent:
    """Return one event of the scope's tenant with its place; raises NotFound."""
    event: AuditEvent | None = AuditEvent.objects.filter(id=event_id).select_related("place").first()
    if event is None:
        raise NotFound
    return event
