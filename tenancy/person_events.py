"""Tells the trails about a person's own credentials: what happened to them concerns each tenant the person works in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from tenancy.audit import AuditAction, record_event
from tenancy.models import Membership, User
from tenancy.principals import Principal, principal_of_membership
from tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)


def record_person_event(
    action: AuditAction,
    user: User,
    *,
    now: datetime,
    actor: Principal | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """Append the event to the trail of each of the person's tenants, in one order, so that two never wait crosswise.

    Without an actor the person acted. Who works in no tenant (the platform's operator) leaves a log line instead.
    """
    memberships = list(Membership.objects.select_related("user").filter(user=user).order_by("tenant_id"))
    if not memberships:
        log.info("person_event", action=str(action), user_id=str(user.id), reason=reason)
    for membership in memberships:
        with tenant_scope(membership.tenant_id):
            record_event(
                action=action,
                actor=actor or principal_of_membership(membership),
                object_type="user",
                object_id=user.id,
                now=now,
                after=after,
                reason=reason,
            )
