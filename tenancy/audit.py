"""The only writer of audit events: one leaf of the tenant's tree, in the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from observability.context import current_context
from observability.errors import PlatformError
from tenancy.errors import CrossTenantWrite
from tenancy.models import AuditEvent
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id
from tenancy.trail.format import canonical_json, leaf_hash
from tenancy.trail.sealing import write_event


class AuditAction(StrEnum):
    """Base of every floor's catalogue of auditable actions."""


class TenancyAction(AuditAction):
    API_KEY_CREATED = "api_key.created"
    API_KEY_CHANGED = "api_key.changed"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    TENANT_ACCESS_ENDED = "tenant.access_ended"
    QUOTA_CHANGED = "tenant.quota_changed"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_SIGNED_IN = "member.signed_in"
    BUDGET_SET = "budget.set"
    BUDGET_CHANGED = "budget.changed"
    BUDGET_REMOVED = "budget.removed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105  # the name of an action
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_REDELIVERED = "webhook.redelivered"
    MEMBER_DEACTIVATED = "member.deactivated"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105  # the name of an event
    SESSIONS_ENDED = "sessions.ended"
    TOKENS_GRANTED = "tokens.granted"
    TOKENS_REVOKED = "tokens.revoked"
    TOKENS_REUSED = "tokens.reused"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    SECOND_FACTOR_REFUSED = "second_factor.refused"
    RECOVERY_CODES_MADE = "recovery_codes.made"
    RECOVERY_CODE_USED = "recovery_code.used"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"


def record_event(
    *,
    action: AuditAction,
    actor: Principal,
    object_type: str,
    object_id: str | UUID,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one event to the scope's tenant trail.

    On PostgreSQL it takes no lock: the worker's sealer gives it its place a moment after the commit. On SQLite it is
    sealed here and now, so call it last in the transaction.
    Writes AuditEvent and AuditUnsealed, or what a seal writes. Raises PlatformError `audit_outside` outside a
    transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("An audit event is written with its change, in one transaction.", code="audit_outside")
    if now.tzinfo is None:
        raise PlatformError("An audit event needs an aware time.", code="audit_naive_time")
    tenant_id = current_tenant_id()
    if actor.tenant_id not in (None, tenant_id):  # the platform's operator has no tenant of its own
        raise CrossTenantWrite
    event = AuditEvent(
        tenant_id=tenant_id,
        event=str(action),
        actor_type=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:150],
        object_type=object_type,
        object_id=str(object_id),
        at=now.astimezone(UTC),  # as it comes back from the database, whose bytes are hashed again
        before=canonical_json(before or {}),
        after=canonical_json(after or {}),
        reason=reason,
        request_id=current_context().request_id,
    )
    event.leaf_hash = leaf_hash(event.content).hex()
    write_event(event)
    return event
