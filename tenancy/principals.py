"""Who acts: a person in a session, a person's API key, the system, or the AI."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenancy.choices import ActorType, Role, Scope, Tier
from tenancy.models import ApiKey, Membership, User
from tenancy.permissions import OPERATOR_SCOPES, role_scopes


@dataclass(frozen=True)
class Principal:
    """The acting party with everything that permission and audit need.

    `id` is the key's id for a key, the person's id for a session: idempotency and rate limits are per principal.
    `user_id` is the person behind it, who owns what the principal creates. `tier` and `requests_per_minute` (a key's
    own rate) bound how fast it may go. At most one of the last three is set: the row of the credential, by which
    `tenancy/standing.py` asks again before a long request is committed.
    """

    kind: ActorType
    id: str
    name: str
    tenant_id: UUID | None
    role: Role | None
    scopes: frozenset[Scope]
    user_id: UUID | None = None
    tier: Tier | None = None
    requests_per_minute: int | None = None
    key_id: UUID | None = None
    token_family_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def is_client(self) -> bool:
        """Whether the principal is on the claimant's side: sees own claims only, redacted."""
        return self.role == Role.CLIENT


def principal_of_membership(membership: Membership) -> Principal:
    """Return the person in the tenant of the membership (which has `user` and `tenant` loaded)."""
    role = Role(membership.role)
    user = membership.user
    return Principal(
        ActorType.HUMAN,
        str(user.id),
        str(user),
        membership.tenant_id,
        role,
        role_scopes(role),
        user_id=user.id,
        tier=Tier(membership.tenant.tier),
    )


def principal_of_key(key: ApiKey, role: Role) -> Principal:
    """Return the key (`tenant` and `user` loaded) with its holder's role of this moment; it never has more."""
    return Principal(
        ActorType.HUMAN,
        str(key.id),
        f"{key.user} (key {key.name})",
        key.tenant_id,
        role,
        role_scopes(role).intersection(key.scopes),
        user_id=key.user_id,
        tier=Tier(key.tenant.tier) if key.tenant else None,
        requests_per_minute=key.requests_per_minute,
        key_id=key.id,
    )


def principal_of_operator(user: User) -> Principal:
    """Return the platform's operator: operations alone, no tenant."""
    return Principal(ActorType.HUMAN, str(user.id), str(user), None, None, OPERATOR_SCOPES, user_id=user.id)


def principal_of_operator_key(key: ApiKey) -> Principal:
    """Return an operator's key as an acting party."""
    name = f"{key.user} (key {key.name})"
    scopes = OPERATOR_SCOPES.intersection(key.scopes)
    return Principal(ActorType.HUMAN, str(key.id), name, None, None, scopes, user_id=key.user_id, key_id=key.id)


def system_principal(*, tenant_id: UUID, name: str = "system") -> Principal:
    """Return the platform itself as an acting party in a tenant (timers, sweepers, commands)."""
    return Principal(ActorType.SYSTEM, name, name, tenant_id, None, frozenset())


def ai_principal(*, tenant_id: UUID, model: str) -> Principal:
    """Return the opinion engine as an acting party; it records opinions and has no scope to decide anything."""
    return Principal(ActorType.AI, model, model, tenant_id, None, frozenset())
