"""The people of the tests: Ada and Sam work at Acme, Cleo is Acme's client, Zoe at Borealis must see nothing of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tenancy.choices import Role, Tier
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, Membership, Tenant, User
from tenancy.permissions import role_scopes
from tenancy.principals import Principal, principal_of_membership
from tenancy.scope import outside_any_tenant

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    """A member with everything a test needs to act as them."""

    user: User
    tenant: Tenant
    role: Role

    @property
    def principal(self) -> Principal:
        with outside_any_tenant():  # whatever tenant the test works in
            membership = Membership.objects.select_related("user", "tenant").get(user=self.user, tenant=self.tenant)
            return principal_of_membership(membership)

    def api(self) -> APIClient:
        """Return an API client with a fresh key of this person."""
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_X_API_KEY=make_key(self))
        return client

    def browser(self) -> Client:
        """Return a signed-in browser without JavaScript."""
        client = Client(raise_request_exception=False)
        client.force_login(self.user)
        return client


@dataclass(frozen=True)
class Operator:
    """Who runs the platform: no tenant, and no tenant's data."""

    user: User

    def browser(self) -> Client:
        """Return a signed-in browser without JavaScript."""
        client = Client(raise_request_exception=False)
        client.force_login(self.user)
        return client


def make_operator(username: str = "olga") -> Operator:
    return Operator(User.objects.create_user(username=username, password=PASSWORD, is_operator=True))


def make_tenant(slug: str = "acme") -> Tenant:
    return Tenant.objects.create(slug=slug, name=f"{slug.title()} Insurance", tier=Tier.PROFESSIONAL)


def make_person(tenant: Tenant, username: str, role: Role) -> Person:
    user = User.objects.create_user(username=username, password=PASSWORD, first_name=username.title())
    with outside_any_tenant():
        Membership.objects.create(tenant=tenant, user=user, role=role)
    return Person(user, tenant, role)


def make_key(person: Person, *, scopes: list[str] | None = None) -> str:
    """Return the secret of a fresh key with the given (default: all of the role's) scopes."""
    secret = make_secret()
    with outside_any_tenant():
        ApiKey.objects.create(
            tenant=person.tenant,
            user=person.user,
            name="test",
            prefix=secret[:PREFIX_LENGTH],
            secret_sha256=secret_hash(secret),
            scopes=scopes if scopes is not None else sorted(role_scopes(person.role)),
            created_at=timezone.now(),
        )
    return secret
