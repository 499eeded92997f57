"""Rows that belong to one tenant: no query without a scope, no write to another tenant's row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models.base import ModelBase

from observability.ids import new_id
from tenancy.carried import carry_isolation
from tenancy.errors import CrossTenantWrite
from tenancy.scope import default_tenant_id, scoped_tenant_id

Owned = TypeVar("Owned", bound="TenantOwned", covariant=True)


class TenantQuerySet(models.QuerySet[Owned]):
    """Guards the writes that never pass `Model.save`, and queries that are run outside the scope they were made in."""

    @property
    def db(self) -> str:
        """Return the database to ask now; raises MissingTenantScope, where row-level security would show no row."""
        scoped_tenant_id()
        return super().db

    def bulk_create(self, objs: Iterable[Owned], *args: Any, **kwargs: Any) -> list[Owned]:
        rows = list(objs)
        for row in rows:
            row.assert_own_tenant()
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[Owned], *args: Any, **kwargs: Any) -> int:
        rows = list(objs)
        for row in rows:
            row.assert_own_tenant()
        return super().bulk_update(rows, *args, **kwargs)

    def update(self, **columns: Any) -> int:
        _refuse_foreign_values(columns)
        return super().update(**columns)

    update.alters_data = True  # type: ignore[attr-defined]  # keeps templates from calling it


class TenantManager(models.Manager[Owned]):
    """Every query starts filtered by the tenant in scope; also used for related objects (`base_manager_name`)."""

    queryset_class: type[TenantQuerySet[Any]] = TenantQuerySet

    def get_queryset(self) -> TenantQuerySet[Owned]:
        tenant_id = scoped_tenant_id()
        rows: TenantQuerySet[Owned] = self.queryset_class(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]  # Django's own attribute
        return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


class _OwnedBase(ModelBase):
    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any], **options: Any) -> Any:
        model: Any = super().__new__(cls, name, bases, attributes, **options)
        if not (model._meta.abstract or model._meta.proxy):
            carry_isolation(model, TenantOwned)
        return model


class TenantOwned(models.Model, metaclass=_OwnedBase):
    """Base of every model that holds a tenant's data. Each gets its row-level security and its foreign keys within the
    tenant by being one: `makemigrations` writes them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        "tenancy.Tenant", on_delete=models.PROTECT, related_name="+", editable=False, default=default_tenant_id
    )

    objects: models.Manager[Any] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; raises CrossTenantWrite when it, or a row it points to, belongs to another tenant."""
        self.assert_own_tenant()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Remove the row; raises CrossTenantWrite for another tenant's (Django deletes by key, past the manager)."""
        self.assert_own_tenant()
        return super().delete(*args, **kwargs)

    def assert_own_tenant(self) -> None:
        tenant_id = scoped_tenant_id()
        if tenant_id is not None and self.tenant_id != tenant_id:
            raise CrossTenantWrite
        for field in self._meta.concrete_fields:
            linked = self._state.fields_cache.get(field.name) if field.is_relation else None
            other: UUID | None = getattr(linked, "tenant_id", None) if isinstance(linked, TenantOwned) else None
            if other is not None and other != self.tenant_id:
                raise CrossTenantWrite


def _refuse_foreign_values(columns: Mapping[str, Any]) -> None:
    """Raise CrossTenantWrite when an update would move rows to, or link them to rows of, another tenant."""
    tenant_id = scoped_tenant_id()
    for name, value in columns.items():
        moved = name in ("tenant", "tenant_id")
        if (moved or isinstance(value, TenantOwned)) and tenant_id not in (None, _tenant_of(value)):
            raise CrossTenantWrite


def _tenant_of(value: Any) -> UUID | None:
    if isinstance(value, TenantOwned):
        return value.tenant_id
    found: UUID | None = getattr(value, "pk", value)
    return found
