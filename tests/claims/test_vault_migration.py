"""Claims from before the vault keep everything that was told, in the vault; the way back gives it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from claims.links import linked_claims
from claims.models import Claim, Party
from observability.ids import new_id
from tenancy.models import VaultKey
from tenancy.scope import tenant_scope
from tests.people import Person

# Rebuilds the largest tables four times, which takes as long as a hundred other tests.
pytestmark = [pytest.mark.harness, pytest.mark.django_db(transaction=True)]

BEFORE = [("claims", "0010_restricted_claims_and_grants")]
AFTER = [("claims", "0014_when_claims_were_closed")]
TOLD = {
    "vehicle_plate": "B-AB 1234",
    "loss_location": "Ulm",
    "description": "He braked.",
    "metadata": {"camera": {"model": "X1"}},
    "file_name": "drive.mp4",
}
JANE = {"name": "Jane Doe", "email": "jane@example.org", "phone": "+49 170 1234567", "account": "DE02 1203"}


def migrate(targets: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def old_apps(cleo: Person) -> Iterator[Any]:
    yield migrate(BEFORE)
    migrate(AFTER)


def old_claim(apps: Any, person: Person, number: str, **told: Any) -> Any:
    now, tenant = timezone.now(), person.tenant.id
    video = apps.get_model("claims", "VideoFile").objects.create(
        id=new_id(),
        tenant_id=tenant,
        sha256=hashlib.sha256(number.encode()).hexdigest(),
        size_bytes=1,
        storage_key=number,
        width_px=1,
        height_px=1,
        stored_at=now,
    )
    return apps.get_model("claims", "Claim").objects.create(
        id=new_id(),
        tenant_id=tenant,
        claim_number=number,
        submitted_by_id=person.user.id,
        video_id=video.id,
        received_at=now,
        **told,
    )


def test_rows_move_into_the_vault_and_back(cleo: Person, old_apps: Any) -> None:
    one = old_claim(old_apps, cleo, "CLM-1", **TOLD, status="APPROVED")
    old_claim(old_apps, cleo, "CLM-2", vehicle_plate="bab1234")
    party = old_apps.get_model("claims", "Party").objects.create(
        id=new_id(), tenant_id=cleo.tenant.id, claim_id=one.id, role="CLAIMANT", **JANE
    )
    migrate(AFTER)
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.get(id=one.id)
        contact = Party.objects.get(id=party.id).contact
        assert {name: getattr(claim.told, name) for name in TOLD} == TOLD
        assert {name: getattr(contact, name) for name in JANE} == JANE
        assert "Ulm" not in claim.sealed and claim.closed_at is not None
        assert [link.claim_number for link in linked_claims(claim)] == ["CLM-2"], "links survive"
    apps = migrate(BEFORE)
    back = apps.get_model("claims", "Claim").objects.get(id=one.id)
    assert {name: getattr(back, name) for name in TOLD} == TOLD
    jane = apps.get_model("claims", "Party").objects.get(id=party.id)
    assert {name: getattr(jane, name) for name in JANE} == JANE
    with tenant_scope(cleo.tenant.id):
        assert not VaultKey.objects.filter(purpose="SUBJECT").exists()
