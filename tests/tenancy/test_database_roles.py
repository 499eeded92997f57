"""A role that owns and a role that serves, as production has them: real logins on the tests' own database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as project
from django.db import connection

from tenancy.database_roles import Roles, administrator_script, row_grants
from tests.files import make_claim
from tests.people import Person

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
SERVING = "claimwright_test_serving"


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def serving(transactional_db: None) -> Iterator[str]:
    """The address of the test database for a login that owns nothing, with the grants of the administrator's script."""
    here = connection.settings_dict
    name = f"{SERVING}_{os.getpid()}"
    roles = Roles(here["USER"], name, project.DATABASE_OPERATIONS_ROLE, here["NAME"])
    execute(
        f"CREATE ROLE {name} LOGIN NOINHERIT PASSWORD 'serving'",
        f"GRANT {roles.operations} TO {name}",
        *row_grants(roles),
    )
    yield f"postgres://{name}:serving@{here['HOST']}:{here['PORT']}/{here['NAME']}"
    execute(f"GRANT {name} TO CURRENT_USER", f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def manage(address: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    here = connection.settings_dict
    owner = f"postgres://{here['USER']}:{quote(here['PASSWORD'])}@{here['HOST']}:{here['PORT']}/{here['NAME']}"
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "DATABASE_OWNER_URL": owner, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_serving_role_reaches_no_other_tenant_and_the_owner_migrates(serving: str, zoe: Person) -> None:
    make_claim(zoe)
    checked = manage(serving, "check_isolation", "--json", FORCE_HTTPS="true")
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["findings"], report["notes"]) == (0, [], []), checked.stderr
    assert report["tried"] >= 4
    migrated = manage(serving, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr


def test_a_serving_role_that_may_empty_tables_is_named(serving: str, zoe: Person) -> None:
    name = serving.split("//")[1].split(":")[0]
    execute(f"GRANT TRUNCATE ON claims_claim TO {name}", f"REVOKE {project.DATABASE_OPERATIONS_ROLE} FROM {name}")
    checked = manage(serving, "check_isolation")
    assert checked.returncode == 1
    assert f"{name} may TRUNCATE" in checked.stdout and f"{name} may not become" in checked.stdout


def test_a_migration_by_a_role_that_is_not_let_tells_what_to_do(serving: str) -> None:
    refused = manage(serving, "migrate", DATABASE_OWNER_URL=serving, DATABASE_OPERATIONS_ROLE="claimwright_unheard_of")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "CommandError: The database's roles are not ready (permission denied to create role"
    )
    assert "manage.py database_roles | psql" in refused.stderr


def test_the_owner_leads_to_the_same_database(serving: str) -> None:
    refused = manage(serving, "migrate", DATABASE_OWNER_URL="postgres://owner:x@127.0.0.1/another")
    assert refused.returncode == 2
    assert refused.stderr == "claimwright: DATABASE_OWNER_URL: must lead to the same database as DATABASE_URL\n"


def test_the_administrators_script_names_no_secret_and_limits_every_role(serving: str) -> None:
    script = manage(serving, "database_roles").stdout
    assert ":serving" not in script
    roles = Roles("o", 'a"pp', "ops", "db")
    text = administrator_script(roles)
    assert 'CREATE ROLE "a""pp" LOGIN' in text and 'ALTER ROLE "a""pp" NOINHERIT' in text
    assert text.count("NOSUPERUSER NOBYPASSRLS") == 3
    assert "TRUNCATE" not in text and "REFERENCES" not in text
    assert "WITH INHERIT FALSE" in administrator_script(roles, inherit_is_per_grant=True)
