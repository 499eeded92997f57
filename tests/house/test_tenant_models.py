"""Every row that is a tenant's data carries its tenant, and no query reaches it without a scope."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from claims.models import VideoFile
from tenancy.errors import CrossTenantWrite, MissingTenantScope
from tenancy.model_checks import problems_of
from tenancy.owned import TenantManager, TenantOwned
from tenancy.row_security import SameTenant, TenantIsolation
from tenancy.scope import tenant_scope
from tests.files import make_claim
from tests.house.source import FLOORS
from tests.people import Person

# Tables that know all tenants, each with its reason.
SHARED = {
    "tenancy.Tenant": "the list of tenants itself",
    "tenancy.User": "people may belong to several tenants",
    "tenancy.Membership": "read to find the tenant of a session",
    "tenancy.AuditUnsealed": "tells the sealer for which tenants it has work; ids and hashes alone",
    "tenancy.ApiKey": "read to find the tenant of a key",
    "tenancy.RateWindow": "counts of a principal's requests, taken before there is a scope",
    "tenancy.CountedKey": "counts of attempts to sign in and of forms, by hashes",
    "tenancy.SignInPlace": "hashes of where a person signed in, whatever the tenant",
    "tenancy.TokenFamily": "read to find the tenant of a token",
    "tenancy.BrowserSession": "a person's, who may belong to several tenants",
    "tenancy.SecondFactor": "a person's, like the password",
    "tenancy.RecoveryCode": "a person's, like the password",
    "tenancy.SignOnIdentity": "a person's, looked up before there is a tenant",
}
# The operations floor knows no tenant table; its rows carry a plain string.
WITHOUT_TENANTS = {"observability"}
# Unique across tenants, and why that tells no tenant about another.
GLOBALLY_UNIQUE = {
    "claims.VideoFile.storage_key": "random",
}
OURS = [m for m in apps.get_models() if m._meta.app_label in FLOORS]
OWNED = [m for m in OURS if issubclass(m, TenantOwned)]


def test_every_model_is_owned_by_a_tenant_or_listed() -> None:
    loose = {
        m._meta.label
        for m in OURS
        if not issubclass(m, TenantOwned) and m._meta.app_label not in WITHOUT_TENANTS and m._meta.label not in SHARED
    }
    assert not loose


@pytest.mark.parametrize("model", OWNED, ids=lambda m: m._meta.label)
def test_no_query_without_a_tenant_scope(model: type[TenantOwned]) -> None:
    assert isinstance(model._default_manager, TenantManager)
    assert isinstance(model._base_manager, TenantManager)
    with pytest.raises(MissingTenantScope):
        model.objects.all()


@pytest.mark.parametrize("model", OWNED, ids=lambda m: m._meta.label)
def test_unique_constraints_say_nothing_across_tenants(model: type[TenantOwned]) -> None:
    fields = model._meta.concrete_fields
    alone = {f"{model._meta.label}.{f.name}" for f in fields if f.unique and not f.primary_key and not f.is_relation}
    assert alone <= set(GLOBALLY_UNIQUE)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            assert constraint.fields[0] == "tenant", constraint.name


def test_a_forward_key_does_not_leave_the_tenant(ada: Person, zoe: Person) -> None:
    claim = make_claim(ada)
    claim._state.fields_cache.clear()
    with tenant_scope(zoe.tenant.id), pytest.raises(VideoFile.DoesNotExist):
        _ = claim.video


def test_a_row_of_another_tenant_is_not_saved(ada: Person, zoe: Person) -> None:
    claim = make_claim(ada)
    with tenant_scope(zoe.tenant.id), pytest.raises(CrossTenantWrite):
        claim.save()


def test_a_row_that_points_into_another_tenant_is_not_saved(ada: Person, zoe: Person) -> None:
    theirs, ours = make_claim(ada), make_claim(zoe, "CLM-2")
    with tenant_scope(zoe.tenant.id):
        ours.video = theirs.video
        with pytest.raises(CrossTenantWrite):
            ours.save()


@pytest.mark.parametrize("model", OWNED, ids=lambda m: m._meta.label)
def test_the_database_keeps_the_tenants_apart(model: type[TenantOwned]) -> None:
    assert list(problems_of(model)) == []


@isolate_apps("tests.house")
def test_a_model_without_its_isolation_fails_the_build() -> None:
    class Parent(TenantOwned):
        class Meta(TenantOwned.Meta):
            app_label = "house"

    class Child(TenantOwned):
        parent = models.ForeignKey(Parent, on_delete=models.PROTECT)
        others = models.ManyToManyField(Parent, related_name="+")
        objects = models.Manager()

        class Meta:
            app_label = "house"
            managed = False
            constraints = [models.CheckConstraint(name="house_child_none", condition=models.Q(parent=None))]

    class Grandchild(Child):
        class Meta:
            app_label = "house"

    assert [type(c) for c in Parent._meta.constraints] == [TenantIsolation]
    # Its own constraints do not push those of the base out.
    assert [type(c) for c in Child._meta.constraints] == [models.CheckConstraint, TenantIsolation, SameTenant]
    told = " ".join(problems_of(Child))
    assert "managed = False" in told and "Manager is not a TenantManager" in told
    assert "has no tenant column of its own" in " ".join(problems_of(Grandchild))
    assert "many-to-many table has no tenant" in " ".join(problems_of(Child.others.through))
    Child._meta.constraints = []
    told = " ".join(problems_of(Child))
    assert "no TenantIsolation constraint" in told and "parent: no SameTenant constraint" in told
