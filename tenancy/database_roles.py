"""The roles of a PostgreSQL database and what each may do.

Owner: owns the tables and migrates them. Application: serves; it reads and writes rows and nothing else. Operations:
what the application becomes, for one query at a time, inside `every_tenant`; nobody logs in as it. Where one role is
both owner and application (development, CI), FORCE keeps it within the policies all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from observability.errors import PlatformError

_ROWS = "SELECT, INSERT, UPDATE, DELETE"
_INHERIT_IS_PER_GRANT = 160_000  # server version
_WITHOUT_INHERITING = " WITH INHERIT FALSE, SET TRUE"

# Whoever creates a role is its member from version 16 on, yet may not become it.
_MAY_BECOME = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
_ROLE_STATE = f"""
WITH tables AS (
  SELECT oid, relowner FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
), operations AS (SELECT * FROM pg_roles WHERE rolname = %(operations)s)
SELECT session_user, me.rolsuper, me.rolbypassrls,
  EXISTS (SELECT 1 FROM tables WHERE pg_has_role(session_user, relowner, 'MEMBER')),
  EXISTS (SELECT 1 FROM tables WHERE has_table_privilege(session_user, oid, 'TRUNCATE, REFERENCES, TRIGGER')),
  has_schema_privilege(session_user, current_schema(), 'CREATE'),
  EXISTS (SELECT 1 FROM operations WHERE pg_has_role(session_user, oid, {_MAY_BECOME})),
  EXISTS (SELECT 1 FROM operations WHERE pg_has_role(session_user, oid, 'USAGE')),
  EXISTS (SELECT 1 FROM operations WHERE rolsuper OR rolbypassrls OR rolcanlogin
          OR EXISTS (SELECT 1 FROM tables WHERE pg_has_role(operations.oid, relowner, 'MEMBER')))
FROM pg_roles me WHERE me.rolname = session_user
"""  # noqa: S608  # no value of anyone's


class RolesNotReady(PlatformError):
    """The database's roles are not as they must be, and this role may not change that."""

    code = "database_roles"
    message = "The database's roles are not ready."


@dataclass(frozen=True)
class Roles:
    owner: str
    application: str
    operations: str
    database: str


def configured_roles() -> Roles:
    """Return the names that the settings give."""
    application, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
    return Roles(
        owner=str(owner["USER"]),
        application=str(application["USER"]),
        operations=settings.DATABASE_OPERATIONS_ROLE,
        database=str(application["NAME"]),
    )


def administrator_script(roles: Roles, *, inherit_is_per_grant: bool = False) -> str:
    """Return what an administrator runs once, before the first `migrate`; running it again changes nothing."""
    logins = sorted({roles.owner, roles.application})
    created = [_create(name, "LOGIN") for name in logins] + [_create(roles.operations, "NOLOGIN")]
    limited = [
        f"ALTER ROLE {_name(name)} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;"
        for name in [*logins, roles.operations]
    ]
    limited.append(f"ALTER ROLE {_name(roles.application)} NOINHERIT;")
    how = _WITHOUT_INHERITING if inherit_is_per_grant else ""
    members = [f"GRANT {_name(roles.operations)} TO {_name(name)}{how};" for name in logins]
    database = [
        f"ALTER DATABASE {_name(roles.database)} OWNER TO {_name(roles.owner)};",
        f"REVOKE ALL ON DATABASE {_name(roles.database)} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {_name(roles.database)} TO {_name(roles.application)};",
        f"\\connect {_name(roles.database)}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
        f"ALTER SCHEMA public OWNER TO {_name(roles.owner)};",
    ]
    return "\n".join([*created, *limited, *members, *database, *row_grants(roles)]) + "\n"


def row_grants(roles: Roles) -> list[str]:
    """Return the statements that let the application and the operations role at the rows, now and of later tables."""
    others = ", ".join(_name(name) for name in sorted({roles.application, roles.operations} - {roles.owner}))
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {_name(roles.owner)} IN SCHEMA public GRANT"
    return [
        f"GRANT USAGE ON SCHEMA public TO {others};",
        f"{later} {_ROWS} ON TABLES TO {others};",
        f"{later} USAGE, SELECT ON SEQUENCES TO {others};",
        f"GRANT {_ROWS} ON ALL TABLES IN SCHEMA public TO {others};",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {others};",
    ]


def prepare_roles(owner: BaseDatabaseWrapper, roles: Roles) -> None:
    """Make sure that the operations role is there and every login may become it; raises RolesNotReady.

    `owner` is a connection as the owner. A role that may create roles (development, CI) makes what is missing.
    """
    with owner.cursor() as cursor:
        for login in sorted({roles.owner, roles.application}):
            _run(cursor, _create(roles.operations, "NOLOGIN"))
            cursor.execute(f"SELECT pg_has_role(%s, %s, {_MAY_BECOME})", [login, roles.operations])  # ours
            if cursor.fetchone() != (True,):
                _admit(cursor, login, roles)


def grant_rows(owner: BaseDatabaseWrapper, roles: Roles) -> None:
    """Grant the rows of all tables there are, and of later ones; `owner` is a connection as the owner."""
    with transaction.atomic(using=owner.alias), owner.cursor() as cursor:
        for statement in row_grants(roles):
            cursor.execute(statement)


def role_findings(*, serving: bool) -> tuple[list[str], list[str]]:
    """Return what is wrong with the role that this process logged in as, and what is only weaker.

    A role that owns the tables is held by FORCE but could lift it: wrong where a server serves (`serving`).
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROLE_STATE, {"operations": settings.DATABASE_OPERATIONS_ROLE})
        login, superuser, bypass, owns, beyond, creates, member, inherits, powerful = cursor.fetchone()
    operations = settings.DATABASE_OPERATIONS_ROLE
    wrong = {
        f"{login} is a superuser, whom row-level security does not bind": superuser,
        f"{login} has BYPASSRLS": bypass,
        f"{login} may TRUNCATE, REFERENCES or TRIGGER tables that it does not own": beyond and not owns,
        f"{login} may create tables in the schema": creates and not owns,
        f"{login} may not become {operations}, so nothing works across tenants": not member,
        f"{operations} may log in, bypasses policies or owns tables": powerful,
    }
    slower = f"{login} inherits from {operations}: it sees no more by it, but each query asks both policies"
    owner = f"{login} owns the tables (or is a member of their owner): FORCE holds it, but it could lift FORCE"
    doubts = {slower: inherits and not superuser}
    (wrong if serving else doubts)[owner] = owns and not superuser
    return [text for text, true in wrong.items() if true], [text for text, true in doubts.items() if true]


def _admit(cursor: CursorWrapper, login: str, roles: Roles) -> None:
    cursor.execute("SELECT current_setting('server_version_num')::int")
    per_grant = cursor.fetchone()[0] >= _INHERIT_IS_PER_GRANT
    _run(cursor, f"GRANT {_name(roles.operations)} TO {_name(login)}{_WITHOUT_INHERITING if per_grant else ''}")
    if not per_grant and login != roles.owner:
        # Before version 16 an owner has to inherit its right to the schema. Who inherits from the operations role
        # sees no more rows by it, but slower: both policies are asked.
        _run(cursor, f"ALTER ROLE {_name(login)} NOINHERIT")


def _run(cursor: CursorWrapper, statement: str) -> None:
    try:
        cursor.execute(statement)
    except DatabaseError as refusal:
        raise RolesNotReady(
            f"The database's roles are not ready ({str(refusal).strip()}). An administrator prepares them once: "
            "manage.py database_roles | psql -d postgres"
        ) from refusal


def _create(name: str, kind: str) -> str:
    """Return a statement that makes a role where it is missing; two at once are no error."""
    literal = name.replace("'", "''")
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{literal}') THEN "  # noqa: S608  # quoted
        f"CREATE ROLE {_name(name)} {kind}; END IF; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
    )


def _name(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
