"""A trail of ten events, and the ways of somebody who owns the database: raw SQL after the guard is lifted."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, models, transaction
from django.utils import timezone

from tenancy.audit import TenancyAction, record_event
from tenancy.audit_guard import lift_statements
from tenancy.models import AuditEvent, AuditPlace, AuditSeal, Tenant
from tenancy.scope import every_tenant, tenant_scope
from tenancy.trail.format import leaf_hash, link_hash, seal_hash
from tenancy.trail.seals import note_of
from tenancy.trail.tree import root_of
from tests.people import Person
from tests.sealing import seal_now

EVENTS, PLACES, SEALS = "tenancy_auditevent", "tenancy_auditplace", "tenancy_auditseal"


def write_events(person: Person, count: int) -> None:
    with tenant_scope(person.tenant.id):
        for number in range(count):
            with transaction.atomic():
                record_event(
                    action=TenancyAction.TENANT_CHANGED,
                    actor=person.principal,
                    object_type="tenant",
                    object_id=person.tenant.id,
                    now=timezone.now(),
                    after={"n": number, "Ærø": "🚗", "share": 0.1},
                    reason='line one\r\nline "two"',
                )


def make_trail(person: Person, *, seals: int = 5) -> Tenant:
    """Write ten events of the person, two under each seal (on SQLite one), and lift the guard."""
    for _ in range(seals):
        write_events(person, 10 // seals)
        seal_now(person.tenant.id)
    lift_guard()
    return person.tenant


def lift_guard() -> None:
    for statement in lift_statements(connection.vendor):
        execute_ddl(statement)


def execute(sql: str, *parameters: Any) -> int:
    rows = sql.startswith(("INSERT", "UPDATE", "DELETE"))
    with connection.cursor() as cursor, every_tenant("tampering, past row-level security") if rows else nullcontext():
        cursor.execute(sql, parameters)
        changed: int = cursor.rowcount
        return changed


def execute_ddl(sql: str) -> None:
    if connection.vendor == "postgresql":  # no DDL while keys of earlier rows wait to be checked
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET CONSTRAINTS ALL DEFERRED")
    execute(sql)


def key(value: UUID) -> Any:
    """Return an id as the engine stores it."""
    return value.hex if connection.vendor == "sqlite" else value


def place(tenant: Tenant, seq: int) -> AuditPlace:
    with tenant_scope(tenant.id):
        found: AuditPlace = AuditPlace.objects.select_related("event").get(seq=seq)
        return found


def event(tenant: Tenant, seq: int) -> AuditEvent:
    return place(tenant, seq).event


def seal(tenant: Tenant, number: int) -> AuditSeal:
    with tenant_scope(tenant.id):
        found: AuditSeal = AuditSeal.objects.get(number=number)
        return found


def last_seal(tenant: Tenant) -> AuditSeal:
    with tenant_scope(tenant.id):
        found: AuditSeal = AuditSeal.objects.order_by("-number")[0]
        return found


def write_row(row: models.Model) -> None:
    """Write every column of a row, by its id, behind the program's back."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    columns = ", ".join(f"{field.column} = %s" for field in fields)
    assert execute(f"UPDATE {row._meta.db_table} SET {columns} WHERE id = %s", *values, key(row.pk)) == 1


def insert_row(row: models.Model) -> None:
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    columns = ", ".join(str(field.column) for field in fields)
    execute(f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})", *values)


def change_event(tenant: Tenant, seq: int, column: str, value: Any) -> None:
    assert execute(f"UPDATE {EVENTS} SET {column} = %s WHERE id = %s", value, key(event(tenant, seq).id)) == 1


def delete_event(tenant: Tenant, seq: int) -> None:
    gone = place(tenant, seq)
    execute(f"DELETE FROM {PLACES} WHERE id = %s", key(gone.id))
    execute(f"DELETE FROM {EVENTS} WHERE id = %s", key(gone.event_id))


def move_place(tenant: Tenant, old: int, new: int) -> None:
    execute(f"UPDATE {PLACES} SET seq = %s WHERE seq = %s AND tenant_id = %s", new, old, key(tenant.id))


def forge_after(tenant: Tenant, seq: int) -> tuple[AuditEvent, AuditPlace]:
    """Return an event made up to follow the one at `seq`, its hashes right, not yet in the database."""
    before, forged = place(tenant, seq), event(tenant, seq)
    forged.id, forged.reason = uuid4(), "never happened"
    leaf = leaf_hash(forged.content)
    forged.leaf_hash = leaf.hex()
    where = AuditPlace(
        id=uuid4(),
        tenant_id=tenant.id,
        event_id=forged.id,
        seq=seq + 1,
        previous_hash=before.hash,
        hash=link_hash(before.hash, leaf),
    )
    return forged, where


def replace_event(tenant: Tenant, seq: int) -> None:
    """Change an event and make every hash of its own right again."""
    there = place(tenant, seq)
    forged = there.event
    forged.reason = "never happened"
    leaf = leaf_hash(forged.content)
    forged.leaf_hash, there.hash = leaf.hex(), link_hash(there.previous_hash, leaf)
    write_row(forged)
    write_row(there)


def rechain(tenant: Tenant, start: int) -> None:
    """Make the chain right from `start` to its end, head included; the seals are left."""
    previous = place(tenant, start - 1).hash if start > 1 else "0" * 64
    seq = start
    while True:
        with tenant_scope(tenant.id):
            there = AuditPlace.objects.select_related("event").filter(seq=seq).first()
        if there is None:
            break
        there.previous_hash = previous
        there.hash = previous = link_hash(previous, bytes.fromhex(there.event.leaf_hash))
        write_row(there)
        seq += 1
    execute("UPDATE tenancy_audithead SET hash = %s WHERE tenant_id = %s", previous, key(tenant.id))


def reseal(tenant: Tenant) -> None:
    """Make all seals right for the events of now, as their owner without the signing key could; signatures are left."""
    with tenant_scope(tenant.id):
        leaves = [bytes.fromhex(p.event.leaf_hash) for p in AuditPlace.objects.select_related("event").order_by("seq")]
        seals = list(AuditSeal.objects.order_by("number"))
    previous = "0" * 64
    for one in seals:
        one.root, one.previous_hash = root_of(leaves[: one.size]).hex(), previous
        one.hash = previous = seal_hash(note_of(one), key_id=one.key_id, signature=one.signature)
        write_row(one)
    execute("UPDATE tenancy_audithead SET seal_hash = %s WHERE tenant_id = %s", previous, key(tenant.id))
