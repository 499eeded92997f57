"""Knowing who asks, and what their role lets them see, costs a list at most two queries, however many rows it has."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tenancy.authentication import ApiKeyAuthentication, principal_for_secret
from tenancy.choices import Role
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, User
from tenancy.permissions import OPERATOR_SCOPES
from tests.house.source import ROOT
from tests.isolation.crawl import Address, addresses
from tests.isolation.world import make_world
from tests.people import make_key, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("uncounted")]
MOST = 2


def lists_of_the_contract() -> set[str]:
    """Return the addresses whose answer has `items`, as the contract tells."""
    contract = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))
    schemas, found = contract["components"]["schemas"], set()
    for path, verbs in contract["paths"].items():
        content = verbs.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        named = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        if named.get("properties", {}).get("items", {}).get("type") == "array":
            found.add(path)
    return found


def operators_key() -> str:
    secret = make_secret()
    user = User.objects.create_user(username="operator", is_operator=True)
    ApiKey.objects.create(
        user=user,
        name="test",
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=sorted(OPERATOR_SCOPES),
        created_at=timezone.now(),
    )
    return secret


def queries(client: APIClient, path: str) -> int:
    """Return how many queries the answer takes when it was asked for before (a key's last use is then written)."""
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    return len(asked)


def test_a_role_costs_a_list_at_most_two_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    others = [make_person(world.owner.tenant, f"of-{role}", role) for role in (Role.SUPERVISOR, Role.ADMIN)]
    keys = [*(make_key(person) for person in (world.owner, *others)), operators_key()]
    dear: list[str] = []
    seen: set[str] = set()
    for address in addresses():
        for secret in keys:
            cost = _cost_of_role(address, secret, world.ids, monkeypatch)
            if cost is None:
                continue
            seen.add(contract_form(address))
            dear += [address.template] if cost > MOST else []
            break
    assert dear == []
    assert lists_of_the_contract() - seen == set()


def contract_form(address: Address) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address.template)


def _cost_of_role(address: Address, secret: str, ids: Any, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """Return what knowing the principal adds; None where the key is not let in or the address is no list."""
    if not address.template.startswith("/api/"):
        return None
    client, path = APIClient(raise_request_exception=False), address.at(ids)
    client.credentials(HTTP_X_API_KEY=secret)
    answer = client.get(path)
    if answer.status_code != 200 or answer.streaming or b'"items"' not in answer.content:
        return None
    known_by_key = queries(client, path)
    key, principal = principal_for_secret(secret=secret, now=timezone.now())
    with monkeypatch.context() as patched:
        patched.setattr(ApiKeyAuthentication, "authenticate", lambda *_: (key.user, principal))
        return known_by_key - queries(client, path)
