"""Each way to rewrite history, done by raw SQL after the guard is lifted, is found, and named by what it is.

The platform signs here; the forger owns the database and knows all of this code, but not the signing key.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from tenancy.audit_verification import verify_audit
from tenancy.models import AuditUnsealed, Tenant
from tenancy.scope import tenant_scope
from tenancy.trail.checkpoints import checkpoint_data, read_checkpoint
from tenancy.trail.format import seal_hash
from tenancy.trail.seals import note_of
from tenancy.trail.signing import own_public_key
from tests.people import Person
from tests.sealing import OTHER_KEY, SIGNING_KEY, seal_now
from tests.tenancy.trails import (
    EVENTS,
    PLACES,
    SEALS,
    change_event,
    delete_event,
    event,
    execute,
    execute_ddl,
    forge_after,
    insert_row,
    key,
    last_seal,
    lift_guard,
    make_trail,
    move_place,
    place,
    rechain,
    replace_event,
    reseal,
    seal,
    write_events,
    write_row,
)

COLUMNS = (
    *("event", "actor_type", "actor_id", "actor_name", "object_type", "object_id", "before", "after", "reason"),
    *("request_id", "leaf_hash"),
)


@pytest.fixture
def trail(ada: Person, settings: Any) -> Tenant:
    settings.AUDIT_SIGNING_KEY = SIGNING_KEY
    return make_trail(ada)


def verdict(tenant: Tenant) -> tuple[str, int | None]:
    problem = verify_audit(tenant).problem
    assert problem is not None
    return problem.kind.value, problem.seq


def test_an_untouched_trail_is_verified_and_signed(trail: Tenant) -> None:
    report = verify_audit(trail)
    assert (report.problem, report.events, len(report.signed_by)) == (None, 10, 16)


@pytest.mark.parametrize("seq", [1, 5, 10])
def test_one_changed_byte_of_any_column_is_found(trail: Tenant, seq: int) -> None:
    true = place(trail, seq).event
    for column in COLUMNS:
        change_event(trail, seq, column, "x")
        assert verdict(trail) == ("altered", seq), column
        change_event(trail, seq, column, getattr(true, column))
    assert verify_audit(trail).ok is False  # the guard is lifted
    assert verify_audit(trail).problem is None


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite keeps times as text")
@pytest.mark.parametrize("moment", ["infinity", "-infinity", "12000-01-01", "0044-03-15 BC"])
def test_a_time_that_no_program_could_have_written_is_found(trail: Tenant, moment: str) -> None:
    execute(f"UPDATE {EVENTS} SET at = %s WHERE id = %s", moment, key(place(trail, 4).event_id))
    assert verdict(trail) == ("altered", 4)


def moved_time(trail: Tenant) -> None:
    moved = place(trail, 4).event
    moved.at = moved.at.replace(year=2020)
    write_row(moved)


def other_format(trail: Tenant) -> None:
    change_event(trail, 4, "format", 1)


def other_id(trail: Tenant) -> None:
    there, fresh = place(trail, 4), uuid4()
    execute(f"UPDATE {PLACES} SET event_id = %s WHERE id = %s", key(fresh), key(there.id))
    execute(f"UPDATE {EVENTS} SET id = %s WHERE id = %s", key(fresh), key(there.event_id))


def other_link(trail: Tenant) -> None:
    execute(f"UPDATE {PLACES} SET hash = %s WHERE seq = 4", "ab" * 32)


def no_link(trail: Tenant) -> None:
    execute(f"UPDATE {PLACES} SET hash = 'x' WHERE seq = 10")


def other_previous(trail: Tenant) -> None:
    execute(f"UPDATE {PLACES} SET previous_hash = %s WHERE seq = 4", "ab" * 32)


def gone_and_moved_up(trail: Tenant) -> None:
    delete_event(trail, 4)
    for later in range(5, 11):
        move_place(trail, later, later - 1)


def gone_and_chained_again(trail: Tenant) -> None:
    gone_and_moved_up(trail)
    rechain(trail, 4)


def place_gone(trail: Tenant) -> None:
    execute(f"DELETE FROM {PLACES} WHERE seq = 4")


def tail_gone(trail: Tenant) -> None:
    for seq in (9, 10):
        delete_event(trail, seq)


def everything_gone(trail: Tenant) -> None:
    execute(f"DELETE FROM {PLACES}")
    execute(f"DELETE FROM {EVENTS}")


def exchanged(trail: Tenant, first: int = 4, second: int = 5) -> None:
    move_place(trail, first, 1_000)
    move_place(trail, second, first)
    move_place(trail, 1_000, second)


def exchanged_far(trail: Tenant) -> None:
    exchanged(trail, 2, 9)


def exchanged_and_chained_again(trail: Tenant) -> None:
    exchanged(trail, 3, 4)
    rechain(trail, 3)


def put_between(trail: Tenant) -> None:
    forged, where = forge_after(trail, 5)
    for later in range(10, 5, -1):
        move_place(trail, later, later + 1)
    insert_row(forged)
    insert_row(where)


def put_at_the_end(trail: Tenant) -> None:
    forged, where = forge_after(trail, 10)
    insert_row(forged)
    insert_row(where)


def put_without_a_place(trail: Tenant) -> None:
    insert_row(forge_after(trail, 10)[0])


def put_without_a_place_and_counted(trail: Tenant) -> None:
    put_without_a_place(trail)
    sealed = event(trail, 3)
    insert_row(
        AuditUnsealed(
            event_id=sealed.id, tenant_id=trail.id, leaf_hash=sealed.leaf_hash, xid=1, written_at=timezone.now()
        )
    )


def replaced(trail: Tenant) -> None:
    replace_event(trail, 4)


def replaced_last(trail: Tenant) -> None:
    replace_event(trail, 10)


def replaced_and_chained_again(trail: Tenant) -> None:
    replace_event(trail, 4)
    rechain(trail, 5)


def head_gone(trail: Tenant) -> None:
    execute("DELETE FROM tenancy_audithead")


def head_set_back(trail: Tenant) -> None:
    execute("UPDATE tenancy_audithead SET seal_number = 3, seq = 6")


def head_hash_changed(trail: Tenant) -> None:
    execute("UPDATE tenancy_audithead SET hash = %s", "ab" * 32)


def last_seal_gone(trail: Tenant) -> None:
    execute(f"DELETE FROM {SEALS} WHERE id = %s", key(last_seal(trail).id))


def middle_seal_gone(trail: Tenant) -> None:
    execute(f"DELETE FROM {SEALS} WHERE number = 3")


def all_seals_gone(trail: Tenant) -> None:
    execute(f"DELETE FROM {SEALS}")


def _seal_column(column: str, value: Any, number: int = 2) -> Callable[[Tenant], None]:
    return lambda trail: assert_one(f"UPDATE {SEALS} SET {column} = %s WHERE number = {number}", value)


def assert_one(sql: str, value: Any) -> None:
    assert execute(sql, value) == 1


def seal_time_moved(trail: Tenant) -> None:
    moved = seal(trail, 2)
    moved.sealed_at = moved.sealed_at.replace(year=2020)
    write_row(moved)


def seal_hashed_again(trail: Tenant) -> None:
    changed = seal(trail, 2)
    changed.root = "ab" * 32
    changed.hash = seal_hash(note_of(changed), key_id=changed.key_id, signature=changed.signature)
    write_row(changed)


def written_anew_without_the_key(trail: Tenant) -> None:
    replace_event(trail, 4)
    rechain(trail, 5)
    reseal(trail)


def signature_taken_away(trail: Tenant) -> None:
    _resigned(trail, "", "")


def signed_by_another_key(trail: Tenant) -> None:
    _resigned(trail, "f" * 16, b64encode(bytes(64)).decode())


def signature_made_up(trail: Tenant) -> None:
    _resigned(trail, last_seal(trail).key_id, b64encode(bytes(64)).decode())


def _resigned(trail: Tenant, key_id: str, signature: str) -> None:
    last = last_seal(trail)
    last.key_id, last.signature = key_id, signature
    last.hash = seal_hash(note_of(last), key_id=key_id, signature=signature)
    write_row(last)
    execute("UPDATE tenancy_audithead SET seal_hash = %s", last.hash)


Tampering = Callable[[Tenant], None]
TAMPERINGS: dict[str, tuple[Tampering, str, int | None]] = {
    "time moved": (moved_time, "altered", 4),
    "format changed": (other_format, "altered", 4),
    "id changed": (other_id, "altered", 4),
    "link changed": (other_link, "altered", 4),
    "link made useless": (no_link, "altered", 10),
    "previous hash changed": (other_previous, "altered", 4),
    "first deleted": (lambda trail: delete_event(trail, 1), "missing", 1),
    "middle deleted": (lambda trail: delete_event(trail, 5), "missing", 5),
    "deleted and later ones moved up": (gone_and_moved_up, "missing", 4),
    "deleted, moved up and chained again": (gone_and_chained_again, "altered", None),
    "place deleted": (place_gone, "missing", 4),
    "last deleted": (lambda trail: delete_event(trail, 10), "truncated", 10),
    "tail deleted": (tail_gone, "truncated", 9),
    "everything deleted": (everything_gone, "truncated", 1),
    "neighbours exchanged": (exchanged, "reordered", 4),
    "two far ones exchanged": (exchanged_far, "reordered", 2),
    "exchanged and chained again": (exchanged_and_chained_again, "altered", None),
    "put between": (put_between, "inserted", 6),
    "put at the end": (put_at_the_end, "inserted", 11),
    "put without a place": (put_without_a_place, "inserted", None),
    "put without a place, a mark too many": (put_without_a_place_and_counted, "inserted", None),
    "replaced with its own hashes right": (replaced, "altered", 4),
    "last replaced with its own hashes right": (replaced_last, "altered", None),
    "replaced and chained again": (replaced_and_chained_again, "altered", None),
    "head deleted": (head_gone, "truncated", None),
    "head set back": (head_set_back, "inserted", None),
    "head's hash changed": (head_hash_changed, "altered", 10),
    "last seal deleted": (last_seal_gone, "truncated", None),
    "middle seal deleted": (middle_seal_gone, "missing", None),
    "all seals deleted": (all_seals_gone, "truncated", None),
    "seal's root changed": (_seal_column("root", "ab" * 32), "altered", None),
    "seal's root made useless": (_seal_column("root", "x"), "altered", None),
    "seal's size changed": (_seal_column("size", 1), "altered", None),
    "seal's chain changed": (_seal_column("previous_hash", "ab" * 32), "altered", None),
    "seal's hash changed": (_seal_column("hash", "ab" * 32), "altered", None),
    "seal's key changed": (_seal_column("key_id", "f" * 16), "altered", None),
    "seal's signature changed": (_seal_column("signature", b64encode(bytes(64)).decode()), "altered", None),
    "seal's time moved": (seal_time_moved, "altered", None),
    "seal changed and hashed again": (seal_hashed_again, "altered", None),
    "all written anew without the key": (written_anew_without_the_key, "bad_signature", None),
    "last signature taken away": (signature_taken_away, "bad_signature", None),
    "last seal signed by another key": (signed_by_another_key, "bad_signature", None),
    "last signature made up": (signature_made_up, "bad_signature", None),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_is_found_and_named(trail: Tenant, name: str) -> None:
    tamper, kind, seq = TAMPERINGS[name]
    tamper(trail)
    found = verdict(trail)
    assert found[0] == kind
    assert seq is None or found[1] == seq


def test_an_event_moved_to_another_tenant_is_found_at_both(trail: Tenant, zoe: Person) -> None:
    moved = place(trail, 5)
    execute(f"UPDATE {PLACES} SET tenant_id = %s WHERE id = %s", key(zoe.tenant.id), key(moved.id))
    execute(f"UPDATE {EVENTS} SET tenant_id = %s WHERE id = %s", key(zoe.tenant.id), key(moved.event_id))
    assert verdict(trail) == ("missing", 5)
    assert verdict(zoe.tenant) == ("inserted", 5)


def test_an_event_that_was_given_to_another_tenant_in_its_row_alone_is_found(trail: Tenant, zoe: Person) -> None:
    moved, give = event(trail, 5).id, f"UPDATE {EVENTS} SET tenant_id = %s WHERE id = %s"
    execute(give, key(zoe.tenant.id), key(moved))
    assert verdict(trail)[0] in {"altered", "missing"}
    execute(give, key(trail.id), key(moved))  # its foreign key would not let this be committed


def test_a_number_given_twice_is_found(trail: Tenant) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite cannot drop a constraint without rebuilding the table")
    execute_ddl(f"ALTER TABLE {PLACES} DROP CONSTRAINT audit_place_once")
    forged, where = forge_after(trail, 4)
    insert_row(forged)
    insert_row(where)
    assert verdict(trail) in {("inserted", 5), ("altered", 5)}


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (f"UPDATE {EVENTS} SET reason = 'x' WHERE id = %s", "altered"),
        (f"DELETE FROM {EVENTS} WHERE id = %s", "missing"),
        ("DELETE FROM tenancy_auditunsealed WHERE event_id = %s", "inserted"),
        ("UPDATE tenancy_auditunsealed SET leaf_hash = 'x' WHERE event_id = %s", "altered"),
    ],
)
def test_an_event_is_guarded_while_it_awaits_its_seal(ada: Person, trail: Tenant, sql: str, kind: str) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite events are sealed as they are written")
    write_events(ada, 1)
    execute(sql, AuditUnsealed.objects.get().event_id)
    assert verdict(trail)[0] == kind


def test_a_stored_subtree_root_that_was_changed_is_found(ada: Person) -> None:
    write_events(ada, 256)
    seal_now(ada.tenant.id)
    assert verify_audit(ada.tenant).ok
    lift_guard()
    assert execute("UPDATE tenancy_auditnode SET hash = %s", "ab" * 32) == 1
    assert verdict(ada.tenant) == ("altered", 256)


# --- Against a checkpoint that was kept elsewhere -----------------------------------------------------------------
@pytest.fixture
def kept(trail: Tenant) -> str:
    with tenant_scope(trail.id):
        return json.dumps(checkpoint_data(trail, last_seal(trail)))


def held_against(trail: Tenant, kept: str) -> tuple[str, int | None] | None:
    problem = verify_audit(trail, checkpoint=read_checkpoint(kept)).problem
    return (problem.kind.value, problem.seq) if problem else None


def test_a_longer_trail_holds_an_earlier_checkpoint(ada: Person, trail: Tenant, kept: str) -> None:
    write_events(ada, 3)
    seal_now(trail.id)
    assert held_against(trail, kept) is None


def test_a_tail_cut_with_its_seals_and_head_is_found_by_a_kept_checkpoint(trail: Tenant, kept: str) -> None:
    for seq in (9, 10):
        delete_event(trail, seq)
    with tenant_scope(trail.id):
        ends = seal(trail, last_seal(trail).number - (2 if connection.vendor == "sqlite" else 1))
    execute(f"DELETE FROM {SEALS} WHERE number > %s", ends.number)
    execute(
        "UPDATE tenancy_audithead SET seq = 8, hash = %s, seal_number = %s, seal_hash = %s",
        place(trail, 8).hash,
        ends.number,
        ends.hash,
    )
    assert verify_audit(trail).problem is None  # what a trail cannot show by itself
    assert held_against(trail, kept) == ("truncated", 9)


def test_a_trail_written_anew_with_the_key_is_found_by_a_kept_checkpoint(
    trail: Tenant, kept: str, settings: Any
) -> None:
    replace_event(trail, 4)
    rechain(trail, 5)
    reseal(trail)
    settings.AUDIT_SIGNING_KEY = ""  # the forger's own server: nothing is asked of signatures
    assert verify_audit(trail).problem is None
    assert held_against(trail, kept.replace(kept.split('"signature": "')[1].split('"')[0], "")) == ("altered", None)


def test_a_kept_checkpoint_that_was_edited_is_refused(trail: Tenant, kept: str) -> None:
    assert held_against(trail, kept.replace("\\n10\\n", "\\n9\\n")) == ("bad_signature", None)


def test_a_kept_checkpoint_of_an_unknown_key_counts_when_its_public_key_is_given(
    trail: Tenant, kept: str, settings: Any
) -> None:
    retired, settings.AUDIT_SIGNING_KEY = own_public_key(), OTHER_KEY
    assert verdict(trail)[0] == "bad_signature"
    assert held_against(trail, kept) == ("bad_signature", None)
    settings.AUDIT_PUBLIC_KEYS = [retired]
    assert held_against(trail, kept) is None
