"""Proves isolation on the live database: what its catalogue says, then by trying. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model

from observability.models import DeadLetter, Job
from tenancy.carried import tied_keys
from tenancy.database_roles import role_findings
from tenancy.guards import missing_guard_triggers
from tenancy.isolation_catalogue import key_findings, leak_findings, policy_findings
from tenancy.isolation_trial import try_other_tenants_rows
from tenancy.models import ApiKey, Membership
from tenancy.owned import TenantOwned

# They tell the tenant, so they are read before there is one; dead letters are read by who operates all of them.
SHARED = (ApiKey, Membership, Job, DeadLetter)


@dataclass(frozen=True)
class IsolationReport:
    """`findings` are breaches; `notes` are what carries less than it could, as is usual in development."""

    engine: str
    tables: int
    keys: int
    tried: int
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


def owned_models() -> list[type[TenantOwned]]:
    """Return every model of tenants' rows, in the order of their names."""
    found = [model for model in apps.get_models() if issubclass(model, TenantOwned) and not model._meta.proxy]
    return sorted(found, key=lambda model: model._meta.label)


def check_isolation() -> IsolationReport:
    """Look at every table of tenants' rows, at the role that serves, and try to reach another tenant's rows."""
    there = set(connection.introspection.table_names())
    models = [model for model in owned_models() if model._meta.db_table in there]
    shared = [model for model in SHARED if model._meta.db_table in there]
    ties = {model: tied_keys(model, TenantOwned) for model in models}
    findings = _missing_tables(there) + key_findings(ties)
    findings += [f"trigger {name} is missing" for name in missing_guard_triggers()]
    notes, tried = [], 0
    if connection.vendor == "postgresql":
        findings += policy_findings([*models, *shared]) + leak_findings()
        breaches, doubts = role_findings(serving=settings.FORCE_HTTPS)
        findings, notes = findings + breaches, doubts
        if not findings:  # a trial of what is known to be open would prove nothing
            tried, reached = try_other_tenants_rows(models)
            findings += reached
    else:
        notes.append("SQLite has no row-level security: credential and scope of the code carry, and the foreign keys")
    return IsolationReport(connection.vendor, len(models), sum(map(len, ties.values())), tried, findings, notes)


def _missing_tables(there: set[str]) -> list[str]:
    """A table that is not there hides nothing; what is said of it must lead to the migrations, not to its policies."""
    models: list[type[Model]] = [*owned_models(), *SHARED]
    tables = [model._meta.db_table for model in models]
    return [f"{table}: the table is missing, run migrate" for table in tables if table not in there]
