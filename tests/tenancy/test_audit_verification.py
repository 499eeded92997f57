"""Each way to rewrite history, done by raw SQL after the guard is lifted, is named with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from tenancy import audit_verification
from tenancy.audit import TenancyAction, event_hash, record_event
from tenancy.audit_guard import guard_statements, lift_statements
from tenancy.audit_verification import (
    AuditProblem,
    AuditReport,
    ProblemKind,
    register_audit_cross_check,
    verify_audit,
)
from tenancy.models import AuditEvent, Tenant
from tenancy.scope import tenant_scope
from tests.people import Person

TABLE = "tenancy_auditevent"


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
                    reason="line one\r\nline two",
                )


@pytest.fixture
def trail(ada: Person) -> Iterator[Tenant]:
    """Ten events of Acme with the guard lifted, as a database's owner could do."""
    write_events(ada, 10)
    with connection.cursor() as cursor:
        for statement in lift_statements(connection.vendor):
            cursor.execute(statement)
    yield ada.tenant


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # no DDL while keys of earlier rows wait to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, parameters)


def verdict(tenant: Tenant) -> tuple[ProblemKind, int | None]:
    problem = verify_audit(tenant).problem
    assert problem is not None
    return problem.kind, problem.seq


def event(tenant: Tenant, seq: int) -> AuditEvent:
    with tenant_scope(tenant.id):
        found: AuditEvent = AuditEvent.objects.get(seq=seq)
        return found


def write_row(row: AuditEvent) -> None:
    """Insert or replace the row by raw SQL."""
    columns = [f.attname for f in AuditEvent._meta.concrete_fields]
    values = [f.get_db_prep_save(getattr(row, f.attname), connection) for f in AuditEvent._meta.concrete_fields]
    execute(f"DELETE FROM {TABLE} WHERE id = %s", AuditEvent._meta.pk.get_db_prep_save(row.id, connection))
    execute(
        f"INSERT INTO {TABLE} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        *values,
    )


def change_seq(old: int, new: int) -> None:
    execute(f"UPDATE {TABLE} SET seq = %s WHERE seq = %s", new, old)


def test_an_untouched_trail_is_ok(ada: Person, zoe: Person) -> None:
    write_events(ada, 3)
    write_events(zoe, 2)
    report = verify_audit(ada.tenant)
    assert report == AuditReport("acme", 3, 3, event(ada.tenant, 3).hash, None, [])
    assert verify_audit(zoe.tenant).ok


def test_a_tenant_without_events_is_ok(acme: Tenant) -> None:
    assert verify_audit(acme) == AuditReport("acme", 0, 0, "0" * 64, None, [])


def test_a_trail_longer_than_a_chunk_is_read_to_its_end(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_verification, "_CHUNK", 4)
    write_events(ada, 9)
    assert verify_audit(ada.tenant).events == 9


@pytest.mark.parametrize("seq", [1, 5, 10])
@pytest.mark.parametrize(
    "column",
    [
        *("event", "actor_type", "actor_id", "actor_name", "object_type"),
        *("object_id", "before", "after", "reason", "request_id", "hash"),
    ],
)
def test_one_changed_byte_is_found(trail: Tenant, column: str, seq: int) -> None:
    execute(f"UPDATE {TABLE} SET {column} = 'x' WHERE seq = %s", seq)
    assert verdict(trail) == ("altered", seq)


def test_a_moved_time_is_found(trail: Tenant) -> None:
    moved = event(trail, 4)
    moved.at = moved.at.replace(year=2020)
    write_row(moved)
    assert verdict(trail) == ("altered", 4)


@pytest.mark.parametrize("seq", [1, 4, 10])
def test_a_changed_event_with_a_fresh_hash_is_found(trail: Tenant, seq: int) -> None:
    forged = event(trail, seq)
    forged.reason = "never happened"
    forged.hash = event_hash(forged)
    write_row(forged)
    assert verdict(trail) == ("altered", seq)


@pytest.mark.parametrize("seq", [1, 5])
def test_a_deleted_event_is_found(trail: Tenant, seq: int) -> None:
    execute(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
    assert verdict(trail) == ("missing", seq)


@pytest.mark.parametrize("seq", [1, 5, 9])
def test_a_deleted_event_is_found_when_the_later_ones_move_up(trail: Tenant, seq: int) -> None:
    execute(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
    for later in range(seq + 1, 11):
        change_seq(later, later - 1)
    execute("UPDATE tenancy_audithead SET seq = 9")
    assert verdict(trail) == ("missing", seq)


@pytest.mark.parametrize("kept", [0, 1, 9])
def test_a_cut_tail_is_found(trail: Tenant, kept: int) -> None:
    execute(f"DELETE FROM {TABLE} WHERE seq > %s", kept)
    assert verdict(trail) == ("truncated", kept + 1)


@pytest.mark.parametrize(("first", "second"), [(4, 5), (2, 9), (1, 2), (1, 10)])
def test_two_exchanged_events_are_found(trail: Tenant, first: int, second: int) -> None:
    change_seq(first, 1_000)
    change_seq(second, first)
    change_seq(1_000, second)
    assert verdict(trail) == ("reordered", first)


def forged_after(trail: Tenant, seq: int) -> AuditEvent:
    """Return an event made up to follow the one at `seq`, with right hashes of its own."""
    before, forged = event(trail, seq), event(trail, seq)
    forged.id, forged.seq, forged.previous_hash = uuid4(), seq + 1, before.hash
    forged.hash = event_hash(forged)
    return forged


@pytest.mark.parametrize("seq", [1, 5, 9])
def test_an_event_put_between_is_found(trail: Tenant, seq: int) -> None:
    forged = forged_after(trail, seq)
    for later in range(10, seq, -1):
        change_seq(later, later + 1)
    write_row(forged)
    execute("UPDATE tenancy_audithead SET seq = 11")
    assert verdict(trail) == ("inserted", seq + 1)


def test_an_event_added_at_the_end_is_found(trail: Tenant) -> None:
    write_row(forged_after(trail, 10))
    assert verdict(trail) == ("inserted", 11)


def test_an_event_with_a_number_twice_is_found(trail: Tenant) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite cannot drop a constraint without rebuilding the table")
    execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT audit_seq_once")
    forged = forged_after(trail, 4)
    write_row(forged)
    kind, seq = verdict(trail)
    assert (kind, seq) in {("inserted", 5), ("altered", 5)}


def test_a_lost_head_is_found(trail: Tenant) -> None:
    execute("DELETE FROM tenancy_audithead")
    assert verdict(trail) == ("inserted", 1)


def test_a_head_set_back_is_found(trail: Tenant) -> None:
    execute("UPDATE tenancy_audithead SET seq = 7, hash = %s", event(trail, 7).hash)
    assert verdict(trail) == ("inserted", 8)


def test_an_event_moved_to_another_tenant_is_found(trail: Tenant, zoe: Person) -> None:
    moved = event(trail, 5)
    moved.tenant_id = zoe.tenant.id
    write_row(moved)
    assert verdict(trail) == ("missing", 5)
    assert verdict(zoe.tenant) == ("inserted", 5)


def test_a_lifted_guard_is_told(trail: Tenant) -> None:
    report = verify_audit(trail)
    assert report.ok and "audit_event_no_update" in report.missing_triggers
    for statement in guard_statements(connection.vendor):
        execute(statement)
    assert verify_audit(trail).missing_triggers == []


def test_a_cross_check_of_another_floor_is_asked(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_verification, "_cross_checks", {})
    write_events(ada, 1)
    register_audit_cross_check("test", lambda: [AuditProblem(ProblemKind.MISSING, "decision 7 has no event")])
    assert verify_audit(ada.tenant).problem == AuditProblem(ProblemKind.MISSING, "decision 7 has no event")


def run(*arguments: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("verify_audit", *arguments, stdout=out)
    except SystemExit as stop:
        code = int(stop.code or 0)
    except CommandError as problem:
        code = problem.returncode
    return code, out.getvalue()


def test_the_command_is_green(ada: Person, zoe: Person) -> None:
    write_events(ada, 2)
    code, text = run()
    assert code == 0
    assert text.splitlines()[0].startswith("acme: 2 events, ok, head ")
    assert text.splitlines()[1].startswith("borealis: 0 events, ok")


def test_the_command_is_red_and_names_the_event(trail: Tenant) -> None:
    execute(f"UPDATE {TABLE} SET reason = 'x' WHERE seq = 3")
    code, text = run("--tenant", "acme")
    assert code == 1 and f"ALTERED at 3 (event {event(trail, 3).id})" in text
    code, text = run("--json")
    document = json.loads(text)
    assert code == 1 and document["ok"] is False
    assert document["tenants"][0]["problem"]["kind"] == "altered"
    assert document["tenants"][0]["problem"]["event_id"] == str(event(trail, 3).id)


def test_the_command_does_not_find_an_unknown_tenant(acme: Tenant) -> None:
    assert run("--tenant", "nobody")[0] == 3


def test_verification_reads_a_trail_that_grows_meanwhile(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(ada, 3)
    plain: Callable[[AuditEvent], str] = event_hash
    grown: list[int] = []

    def slow_hash(row: AuditEvent, *, seq: int | None = None) -> str:
        if row.seq == 2 and not grown:
            grown.append(1)
            write_events(ada, 2)
        return plain(row) if seq is None else event_hash(row, seq=seq)

    monkeypatch.setattr(audit_verification, "event_hash", slow_hash)
    report = verify_audit(ada.tenant)
    assert report.ok and report.events == 3 and grown
