"""`verify_audit` as people run it: what it says of a sound trail, of a lifted guard, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenancy import audit_verification
from tenancy.audit_guard import guard_statements
from tenancy.audit_verification import (
    AuditProblem,
    AuditReport,
    ProblemKind,
    register_audit_cross_check,
    verify_audit,
)
from tenancy.models import Tenant
from tenancy.trail import walk
from tests.people import Person
from tests.sealing import SIGNING_KEY, seal_now
from tests.tenancy.trails import change_event, event, execute_ddl, lift_guard, make_trail, place, write_events


def test_an_untouched_trail_is_ok(ada: Person, zoe: Person) -> None:
    write_events(ada, 3)
    write_events(zoe, 2)
    seal_now(ada.tenant.id)
    report = verify_audit(ada.tenant)
    seals = 3 if connection.vendor == "sqlite" else 1
    assert report == AuditReport("acme", 3, 3, place(ada.tenant, 3).hash, None, seals=seals)
    assert verify_audit(zoe.tenant).ok


def test_a_tenant_without_events_is_ok(acme: Tenant) -> None:
    assert verify_audit(acme) == AuditReport("acme", 0, 0, "0" * 64, None)


def test_a_trail_longer_than_a_chunk_is_read_to_its_end(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_CHUNK", 4)
    write_events(ada, 9)
    seal_now(ada.tenant.id)
    assert verify_audit(ada.tenant).events == 9


def test_events_that_await_their_seal_are_counted(ada: Person) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite events are sealed as they are written")
    write_events(ada, 2)
    report = verify_audit(ada.tenant)
    assert (report.ok, report.events, report.awaiting_seal) == (True, 0, 2)


def test_a_lifted_guard_is_told_and_is_not_ok(ada: Person) -> None:
    make_trail(ada)
    report = verify_audit(ada.tenant)
    assert report.problem is None and not report.ok and "audit_event_no_update" in report.missing_triggers
    code, text = run("--tenant", "acme")
    assert code == 1 and "the append-only guard is missing" in text
    for statement in guard_statements(connection.vendor):
        execute_ddl(statement)
    assert verify_audit(ada.tenant).ok


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
    seal_now(ada.tenant.id)
    code, text = run()
    assert code == 0
    assert text.splitlines()[0].startswith("acme: 2 events, ok, head ")
    assert text.splitlines()[1].startswith("borealis: 0 events, ok")


def test_the_command_is_red_and_names_the_event(ada: Person) -> None:
    trail = make_trail(ada)
    change_event(trail, 3, "reason", "x")
    code, text = run("--tenant", "acme")
    assert code == 1 and f"ALTERED at 3 (event {event(trail, 3).id})" in text
    code, text = run("--json")
    document = json.loads(text)
    assert code == 1 and document["ok"] is False
    assert document["tenants"][0]["problem"]["kind"] == "altered"
    assert document["tenants"][0]["problem"]["event_id"] == str(event(trail, 3).id)


def test_the_command_does_not_find_an_unknown_tenant(acme: Tenant) -> None:
    assert run("--tenant", "nobody")[0] == 3


def test_a_trail_may_grow_while_it_is_read(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(ada, 3)
    seal_now(ada.tenant.id)
    grown: list[int] = []

    def growing(size: int) -> Iterator[Iterator[walk.Row]]:
        for chunk in chunks_up_to(size):
            yield chunk
            if not grown:
                grown.append(1)
                write_events(ada, 2)
                seal_now(ada.tenant.id)

    chunks_up_to = walk.chunks_up_to
    monkeypatch.setattr(walk, "_CHUNK", 1)
    monkeypatch.setattr(walk, "chunks_up_to", growing)
    report = verify_audit(ada.tenant)
    assert report.ok and report.events == 3 and grown


def test_the_command_holds_the_trail_against_a_kept_checkpoint(ada: Person, settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_SIGNING_KEY = SIGNING_KEY
    write_events(ada, 2)
    seal_now(ada.tenant.id)
    kept = tmp_path / "kept.json"
    call_command("audit_checkpoint", "--tenant", "acme", "--out", str(kept), stdout=StringIO())
    assert kept.stat().st_mode & 0o777 == 0o600
    write_events(ada, 1)
    seal_now(ada.tenant.id)
    code, text = run("--tenant", "acme", "--checkpoint", str(kept))
    assert code == 0 and "signed by" in text
    lift_guard()
    change_event(ada.tenant, 1, "reason", "x")
    assert run("--tenant", "acme", "--checkpoint", str(kept))[0] == 1


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"note": "a\\nb"}', '{"note": 7, "key_id": null}'])
def test_the_command_refuses_what_is_no_checkpoint(acme: Tenant, tmp_path: Path, content: str) -> None:
    file = tmp_path / "kept.json"
    file.write_text(content)
    assert run("--tenant", "acme", "--checkpoint", str(file))[0] == 2
    assert run("--tenant", "acme", "--checkpoint", str(tmp_path / "nowhere"))[0] == 2
    assert run("--checkpoint", str(file))[0] == 2


def test_the_command_refuses_another_tenants_checkpoint(ada: Person, zoe: Person, tmp_path: Path) -> None:
    write_events(ada, 1)
    seal_now(ada.tenant.id)
    kept = tmp_path / "kept.json"
    call_command("audit_checkpoint", "--tenant", "acme", "--out", str(kept), stdout=StringIO())
    assert run("--tenant", "borealis", "--checkpoint", str(kept))[0] == 2
