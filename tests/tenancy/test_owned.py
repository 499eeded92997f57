"""Rows of one tenant: not read without a scope, not written across tenants by any path of the ORM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from claims.models import Claim
from tenancy.errors import CrossTenantWrite, MissingTenantScope
from tenancy.models import IdempotencyRecord
from tenancy.scope import every_tenant, tenant_scope
from tests.files import make_claim
from tests.people import Person


def make_record(person: Person) -> IdempotencyRecord:
    now = timezone.now()
    with tenant_scope(person.tenant.id):
        record: IdempotencyRecord = IdempotencyRecord.objects.create(
            principal_id=person.user.id, route="r", key="k", locked_until=now, expires_at=now
        )
        return record


READS: list[Callable[[], Any]] = [
    lambda: IdempotencyRecord.objects.all(),
    lambda: IdempotencyRecord.objects.count(),
    lambda: IdempotencyRecord.objects.filter(key="k").exists(),
    lambda: IdempotencyRecord._default_manager.first(),
    lambda: IdempotencyRecord._base_manager.first(),
]


@pytest.mark.parametrize("read", READS)
def test_no_scope_no_query(db: None, read: Callable[[], Any]) -> None:
    with pytest.raises(MissingTenantScope):
        read()


def test_a_scope_shows_its_tenant_alone(ada: Person, zoe: Person) -> None:
    own, theirs = make_record(ada), make_record(zoe)
    with tenant_scope(ada.tenant.id):
        assert IdempotencyRecord.objects.get() == own
        assert not IdempotencyRecord.objects.filter(id=theirs.id).exists()
        with tenant_scope(zoe.tenant.id):
            assert IdempotencyRecord.objects.get() == theirs
        assert IdempotencyRecord.objects.get() == own
    with every_tenant("test"):
        assert IdempotencyRecord.objects.count() == 2


WRITES: list[Callable[[IdempotencyRecord, Person], Any]] = [
    lambda theirs, zoe: theirs.save(),
    lambda theirs, zoe: theirs.delete(),
    lambda theirs, zoe: IdempotencyRecord.objects.bulk_create([theirs]),
    lambda theirs, zoe: IdempotencyRecord.objects.filter(key="k").bulk_create([theirs]),
    lambda theirs, zoe: IdempotencyRecord.objects.bulk_update([theirs], ["key"]),
    lambda theirs, zoe: IdempotencyRecord.objects.update(tenant=zoe.tenant),
    lambda theirs, zoe: IdempotencyRecord.objects.filter(key="k").update(tenant_id=zoe.tenant.id),
]


@pytest.mark.parametrize("write", WRITES)
def test_another_tenants_row_is_not_written(
    ada: Person, zoe: Person, write: Callable[[IdempotencyRecord, Person], Any]
) -> None:
    make_record(ada)
    theirs = make_record(zoe)
    with tenant_scope(ada.tenant.id), pytest.raises(CrossTenantWrite):
        write(theirs, zoe)
    with every_tenant("test"):
        assert IdempotencyRecord.objects.filter(tenant=zoe.tenant).count() == 1
        assert IdempotencyRecord.objects.filter(tenant=ada.tenant).count() == 1


def test_a_row_is_not_linked_to_another_tenants(ada: Person, zoe: Person) -> None:
    own, theirs = make_claim(ada), make_claim(zoe)
    with tenant_scope(ada.tenant.id):
        own.video = theirs.video
        with pytest.raises(CrossTenantWrite):
            own.save()
        with pytest.raises(CrossTenantWrite):
            Claim.objects.filter(id=own.id).update(video=theirs.video)


def test_related_rows_are_scoped_too(ada: Person, zoe: Person) -> None:
    claim = make_claim(zoe)
    with tenant_scope(zoe.tenant.id):
        assert claim.video.claims.count() == 1
    with tenant_scope(ada.tenant.id):
        assert claim.video.claims.count() == 0
        with pytest.raises(Exception, match="does not exist"):
            claim.refresh_from_db()
