from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from observability.errors import PlatformError
from tenancy.audit import TenancyAction, record_event
from tenancy.audit_guard import missing_triggers
from tenancy.audit_verification import verify_audit
from tenancy.errors import CrossTenantWrite, MissingTenantScope
from tenancy.models import AuditEvent, AuditNode, AuditPlace
from tenancy.scope import every_tenant, tenant_scope
from tenancy.trail.format import leaf_hash
from tenancy.trail.sealing import seal_events
from tests.people import Person
from tests.sealing import seal_now


def test_record_event_chains_each_event_to_the_one_before(ada: Person) -> None:
    with tenant_scope(ada.tenant.id):
        for number in range(3):
            with transaction.atomic():
                record_event(
                    action=TenancyAction.TENANT_CHANGED,
                    actor=ada.principal,
                    object_type="tenant",
                    object_id=ada.tenant.id,
                    now=timezone.now(),
                    after={"n": number},
                )
    seal_now(ada.tenant.id)
    with tenant_scope(ada.tenant.id):
        places = list(AuditPlace.objects.order_by("seq"))
    assert [p.seq for p in places] == [1, 2, 3]
    assert [p.previous_hash for p in places] == ["0" * 64, places[0].hash, places[1].hash]


@pytest.mark.django_db(transaction=True)
def test_record_event_refuses_to_run_outside_a_transaction(ada: Person) -> None:
    with tenant_scope(ada.tenant.id), pytest.raises(PlatformError, match="one transaction"):
        record_event(
            action=TenancyAction.TENANT_CHANGED,
            actor=ada.principal,
            object_type="tenant",
            object_id=ada.tenant.id,
            now=timezone.now(),
        )


def record(person: Person, **columns: Any) -> AuditEvent:
    with transaction.atomic():
        return record_event(
            **{
                "action": TenancyAction.TENANT_CHANGED,
                "actor": person.principal,
                "object_type": "tenant",
                "object_id": person.tenant.id,
                "now": timezone.now(),
                **columns,
            }
        )


def test_record_event_hashes_what_the_database_gives_back(ada: Person) -> None:
    tokyo = timezone.now().astimezone(ZoneInfo("Asia/Tokyo"))
    with tenant_scope(ada.tenant.id):
        written = record(ada, now=tokyo, after={"money": Decimal("1.10"), "at": tokyo, "share": 1e-7})
        read = AuditEvent.objects.get(id=written.id)
    assert leaf_hash(read.content).hex() == read.leaf_hash == written.leaf_hash


def test_record_event_refuses_an_actor_of_another_tenant(ada: Person, zoe: Person) -> None:
    with tenant_scope(ada.tenant.id), pytest.raises(CrossTenantWrite):
        record(ada, actor=zoe.principal)


def test_record_event_needs_one_tenant_in_scope(ada: Person, zoe: Person) -> None:
    with every_tenant("test"), pytest.raises(MissingTenantScope):
        record(ada)


def test_record_event_refuses_a_time_without_a_zone(ada: Person) -> None:
    with tenant_scope(ada.tenant.id), pytest.raises(PlatformError):
        record(ada, now=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: AuditEvent.objects.all().delete(),
        lambda event: AuditEvent.objects.filter(id=event.id).update(reason="x"),
        lambda event: AuditEvent.objects.bulk_update([event], ["reason"]),
        lambda event: AuditEvent.objects.bulk_create([AuditEvent(event="x")]),
        lambda event: AuditEvent.objects.update_or_create(id=event.id, defaults={"reason": "x"}),
    ],
)
def test_history_cannot_be_rewritten_by_the_orm(ada: Person, rewrite: Callable[[AuditEvent], object]) -> None:
    with tenant_scope(ada.tenant.id):
        event = record(ada)
        with pytest.raises(PlatformError) as caught:
            rewrite(event)
        assert caught.value.code == "audit_append_only"
        assert AuditEvent.objects.get().leaf_hash == event.leaf_hash


TRAIL = ("event", "place", "seal", "node", "head")
RAW = [
    "UPDATE tenancy_auditevent SET reason = 'x'",
    "UPDATE tenancy_auditplace SET seq = 9",
    "UPDATE tenancy_auditseal SET root = 'x'",
    "UPDATE tenancy_auditnode SET hash = 'x'",
    "UPDATE tenancy_audithead SET seq = 0",
    "UPDATE tenancy_audithead SET hash = 'x'",
    "UPDATE tenancy_audithead SET seq = seq + 2, seal_number = seal_number + 2",
    *(f"DELETE FROM tenancy_audit{table}" for table in TRAIL),
]
RAW_SQLITE = [
    *(f"INSERT OR REPLACE INTO tenancy_audit{table} SELECT * FROM tenancy_audit{table}" for table in TRAIL),
    "UPDATE OR REPLACE tenancy_auditplace SET seq = 2",
]
RAW_POSTGRES = [
    *(f"TRUNCATE tenancy_audit{table} CASCADE" for table in TRAIL),
    "TRUNCATE tenancy_tenant CASCADE",
    "SET LOCAL session_replication_role = replica; DELETE FROM tenancy_auditplace",
    "INSERT INTO tenancy_auditevent SELECT * FROM tenancy_auditevent ON CONFLICT (id) DO UPDATE SET reason = 'x'",
    "MERGE INTO tenancy_auditseal s USING tenancy_auditseal o ON s.id = o.id WHEN MATCHED THEN DELETE",
]


@pytest.mark.parametrize("sql", RAW + (RAW_SQLITE if connection.vendor == "sqlite" else RAW_POSTGRES))
def test_history_cannot_be_rewritten_by_raw_sql(ada: Person, sql: str) -> None:
    with tenant_scope(ada.tenant.id):
        event = record(ada)
        AuditNode.objects.insert_all([AuditNode(level=8, position=0, hash="0" * 64)])
        seal_now(ada.tenant.id)
        # A superuser meets the trigger (it is ENABLE ALWAYS); the application's role may not even ask for replica mode.
        refused = "append-only|permission denied to set parameter" if "replica" in sql else "append-only"
        with pytest.raises(DatabaseError, match=refused), transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # no TRUNCATE while keys of earlier rows wait to be checked
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(sql)
        assert AuditEvent.objects.get().leaf_hash == event.leaf_hash


def test_the_guard_is_there_after_all_migrations(db: None) -> None:
    assert missing_triggers() == []


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain(ada: Person) -> None:
    def write(_number: int) -> None:
        try:
            with tenant_scope(ada.tenant.id):
                record(ada)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    if connection.vendor == "postgresql":
        assert seal_events(now=timezone.now() + timedelta(minutes=1)) == 40
    report = verify_audit(ada.tenant)
    assert report.ok and report.events == 40 and report.awaiting_seal == 0
