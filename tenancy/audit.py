"""The only writer of audit events: a per-tenant hash chain, written in the transaction of the change it tells of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from observability.context import current_context
from observability.errors import PlatformError
from tenancy.errors import CrossTenantWrite
from tenancy.models import AuditEvent, AuditHead
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id

GENESIS_HASH = "0" * 64
# Hashed with every event, so that a later format cannot be mistaken for this one.
_FORMAT = "claimwright-audit-1"


class AuditAction(StrEnum):
    """Base of every floor's catalogue of auditable actions."""


class TenancyAction(AuditAction):
    API_KEY_CREATED = "api_key.created"
    API_KEY_CHANGED = "api_key.changed"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    QUOTA_CHANGED = "tenant.quota_changed"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_SIGNED_IN = "member.signed_in"
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
    """Append one event to the scope's tenant chain. Call it last in the transaction: it locks the chain's head.

    Writes AuditEvent and AuditHead. Raises PlatformError `audit_outside` without a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("An audit event is written with its change, in one transaction.", code="audit_outside")
    if now.tzinfo is None:
        raise PlatformError("An audit event needs an aware time.", code="audit_naive_time")
    tenant_id = current_tenant_id()
    if actor.tenant_id not in (None, tenant_id):  # the platform's operator has no tenant of its own
        raise CrossTenantWrite
    head = _locked_head(tenant_id)
    event = AuditEvent(
        tenant_id=tenant_id,
        seq=head.seq + 1,
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
        previous_hash=head.hash,
    )
    event.hash = event_hash(event)
    event.save()
    AuditHead.objects.filter(id=head.id).update(seq=event.seq, hash=event.hash)
    return event


def _locked_head(tenant_id: UUID) -> AuditHead:
    head: AuditHead | None = AuditHead.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if head is None:
        # Two first events at once: the unique constraint lets one insert through, the other waits and locks it.
        AuditHead.objects.bulk_create([AuditHead(tenant_id=tenant_id, seq=0, hash=GENESIS_HASH)], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(tenant_id=tenant_id)
    return head


def event_hash(event: AuditEvent, *, seq: int | None = None) -> str:
    """Return the SHA-256 over every stored column of the event and the hash before it, in a canonical order.

    `seq` asks for the hash the event would have at another place of the chain.
    """
    body = {
        "format": _FORMAT,
        "id": str(event.id),
        "tenant": str(event.tenant_id),
        "seq": event.seq if seq is None else seq,
        "event": event.event,
        "actor_type": str(event.actor_type),
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        "request_id": event.request_id,
        "previous_hash": event.previous_hash,
    }
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def canonical_json(value: Mapping[str, object]) -> str:
    """Return JSON with sorted keys and no spaces; times, ids and decimals as text. Other types raise TypeError."""
    return _encoder.encode(value)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot stand in an audit event")


# Made once: `json.dumps` would build one for each of a verification's events.
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)


def current_tenant_head() -> tuple[int, str]:
    """Return (seq, hash) of the scope's tenant chain; (0, genesis) before the first event."""
    head = AuditHead.objects.filter(tenant_id=current_tenant_id()).first()
    return (head.seq, head.hash) if head else (0, GENESIS_HASH)
