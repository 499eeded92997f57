"""The vault: what is sealed opens only with its key, at its place, under a master key that is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from observability.ids import new_id
from tenancy.choices import KeyPurpose, Readability
from tenancy.errors import VaultUnreadable
from tenancy.models import Tenant, VaultKey
from tenancy.scope import tenant_scope
from tenancy.sealing import new_key
from tenancy.vault import (
    Place,
    destroy_key,
    known_index,
    make_subject_key,
    newest_master,
    read_record,
    seal_record,
    tenant_index,
)

NOW = timezone.now()
SECRET = {"name": "Jane Doe", "lines": ["a", "ü"]}


@pytest.fixture(autouse=True)
def inside_acme(acme: Tenant) -> Iterator[None]:
    with tenant_scope(acme.id):
        yield


@pytest.fixture
def place(acme: Tenant) -> Place:
    return Place("claims_claim", "sealed", new_id(), acme.id)


def test_a_record_comes_back_as_it_was(place: Place) -> None:
    key = make_subject_key(now=NOW)
    sealed = seal_record(key, SECRET, place=place)
    assert "Jane" not in sealed and sealed != seal_record(key, SECRET, place=place)
    opened = read_record(key, sealed, place=place)
    assert (opened.state, opened.values) == (Readability.READABLE, SECRET)


def test_a_record_opens_at_its_own_place_alone(place: Place) -> None:
    key = make_subject_key(now=NOW)
    sealed = seal_record(key, SECRET, place=place)
    elsewhere = [
        Place("claims_party", place.column, place.row_id, place.tenant_id),
        Place(place.table, "other", place.row_id, place.tenant_id),
        Place(place.table, place.column, new_id(), place.tenant_id),
        Place(place.table, place.column, place.row_id, new_id()),
    ]
    assert {read_record(key, sealed, place=other).state for other in elsewhere} == {Readability.UNREADABLE}


_DAMAGES = [lambda s: s[:-5] + "AAAA=", lambda s: s[4:], lambda s: "", lambda s: "ü", str.lower]


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_record_is_told_and_logged_with_its_code(place: Place, damage: Any, caplog: Any) -> None:
    key = make_subject_key(now=NOW)
    broken = damage(seal_record(key, SECRET, place=place))
    opened = read_record(key, broken, place=place)
    assert opened.values == {}
    if broken:
        assert opened.state == Readability.UNREADABLE
        assert "vault_broken_seal" in caplog.text and "Jane" not in caplog.text


def test_another_subjects_key_opens_nothing(place: Place) -> None:
    sealed = seal_record(make_subject_key(now=NOW), SECRET, place=place)
    assert read_record(make_subject_key(now=NOW), sealed, place=place).state == Readability.UNREADABLE


def test_a_destroyed_key_is_gone_and_its_records_are_erased(place: Place) -> None:
    key = make_subject_key(now=NOW)
    sealed = seal_record(key, SECRET, place=place)
    assert [destroy_key(key_id=key.id, now=NOW), destroy_key(key_id=key.id, now=NOW)] == [True, False]
    key.refresh_from_db()
    assert (key.wrapped, read_record(key, sealed, place=place).state) == ("", Readability.ERASED)
    with pytest.raises(IntegrityError), transaction.atomic():
        VaultKey.objects.filter(id=key.id).update(destroyed_at=None)


def test_wrapped_keys_cannot_change_places(place: Place) -> None:
    one, other = make_subject_key(now=NOW), make_subject_key(now=NOW)
    sealed = seal_record(one, SECRET, place=place)
    other.wrapped = one.wrapped
    assert read_record(other, sealed, place=place).state == Readability.UNREADABLE


def test_a_lost_master_key_is_told_and_nothing_is_stored_without_one(place: Place, settings: Any, caplog: Any) -> None:
    key = make_subject_key(now=NOW)
    sealed = seal_record(key, SECRET, place=place)
    settings.VAULT_MASTER_KEYS = {2: new_key()}
    assert read_record(key, sealed, place=place).state == Readability.UNREADABLE
    assert "vault_key_missing" in caplog.text
    settings.VAULT_MASTER_KEYS = {1: new_key()}
    assert read_record(key, sealed, place=place).state == Readability.UNREADABLE
    settings.VAULT_MASTER_KEYS = {}
    with pytest.raises(VaultUnreadable):
        make_subject_key(now=NOW)


def test_rotation_wraps_keys_anew_and_touches_nothing_else(place: Place, settings: Any, borealis: Tenant) -> None:
    key, index = make_subject_key(now=NOW), tenant_index(now=NOW)
    gone = make_subject_key(now=NOW)
    destroy_key(key_id=gone.id, now=NOW)
    with tenant_scope(borealis.id):
        theirs = make_subject_key(now=NOW)
    sealed = seal_record(key, SECRET, place=place)
    old = settings.VAULT_MASTER_KEYS
    settings.VAULT_MASTER_KEYS = {**old, 2: new_key()}
    assert newest_master() == 2
    for expected in (3, 0):
        out = StringIO()
        call_command("rotate_vault_key", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"master_version": 2, "rewrapped": expected, "unreadable": []}
    settings.VAULT_MASTER_KEYS = {2: settings.VAULT_MASTER_KEYS[2]}
    key.refresh_from_db()
    assert read_record(key, sealed, place=place).values == SECRET
    assert known_index() == index, "identifiers stay comparable"
    with tenant_scope(borealis.id):
        theirs.refresh_from_db()
        assert theirs.master_version == 2
    gone.refresh_from_db()
    assert gone.wrapped == ""


def test_rotation_names_keys_that_it_cannot_open_and_does_the_others(settings: Any) -> None:
    good, bad = make_subject_key(now=NOW), make_subject_key(now=NOW)
    VaultKey.objects.filter(id=bad.id).update(wrapped=good.wrapped)
    settings.VAULT_MASTER_KEYS = {**settings.VAULT_MASTER_KEYS, 2: new_key()}
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("rotate_vault_key", "--json", stdout=out)
    assert error.value.returncode == 1
    assert json.loads(out.getvalue())["unreadable"] == [str(bad.id)]
    assert VaultKey.objects.get(id=good.id).master_version == 2


def test_a_tenant_has_one_index_key(acme: Tenant) -> None:
    assert known_index() is None
    assert tenant_index(now=NOW) == tenant_index(now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        VaultKey.objects.create(purpose=KeyPurpose.INDEX, wrapped="x", master_version=1, created_at=NOW)


def test_equal_identifiers_look_different_in_another_tenant_and_kind(borealis: Tenant) -> None:
    ours = tenant_index(now=NOW)
    with tenant_scope(borealis.id):
        theirs = tenant_index(now=NOW)
    digests = [ours.digest("EMAIL", "a@b.c"), ours.digest("PHONE", "a@b.c"), theirs.digest("EMAIL", "a@b.c")]
    assert len(set(digests)) == 3 and ours.digest("EMAIL", "a@b.c") == digests[0]


def test_new_vault_key_prints_the_next_version(settings: Any) -> None:
    out = StringIO()
    call_command("new_vault_key", stdout=out)
    version, _, key = out.getvalue().strip().partition(":")
    assert (version, len(key)) == ("2", 44)
