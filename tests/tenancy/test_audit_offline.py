"""What an auditor holds in hand: an export, a proof, checkpoints, and one file of Python without Django."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from tenancy.audit_verification import verify_audit
from tenancy.choices import Role
from tenancy.models import Tenant
from tenancy.trail import offline
from tenancy.trail.signing import own_public_key, public_key_of
from tests.people import Person, make_person, make_tenant
from tests.sealing import SIGNING_KEY, seal_now
from tests.tenancy.trails import change_event, lift_guard, place, write_events

SOURCE = Path(offline.__file__)


@pytest.fixture
def signed(ada: Person, settings: Any) -> str:
    """Ten events of Acme, two under each seal where a sealer makes them; returns the public key."""
    settings.AUDIT_SIGNING_KEY = SIGNING_KEY
    for _ in range(5):
        write_events(ada, 2)
        seal_now(ada.tenant.id)
    return own_public_key()


@pytest.fixture
def export(signed: str, tmp_path: Path) -> Path:
    file = tmp_path / "acme.jsonl"
    call_command("audit_export", "--tenant", "acme", "--out", str(file), stdout=StringIO())
    return file


def auditor(tmp_path: Path, *arguments: object) -> tuple[int, str]:
    """Run the file alone, in isolated mode, from a folder that knows nothing of this project."""
    alone = tmp_path / "verify.py"
    shutil.copy(SOURCE, alone)
    done = subprocess.run(  # our own file
        [sys.executable, "-I", str(alone), *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path
    )
    return done.returncode, done.stdout + done.stderr


def checkpoint(tmp_path: Path, name: str, *arguments: str) -> Path:
    file = tmp_path / name
    call_command("audit_checkpoint", "--tenant", "acme", "--out", str(file), *arguments, stdout=StringIO())
    return file


def test_an_auditor_verifies_an_export(export: Path, signed: str, tmp_path: Path) -> None:
    code, text = auditor(tmp_path, "trail", export, "--public-key", signed)
    assert (code, "ok: 10 events" in text) == (0, True), text
    assert export.stat().st_mode & 0o777 == 0o600


def test_an_auditor_holds_an_export_against_a_kept_checkpoint(ada: Person, signed: str, tmp_path: Path) -> None:
    kept = checkpoint(tmp_path, "kept.json")
    write_events(ada, 2)
    seal_now(ada.tenant.id)
    file = tmp_path / "acme.jsonl"
    call_command("audit_export", "--tenant", "acme", "--out", str(file), stdout=StringIO())
    code, text = auditor(tmp_path, "trail", file, "--checkpoint", kept, "--public-key", signed)
    assert (code, "checkpoint kept" in text) == (0, True), text


def test_two_checkpoints_are_proven_consistent(ada: Person, signed: str, tmp_path: Path) -> None:
    older = checkpoint(tmp_path, "older.json")
    write_events(ada, 3)
    seal_now(ada.tenant.id)
    newer = checkpoint(tmp_path, "newer.json", "--since", str(older))
    code, text = auditor(tmp_path, "checkpoints", older, newer, "--public-key", signed)
    assert (code, "the 10 events" in text) == (0, True), text
    forged = json.loads(newer.read_text())
    forged["consistency"]["path"][0] = "ab" * 32
    newer.write_text(json.dumps(forged))
    assert auditor(tmp_path, "checkpoints", older, newer, "--public-key", signed)[0] == 1


def test_an_auditor_verifies_the_proof_of_one_event(audrey: Person, ada: Person, signed: str, tmp_path: Path) -> None:
    event = place(ada.tenant, 3).event
    proof = audrey.api().get(f"/api/v1/audit/events/{event.id}/proof").json()
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert auditor(tmp_path, "proof", file, "--public-key", signed)[0] == 0
    proof["event"]["reason"] = "never happened"
    file.write_text(json.dumps(proof))
    code, text = auditor(tmp_path, "proof", file, "--public-key", signed)
    assert code == 1 and "ALTERED" in text


def test_files_that_are_none_end_with_a_clear_line(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_text("[]")
    assert auditor(tmp_path, "proof", nothing)[0] == 2
    assert auditor(tmp_path, "proof", tmp_path / "nowhere")[0] == 2


Lines = list[dict[str, Any]]


def event_at(lines: Lines, seq: int) -> dict[str, Any]:
    return next(line for line in lines if line["kind"] == "event" and line["seq"] == seq)


def seal_at(lines: Lines, number: int) -> dict[str, Any]:
    return next(line for line in lines if line["kind"] == "seal" and line["number"] == number)


def _without(lines: Lines, kind: str, seq: int) -> None:
    lines.remove(event_at(lines, seq) if kind == "event" else seal_at(lines, seq))


def _cut_after(lines: Lines, seq: int) -> None:
    del lines[lines.index(event_at(lines, seq)) + 1 :]


def _cut_and_closed(lines: Lines) -> None:
    end, sealed = lines[-1], next(line for line in lines if line["kind"] == "seal" and line["size"] == 8)
    del lines[lines.index(sealed) + 1 :]
    lines.append({**end, "events": 8})


def _exchanged(lines: Lines) -> None:
    one, two = lines.index(event_at(lines, 4)), lines.index(event_at(lines, 6))
    lines[one], lines[two] = lines[two], lines[one]


def _twice(lines: Lines) -> None:
    lines.insert(lines.index(event_at(lines, 4)), dict(event_at(lines, 4)))


def _forged(lines: Lines) -> None:
    """An event with all hashes of its own right."""
    line = event_at(lines, 4)
    line["reason"] = "never happened"
    _, line["hash"] = offline.leaf_and_link(line, 4, line["previous_hash"])


def _rewritten(lines: Lines, *, signature: str | None = None) -> None:
    """Everything from event 4 on made right again, without the key."""
    tree, previous, seal_hash = offline.Tree(), offline.GENESIS, offline.GENESIS
    for line in lines:
        if line["kind"] == "event":
            if line["seq"] == 4:
                line["reason"] = "never happened"
            leaf, link = offline.leaf_and_link(line, line["seq"], previous)
            line["previous_hash"], line["hash"] = previous, link
            tree.add(leaf)
            previous = link
        elif line["kind"] == "seal":
            line["root"], line["previous_hash"] = tree.root().hex(), seal_hash
            line["signature"] = line["signature"] if signature is None else signature
            note = offline.note_of(lines[0]["tenant"]["id"], line)
            seal_hash = offline.sha(b"\3", f"{note}{line['key_id']}\n{line['signature']}\n".encode()).hex()
            line["hash"] = seal_hash


def _changed(lines: Lines, **columns: Any) -> None:
    event_at(lines, 4).update(columns)


EDITS: dict[str, tuple[Callable[[Lines], object], str]] = {
    "reason": (lambda lines: _changed(lines, reason="x"), "altered"),
    "time": (lambda lines: _changed(lines, at="2020-01-01T00:00:00.000000+00:00"), "altered"),
    "actor": (lambda lines: _changed(lines, actor_name="Nobody"), "altered"),
    "id": (lambda lines: _changed(lines, id=str(uuid4())), "altered"),
    "format": (lambda lines: _changed(lines, format=1), "altered"),
    "unknown format": (lambda lines: _changed(lines, format=9), "altered"),
    "hash": (lambda lines: _changed(lines, hash="ab" * 32), "altered"),
    "previous hash": (lambda lines: _changed(lines, previous_hash="ab" * 32), "altered"),
    "useless previous hash": (lambda lines: _changed(lines, previous_hash="x"), "altered"),
    "another tenant's event": (lambda lines: _changed(lines, tenant=str(uuid4())), "inserted"),
    "event gone": (lambda lines: _without(lines, "event", 4), "missing"),
    "first event gone": (lambda lines: _without(lines, "event", 1), "missing"),
    "events exchanged": (_exchanged, "reordered"),
    "event twice": (_twice, "inserted"),
    "forged event": (_forged, "altered"),
    "seal gone": (lambda lines: _without(lines, "seal", 3), "missing"),
    "seal's root": (lambda lines: seal_at(lines, 3).update(root="ab" * 32), "altered"),
    "seal's time": (lambda lines: seal_at(lines, 3).update(sealed_at="2020-01-01T00:00:00.000000+00:00"), "altered"),
    "seal's signature": (lambda lines: seal_at(lines, 3).update(signature="AAAA"), "altered"),
    "seal's size": (lambda lines: seal_at(lines, 3).update(size=1), "altered"),
    "cut": (lambda lines: _cut_after(lines, 6), "truncated"),
    "cut and closed again": (_cut_and_closed, "truncated"),
    "end says more": (lambda lines: lines[-1].update(events=11), "truncated"),
    "end gone": (lambda lines: lines.pop(), "truncated"),
    "something after the end": (lambda lines: lines.append(dict(lines[1])), "inserted"),
    "another trail's checkpoint": (
        lambda lines: lines[-1]["checkpoint"].update(note=lines[-1]["checkpoint"]["note"].replace("\n10\n", "\n9\n")),
        "altered",
    ),
    "written anew without the key": (_rewritten, "bad_signature"),
    "written anew and not signed": (lambda lines: _rewritten(lines, signature=""), "bad_signature"),
}


@pytest.fixture(scope="module")
def exported(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One export for all edits, made once and undone."""
    file = tmp_path_factory.mktemp("export") / "acme.jsonl"
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(AUDIT_SIGNING_KEY=SIGNING_KEY):
        person = make_person(make_tenant("acme"), "ada", Role.ANALYST)
        for _ in range(5):
            write_events(person, 2)
            seal_now(person.tenant.id)
        call_command("audit_export", "--tenant", "acme", "--out", str(file), stdout=StringIO())
        transaction.set_rollback(True)
    return file.read_text().splitlines()


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_an_export_is_found_and_named(exported: list[str], name: str) -> None:
    edit, kind = EDITS[name]
    lines = [json.loads(line) for line in exported]
    edit(lines)
    with pytest.raises(offline.Bad) as caught:
        offline.verify_trail(map(json.dumps, lines), key=_public_key())
    assert caught.value.kind == kind


def _public_key() -> bytes:
    return base64.b64decode(public_key_of(SIGNING_KEY))


def test_the_untouched_export_of_all_edits_is_fine(exported: list[str]) -> None:
    assert offline.verify_trail(exported, key=_public_key())[0] == 10


def test_a_line_that_is_no_line_is_found(exported: list[str]) -> None:
    with pytest.raises(offline.Bad) as caught:
        offline.verify_trail([*exported[:3], exported[3][:40]], key=_public_key())
    assert caught.value.kind == "altered"


def test_an_export_of_a_rewritten_database_says_what_verify_audit_says(
    ada: Person, signed: str, tmp_path: Path
) -> None:
    lift_guard()
    change_event(ada.tenant, 4, "reason", "never happened")
    file = tmp_path / "acme.jsonl"
    call_command("audit_export", "--tenant", "acme", "--out", str(file), stdout=StringIO())
    code, text = auditor(tmp_path, "trail", file, "--public-key", signed)
    assert code == 1 and "ALTERED: event 4" in text
    problem = verify_audit(ada.tenant).problem
    assert problem is not None and (problem.kind, problem.seq) == ("altered", 4)


@pytest.mark.parametrize("command", ["audit_export", "audit_checkpoint"])
def test_the_commands_do_not_find_an_unknown_tenant(db: None, command: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command(command, "--tenant", "nobody", "--out", str(tmp_path / "x"))
    assert caught.value.returncode == 3


# --- Over HTTP ----------------------------------------------------------------------------------------------------
def test_audrey_reads_a_checkpoint_with_its_proof(audrey: Person, ada: Person, signed: str) -> None:
    body = audrey.api().get("/api/v1/audit/checkpoint", {"since": 4}).json()
    assert (body["size"], body["tenant"]["slug"], body["public_key"]) == (10, "acme", signed)
    old_root = offline.Tree()
    for seq in range(1, 5):
        old_root.add(bytes.fromhex(place(ada.tenant, seq).event.leaf_hash))
    path = [bytes.fromhex(step) for step in body["consistency"]["path"]]
    assert offline.roots_by_path(4, 10, old_root.root(), path) == (old_root.root(), bytes.fromhex(body["root"]))


@pytest.mark.parametrize(
    ("since", "code"),
    [("0", "invalid_input"), ("-1", "invalid_input"), ("x", "invalid_input"), ("11", "unknown_tree_size")],
)
def test_a_checkpoint_since_nothing_is_refused(audrey: Person, signed: str, since: str, code: str) -> None:
    answer = audrey.api().get("/api/v1/audit/checkpoint", {"since": since})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_there_is_no_checkpoint_before_the_first_seal(audrey: Person) -> None:
    answer = audrey.api().get("/api/v1/audit/checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (409, "audit_not_sealed")


@pytest.mark.parametrize(
    ("who", "status"), [("audrey", 200), ("adam", 200), ("ada", 403), ("sam", 403), ("cleo", 403), ("zoe", 403)]
)
def test_proofs_are_for_auditors_of_the_tenant(
    who: str, status: int, ada: Person, signed: str, request: pytest.FixtureRequest
) -> None:
    api = request.getfixturevalue(who).api()
    assert api.get(f"/api/v1/audit/events/{place(ada.tenant, 2).event_id}/proof").status_code == status
    assert api.get("/api/v1/audit/checkpoint").status_code == status


def test_an_event_of_another_tenant_or_of_nobody_is_not_found(
    ada: Person, signed: str, borealis: Tenant, audrey: Person
) -> None:
    theirs = make_person(borealis, "boris", Role.AUDITOR).api()
    address = f"/api/v1/audit/events/{place(ada.tenant, 2).event_id}/proof"
    nobodys = audrey.api().get(f"/api/v1/audit/events/{uuid4()}/proof")
    assert theirs.get(address).status_code == nobodys.status_code == 404
    assert theirs.get(address).json()["code"] == nobodys.json()["code"]


def test_no_proof_is_given_of_a_rewritten_event(audrey: Person, ada: Person, signed: str) -> None:
    lift_guard()
    change_event(ada.tenant, 4, "reason", "never happened")
    answer = audrey.api().get(f"/api/v1/audit/events/{place(ada.tenant, 4).event_id}/proof")
    assert (answer.status_code, answer.json()["code"]) == (409, "audit_damaged")
