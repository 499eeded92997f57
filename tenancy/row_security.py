"""Isolation as constraints of the models, so that migrations create it: `TenantOwned` adds them to every model.

PostgreSQL: row-level security, and foreign keys that name the tenant on both sides (the database's own check of a
foreign key looks past row-level security). SQLite has no row-level security; the foreign keys are the same there.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.ddl_references import Columns, Statement, Table

TENANT_POLICY = "tenant_isolation"
OPERATIONS_POLICY = "operations"
# SELECT, so that it is worked out once a query and not once a row. After a transaction the setting is '', not NULL.
_SETTING = "NULLIF(current_setting('app.tenant_id', true), '')"
TENANT_MATCHES = f"tenant_id = (SELECT {_SETTING}::uuid)"


# Tables that tell the tenant are read before there is one, and within a scope show its rows alone.
NO_TENANT_OR_MATCHES = f"(SELECT {_SETTING}) IS NULL OR {TENANT_MATCHES}"
NO_TENANT_OR_TEXT_MATCHES = f"(SELECT {_SETTING}) IS NULL OR tenant_ref = (SELECT {_SETTING})"


class _DatabaseConstraint(models.BaseConstraint):
    """A constraint that the database alone checks; forms and serializers see scoped rows only."""

    def validate(self, *_args: Any, **_options: Any) -> None:
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _DatabaseConstraint) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


class TenantIsolation(_DatabaseConstraint):
    """Row-level security, enabled and forced (else the owner is exempt), and the key that foreign keys lead to.

    Two policies for two roles: an OR in one of them would cost every query its index.
    """

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.deferred_sql.append(_on_table(_PROTECT, model, schema_editor))
        return str(_on_table(_KEY, model, schema_editor, name=schema_editor.quote_name(self.name)))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        name = schema_editor.quote_name(self.name)
        return _on_table(f"ALTER TABLE %(table)s ADD {_KEY};{_PROTECT}", model, schema_editor, name=name)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return _on_table(_RELEASE, model, schema_editor, name=schema_editor.quote_name(self.name))


class OwnWithinScope(_DatabaseConstraint):
    """Row-level security of a table that knows all tenants: outside any scope it is whole, within one it is its own."""

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        by_text = any(field.column == "tenant_ref" for field in model._meta.concrete_fields)
        rule = NO_TENANT_OR_TEXT_MATCHES if by_text else NO_TENANT_OR_MATCHES
        return _on_table(_FORCE + _POLICY.format(rule=rule), model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return _on_table(f"DROP POLICY {TENANT_POLICY} ON %(table)s;{_UNFORCE}", model, schema_editor)


class SameTenant(_DatabaseConstraint):
    """A foreign key `(tenant, field)`, beside Django's own, to a row of the same tenant."""

    def __init__(self, *, field: str, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.field = field

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, arguments, options = super().deconstruct()
        return path, tuple(arguments), {**options, "field": self.field}

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            self.create_sql(model, schema_editor)
            return None
        return str(self._statement(_FOREIGN_KEY, model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        # As Django's own keys: at the end of the migration, when all tables and their keys are there.
        schema_editor.deferred_sql.append(self._statement(_ADD_FOREIGN_KEY, model, schema_editor))

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._statement("ALTER TABLE %(table)s DROP CONSTRAINT %(name)s", model, schema_editor)

    def _statement(self, template: str, model: Any, schema_editor: Any) -> Statement:
        field = model._meta.get_field(self.field)
        assert isinstance(field, models.ForeignKey)
        assert isinstance(field.related_model, type)
        quote = schema_editor.quote_name
        columns = ["tenant_id", field.column]
        return _on_table(
            template,
            model,
            schema_editor,
            name=quote(self.name),
            columns=Columns(model._meta.db_table, columns, quote),
            target=Table(field.related_model._meta.db_table, quote),
        )


def _on_table(template: str, model: Any, schema_editor: Any, **parts: Any) -> Statement:
    """Return the statement with its table as a reference, which follows when the table is renamed."""
    quote = schema_editor.quote_name
    return Statement(
        template,
        table=Table(model._meta.db_table, quote),
        role=quote(settings.DATABASE_OPERATIONS_ROLE),
        role_text=settings.DATABASE_OPERATIONS_ROLE.replace("'", "''"),
        **parts,
    )


_KEY = "CONSTRAINT %(name)s UNIQUE (tenant_id, id)"
_FOREIGN_KEY = (
    "CONSTRAINT %(name)s FOREIGN KEY (%(columns)s) REFERENCES %(target)s (tenant_id, id) DEFERRABLE INITIALLY DEFERRED"
)
# Rows that are there already are looked at with the owner's eyes, which FORCE would close: the key would be accepted
# without looking at any.
_ADD_FOREIGN_KEY = (
    "ALTER TABLE %(table)s NO FORCE ROW LEVEL SECURITY;"
    "ALTER TABLE %(target)s NO FORCE ROW LEVEL SECURITY;"
    f"ALTER TABLE %(table)s ADD {_FOREIGN_KEY};"
    "ALTER TABLE %(target)s FORCE ROW LEVEL SECURITY;"
    "ALTER TABLE %(table)s FORCE ROW LEVEL SECURITY"
)
# The second policy asks for the role once more, so that a role which inherits from it gains nothing.
_FORCE = "ALTER TABLE %(table)s ENABLE ROW LEVEL SECURITY;ALTER TABLE %(table)s FORCE ROW LEVEL SECURITY;"
_UNFORCE = "ALTER TABLE %(table)s NO FORCE ROW LEVEL SECURITY;ALTER TABLE %(table)s DISABLE ROW LEVEL SECURITY"
_POLICY = f"CREATE POLICY {TENANT_POLICY} ON %(table)s USING ({{rule}}) WITH CHECK ({{rule}})"
_PROTECT = (
    f"{_FORCE}{_POLICY.format(rule=TENANT_MATCHES)};"
    f"CREATE POLICY {OPERATIONS_POLICY} ON %(table)s TO %(role)s"
    " USING (current_user = '%(role_text)s') WITH CHECK (current_user = '%(role_text)s')"
)
_RELEASE = (
    f"DROP POLICY {OPERATIONS_POLICY} ON %(table)s;"
    f"DROP POLICY {TENANT_POLICY} ON %(table)s;"
    f"{_UNFORCE};"
    "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"
)
