"""The demo tenants and their people, with credentials that still work the next time."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from claims.models import Coverage, Policy
from config.quickstart.ground import write_private
from tenancy.choices import Role, Scope, Tier
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, Membership, Tenant, User
from tenancy.permissions import role_scopes
from tenancy.scope import tenant_scope


@dataclass
class UserCredential:
    username: str
    password: str
    role: str


@dataclass
class TenantCredentials:
    id: str
    api_keys: dict[str, str] = field(default_factory=dict)
    users: dict[str, UserCredential] = field(default_factory=dict)


@dataclass
class OperatorCredential:
    api_key: str
    username: str
    password: str


@dataclass
class Credentials:
    """Everything that a person or a program needs to get in; kept in the data folder, readable by its owner alone."""

    operator: OperatorCredential
    tenants: dict[str, TenantCredentials]


@dataclass(frozen=True)
class _Member:
    name: str
    username: str
    full_name: tuple[str, str]
    role: Role
    key: str = ""


@dataclass(frozen=True)
class _DemoTenant:
    slug: str
    name: str
    tier: Tier
    settings: dict[str, object]
    members: tuple[_Member, ...]


# `low_priority_without_model` is off by default; Borealis shows what it does.
_TENANTS = (
    _DemoTenant(
        "acme",
        "Acme Insurance",
        Tier.PROFESSIONAL,
        {"jurisdiction": "GB"},
        (
            _Member("ada", "ada", ("Ada", "Okafor"), Role.ANALYST, "analyst"),
            _Member("sam", "sam", ("Sam", "Lindqvist"), Role.SUPERVISOR),
            _Member("audrey", "audrey", ("Audrey", "Moreau"), Role.AUDITOR),
            _Member("cleo", "cleo", ("Cleo", "Barnes"), Role.CLIENT, "client"),
            _Member("admin", "acme-admin", ("Adam", "Kowalski"), Role.ADMIN, "admin"),
        ),
    ),
    _DemoTenant(
        "borealis",
        "Borealis Mutual",
        Tier.BASIC,
        {"jurisdiction": "DE", "low_priority_without_model": True},
        (
            _Member("zoe", "zoe", ("Zoe", "Fontaine"), Role.ANALYST, "analyst"),
            _Member("bo", "bo", ("Bo", "Jensen"), Role.SUPERVISOR),
            _Member("nils", "nils", ("Nils", "Berg"), Role.CLIENT, "client"),
            _Member("admin", "borealis-admin", ("Brigitte", "Haas"), Role.ADMIN, "admin"),
        ),
    ),
)


def make_people(data_dir: Path) -> Credentials:
    """Create what is missing and return credentials that work. Existing people keep their rows.

    A credential that was lost with its file is replaced by a new one. Writes users, memberships, keys, policies.
    """
    path = data_dir / "credentials.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    with transaction.atomic():
        operator = _operator(known.get("operator", {}))
        tenants = {spec.slug: _tenant(spec, known.get("tenants", {}).get(spec.slug, {})) for spec in _TENANTS}
    credentials = Credentials(operator, tenants)
    write_private(path, json.dumps(asdict(credentials), indent=2), replace=True)
    return credentials


def _operator(known: dict[str, str]) -> OperatorCredential:
    user, _ = User.objects.get_or_create(
        username="operator",
        defaults={"is_operator": True, "is_staff": True, "first_name": "Olu", "last_name": "Operator"},
    )
    password = _working_password(user, known.get("password", ""))
    key = _working_key(user, None, "quickstart", [Scope.OPS], known.get("api_key", ""))
    return OperatorCredential(key, user.username, password)


def _tenant(spec: _DemoTenant, known: dict[str, dict[str, object]]) -> TenantCredentials:
    tenant, _ = Tenant.objects.get_or_create(
        slug=spec.slug, defaults={"name": spec.name, "tier": spec.tier, "settings": spec.settings}
    )
    credentials = TenantCredentials(str(tenant.id))
    known_users, known_keys = known.get("users", {}), known.get("api_keys", {})
    for member in spec.members:
        first, last = member.full_name
        user, _ = User.objects.get_or_create(
            username=member.username,
            defaults={"first_name": first, "last_name": last, "is_staff": member.role == Role.ADMIN},
        )
        Membership.objects.get_or_create(tenant=tenant, user=user, defaults={"role": member.role})
        old = known_users.get(member.name)
        password = _working_password(user, str(old.get("password", "")) if isinstance(old, dict) else "")
        credentials.users[member.name] = UserCredential(user.username, password, member.role)
        if member.key:
            scopes = sorted(role_scopes(member.role))
            credentials.api_keys[member.key] = _working_key(
                user, tenant, f"quickstart {member.key}", scopes, str(known_keys.get(member.key, ""))
            )
    _policies(tenant)
    return credentials


def _working_password(user: User, known: str) -> str:
    if known and user.check_password(known):
        return known
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def _working_key(user: User, tenant: Tenant | None, name: str, scopes: list[Scope], known: str) -> str:
    live = ApiKey.objects.filter(secret_sha256=secret_hash(known), revoked_at__isnull=True, expires_at__isnull=True)
    if known and live.exists():
        return known
    secret = make_secret()
    ApiKey.objects.create(
        tenant=tenant,
        user=user,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=[str(scope) for scope in scopes],
        created_at=timezone.now(),
    )
    return secret


def _policies(tenant: Tenant) -> None:
    holders = (
        ("1001", "Cleo Barnes", "LK19 XPR"),
        ("1002", "Rowan Ellis", "BD21 FHN"),
        ("1003", "Mina Sato", "YC68 TWE"),
    )
    with tenant_scope(tenant.id):
        for number, holder, plate in holders:
            policy, fresh = Policy.objects.get_or_create(
                policy_number=f"{tenant.slug.upper()}-{number}",
                defaults={
                    "holder_name": holder,
                    "vehicle_plate": plate,
                    "effective_on": date(2026, 1, 1),
                    "expires_on": date(2027, 12, 31),
                },
            )
            if fresh:
                Coverage.objects.create(
                    policy=policy,
                    kind="own damage",
                    limit_amount=Decimal("25000.00"),
                    deductible_amount=Decimal("300.00"),
                    currency="EUR" if tenant.slug == "borealis" else "GBP",
                )
