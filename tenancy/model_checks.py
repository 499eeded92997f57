"""A Django system check: no model of tenants' rows without its isolation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import models

from tenancy.carried import tied_keys
from tenancy.owned import TenantManager, TenantOwned
from tenancy.row_security import SameTenant, TenantIsolation


@register(Tags.models)
def check_tenant_models(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Report models of tenants' rows that the database or the scope would not keep apart."""
    ours = [model for model in apps.get_models(include_auto_created=True) if _holds_tenants_rows(model)]
    return [Error(problem, obj=model, id="tenancy.E001") for model in ours for problem in problems_of(model)]


def _holds_tenants_rows(model: type[models.Model]) -> bool:
    """Whether the model is one, or the table of a many-to-many relation between such."""
    made_for: Any = model._meta.auto_created  # the model whose relation it is, or False
    if made_for:
        return issubclass(made_for, TenantOwned)
    return issubclass(model, TenantOwned) and not model._meta.proxy


def problems_of(model: type[models.Model]) -> Iterator[str]:
    """Yield what is missing of one model."""
    if not issubclass(model, TenantOwned):
        yield "a many-to-many table has no tenant: give the relation a TenantOwned model of its own (through)"
        return
    if not model._meta.managed:
        yield "no migration would create its row-level security (managed = False)"
    if len(model._meta.parents):
        yield "a table of a derived model has no tenant column of its own: derive from the abstract base"
    constraints = model._meta.constraints
    if not any(isinstance(constraint, TenantIsolation) for constraint in constraints):
        yield "it has no TenantIsolation constraint"
    tied = {constraint.field for constraint in constraints if isinstance(constraint, SameTenant)}
    for key in tied_keys(model, TenantOwned):
        if key.name not in tied:
            yield f"{key.name}: no SameTenant constraint"
    for manager in (model._default_manager, model._base_manager):
        if not isinstance(manager, TenantManager):
            yield f"{type(manager).__name__} is not a TenantManager (Meta has to derive from TenantOwned.Meta)"
