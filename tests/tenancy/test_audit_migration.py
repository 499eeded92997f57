"""A database of the days of the plain chain: it verifies after the migration, tampered ones stay so, and back again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tenancy.audit_verification import verify_audit
from tenancy.choices import ActorType
from tenancy.models import Tenant
from tests.people import Person
from tests.sealing import seal_now
from tests.tenancy.trails import place, write_events

BEFORE, AFTER = ("tenancy", "0011_second_factors_and_identities"), ("tenancy", "0014_audit_places_only")
_HASHED = ("event", "actor_type", "actor_id", "actor_name", "object_type", "object_id", "before", "after", "reason")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.harness]


def migrate(*targets: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


def leaves() -> list[tuple[str, str]]:
    return [node for node in MigrationExecutor(connection).loader.graph.leaf_nodes()]


@pytest.fixture
def old(db: None) -> Iterator[Any]:
    """The models of then, in a database of then; the newest schema is back afterwards."""
    apps = migrate(BEFORE)
    yield apps
    migrate(*leaves())


def chain(apps: Any, slug: str, count: int) -> UUID:
    """Write a tenant with a chain as the code of then wrote it."""
    tenant = apps.get_model("tenancy", "Tenant").objects.create(slug=slug, name=slug)
    previous, events = "0" * 64, apps.get_model("tenancy", "AuditEvent").objects
    for seq in range(1, count + 1):
        columns = dict.fromkeys(_HASHED, "x") | {"actor_type": str(ActorType.SYSTEM), "before": "{}", "after": "{}"}
        row: dict[str, Any] = {"id": uuid4(), "at": timezone.now(), "request_id": "r", **columns}
        body = {name: row[name] for name in (*_HASHED, "request_id")}
        body |= {"format": "claimwright-audit-1", "id": str(row["id"]), "tenant": str(tenant.id), "seq": seq}
        body |= {"at": row["at"].isoformat(timespec="microseconds"), "previous_hash": previous}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        link = hashlib.sha256(text.encode()).hexdigest()
        events.create(tenant_id=tenant.id, seq=seq, previous_hash=previous, hash=link, **row)
        previous = link
    apps.get_model("tenancy", "AuditHead").objects.create(tenant_id=tenant.id, seq=count, hash=previous)
    return UUID(str(tenant.id))


def raw(sql: str) -> None:
    from tenancy.migrations._first_audit_guard import guard_statements, lift_statements

    with connection.cursor() as cursor:
        for statement in (*lift_statements(connection.vendor), sql, *guard_statements(connection.vendor)):
            cursor.execute(statement)


def test_chains_of_today_verify_afterwards_and_go_on(old: Any) -> None:
    acme, borealis = chain(old, "acme", 300), chain(old, "borealis", 2)
    heads = dict(old.get_model("tenancy", "AuditHead").objects.values_list("tenant_id", "hash"))
    migrate(AFTER)
    migrate(*leaves())
    for tenant_id, count in ((acme, 300), (borealis, 2)):
        tenant = Tenant.objects.get(id=tenant_id)
        report = verify_audit(tenant)
        assert (report.ok, report.events, report.head_hash) == (True, count, heads[tenant_id])
    from tenancy.choices import Role
    from tests.people import make_person

    ada: Person = make_person(Tenant.objects.get(id=acme), "ada", Role.ANALYST)
    write_events(ada, 3)
    seal_now(acme)
    report = verify_audit(ada.tenant)
    assert (report.ok, report.events) == (True, 303)
    assert place(ada.tenant, 301).previous_hash == heads[acme]
    _back_and_forth(ada)


def _back_and_forth(ada: Person) -> None:
    apps = migrate(BEFORE)
    events = list(apps.get_model("tenancy", "AuditEvent").objects.filter(tenant_id=ada.tenant.id).order_by("seq"))
    assert [event.seq for event in events] == list(range(1, 304))
    assert all(later.previous_hash == event.hash for event, later in pairwise(events))
    head = apps.get_model("tenancy", "AuditHead").objects.get(tenant_id=ada.tenant.id)
    assert (head.seq, head.hash) == (303, events[-1].hash)
    migrate(*leaves())
    assert verify_audit(ada.tenant).ok


@pytest.mark.parametrize(
    ("sql", "kind", "seq"),
    [
        ("UPDATE tenancy_auditevent SET reason = 'y' WHERE seq = 3", "altered", 3),
        ("UPDATE tenancy_auditevent SET hash = 'x' WHERE seq = 3", "altered", 3),
        ("DELETE FROM tenancy_auditevent WHERE seq = 3", "missing", 3),
        ("DELETE FROM tenancy_auditevent WHERE seq > 6", "truncated", 7),
        ("UPDATE tenancy_audithead SET seq = 7", "altered", 7),
        ("DELETE FROM tenancy_audithead", "inserted", None),
    ],
)
def test_a_trail_that_was_tampered_with_before_stays_so(old: Any, sql: str, kind: str, seq: int | None) -> None:
    acme = chain(old, "acme", 8)
    raw(sql)
    migrate(*leaves())
    problem = verify_audit(Tenant.objects.get(id=acme)).problem
    assert problem is not None and problem.kind == kind
    assert seq is None or problem.seq == seq
