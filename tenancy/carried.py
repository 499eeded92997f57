"""Gives every tenant's model its isolation, so that nobody has to remember it and `makemigrations` sees it."""

from __future__ import annotations

from django.db import models
from django.db.models.fields.related import lazy_related_operation

from tenancy.row_security import SameTenant, TenantIsolation


def carry_isolation(model: type[models.Model], base: type[models.Model]) -> None:
    """Add the constraints to a model of tenants' rows; `base` is the class that all such models come from."""
    _add(model, TenantIsolation(name=f"{model._meta.db_table}_isolation"))
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey):
            lazy_related_operation(_tie, model, field.remote_field.model, field=field, base=base)


def tied_keys(
    model: type[models.Model], base: type[models.Model]
) -> list[models.ForeignKey[models.Model, models.Model]]:
    """Return the foreign keys that lead to a tenant's rows."""
    keys = [f for f in model._meta.local_fields if isinstance(f, models.ForeignKey)]
    return [f for f in keys if isinstance(f.related_model, type) and issubclass(f.related_model, base)]


def _tie(
    model: type[models.Model],
    target: type[models.Model],
    *,
    field: models.ForeignKey[models.Model, models.Model],
    base: type[models.Model],
) -> None:
    if issubclass(target, base):
        _add(model, SameTenant(field=field.name, name=f"{model._meta.db_table}_{field.name}_tenant"))


def _add(model: type[models.Model], constraint: models.BaseConstraint) -> None:
    if all(constraint.name != there.name for there in model._meta.constraints):
        # A list of its own: `Meta` may be shared with another model. The state of migrations reads the second place.
        model._meta.constraints = [*model._meta.constraints, constraint]
        model._meta.original_attrs["constraints"] = model._meta.constraints
