"""Who may use which address, found out by asking: every address of the resolver, every verb, every role.

What people have agreed to is kept in `permissions.txt`; `test_permissions.py` compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tenancy.choices import Role
from tenancy.models import User
from tests.people import PASSWORD, make_person, make_tenant

GOLDEN = Path(__file__).with_name("permissions.txt")
OPERATOR = "OPERATOR"
ROLES = (*(str(role) for role in Role), OPERATOR)
_VERBS = ("get", "post", "put", "patch", "delete")
# What an operator may write in the admin is a table of its own (`tenancy/admin_permissions.py`, with its own test).
_ADMIN_VERBS = ("get",)
_SAMPLES = {"UUIDConverter": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22", "IntConverter": "1"}
# What everybody may ask for, signed in or not; `test_strangers` tells why each is public.
PUBLIC = frozenset(
    {
        "",
        "sign-in/",
        "sign-out/",
        "health",
        "health/live",
        "health/ready",
        "metrics",
        "api/v1/schema",
        "api/v1/docs",
        "api/v1/redoc",
        "admin/logout/",
        "favicon.ico",
    }
)


@dataclass(frozen=True)
class Address:
    """One route as `urls.py` writes it, and a path that reaches it with ids that nothing has."""

    route: str
    path: str


def addresses() -> list[Address]:
    """Return every address of the product, except the public ones and the admin's pages of one row.

    For a row that is not there Django's admin answers before it asks for the right; `tests/tenancy/test_admin*.py`
    look at rows that are.
    """
    found = {address.route: address for address in _walk(get_resolver().url_patterns, "", "/")}
    return [found[route] for route in sorted(found) if route not in PUBLIC and "<path:object_id>" not in route]


def _walk(patterns: list[URLPattern | URLResolver], route: str, path: str) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern).removeprefix("^").removesuffix("$")
        filled = str(pattern.pattern).removeprefix("^").removesuffix("$")
        for name, converter in getattr(pattern.pattern, "converters", {}).items():
            kind = type(converter).__name__
            for spelled in (f"<{_word(kind)}:{name}>", f"<{name}>"):
                filled = filled.replace(spelled, _SAMPLES.get(kind, "x"))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here, path + filled)
        elif "(?P" not in here:
            yield Address(here, path + filled)


def _word(kind: str) -> str:
    return kind.removesuffix("Converter").lower().replace("string", "str")


def signed_in_everyone() -> dict[str, Client]:
    """Return one signed-in browser per role of a tenant, and the platform's operator's."""
    tenant = make_tenant("matrix")
    people = {str(role): make_person(tenant, f"matrix-{role.lower()}", role).browser() for role in Role}
    operator = Client(raise_request_exception=False)
    operator.force_login(User.objects.create_user(username="matrix-operator", password=PASSWORD, is_operator=True))
    return people | {OPERATOR: operator}


def lets_in(answer: HttpResponse) -> bool:
    """Tell whether the door was open: what stood behind it (no such object, a bad body) does not matter here."""
    if answer.status_code in {301, 302}:
        return "sign-in" not in answer["Location"] and "/login/" not in answer["Location"]
    return answer.status_code not in {401, 403}


def roles_let_in(address: Address, everyone: dict[str, Client]) -> dict[str, list[str]]:
    """Return, for each verb that lets anybody in, the roles that it lets in."""
    verbs = _ADMIN_VERBS if address.route.startswith("admin/") else _VERBS
    return {verb.upper(): roles for verb in verbs if (roles := _roles_of(verb, address.path, everyone))}


def _roles_of(verb: str, path: str, everyone: dict[str, Client]) -> list[str]:
    let_in = []
    for role, client in sorted(everyone.items(), key=lambda named: named[0] != Role.ADMIN):
        answer = getattr(client, verb)(path)
        if answer.status_code == 405:  # no such verb: that is the same for everybody who may come in
            return []
        if lets_in(answer):
            let_in.append(role)
    return [role for role in everyone if role in let_in]
