"""Which identity providers there are (from the environment), and which doors of a tenant are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from tenancy.models import Membership, Tenant
from tenancy.policy import policy_from
from tenancy.session_store import SIGN_IN
from tenancy.tiers import Feature, includes


@dataclass(frozen=True)
class SignOnProvider:
    """An OpenID Connect provider. One with a `tenant` (its slug) speaks for that tenant's people and for no other's."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    tenant: str = ""
    algorithm: str = "RS256"


@dataclass(frozen=True)
class Entrance:
    """How a person came in: by password, or by a provider that speaks for one tenant (id as text) or for none."""

    method: str = "password"
    tenant_id: str = ""

    @property
    def by_password(self) -> bool:
        return self.method == "password"


def providers() -> list[SignOnProvider]:
    """Return the configured providers."""
    entries: list[dict[str, Any]] = settings.OIDC_PROVIDERS
    return [SignOnProvider(**entry) for entry in entries]


def provider_of(tenant: Tenant) -> SignOnProvider | None:
    """Return the provider that speaks for the tenant, if it has one."""
    return next((provider for provider in providers() if provider.tenant == tenant.slug), None)


def requires_sign_on(tenant: Tenant) -> bool:
    """Whether passwords do not open the tenant. It stays so when the provider is gone: closed, not open."""
    return policy_from(tenant.settings).sso_required and includes(tenant.tier, Feature.SINGLE_SIGN_ON)


def opens(entrance: Entrance, tenant: Tenant) -> bool:
    """Whether who came in this way may work in the tenant (being its member is asked elsewhere).

    A tenant's own provider vouches for that tenant's people there and nowhere else, or one tenant's provider could
    send its own people into another.
    """
    if not entrance.by_password and not includes(tenant.tier, Feature.SINGLE_SIGN_ON):
        return False
    if entrance.tenant_id:
        return entrance.tenant_id == str(tenant.id)
    return not requires_sign_on(tenant)


def entrance_of(request: HttpRequest) -> Entrance:
    """Return how the session's person came in."""
    facts = request.session.get(SIGN_IN) or {}
    return Entrance(facts.get("method", "password"), facts.get("tenant", ""))


def reachable(memberships: list[Membership], entrance: Entrance) -> list[Membership]:
    """Return the memberships (tenants loaded) that this way in opens."""
    return [membership for membership in memberships if opens(entrance, membership.tenant)]
