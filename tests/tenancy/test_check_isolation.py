"""`manage.py check_isolation`: green on what the migrations made, red and by name for each way to weaken it."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tenancy.isolation_check import check_isolation
from tests.files import make_assessed_claim
from tests.people import Person

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row-level security")


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_isolation", *arguments, stdout=out)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_what_the_migrations_made_is_whole(ada: Person, zoe: Person) -> None:
    make_assessed_claim(zoe)
    code, text = run()
    assert (code, text.partition(";")[0]) == (0, f"{connection.vendor}: ok")
    code, text = run("--json")
    document = json.loads(text)
    assert code == 0 and document["ok"] and document["tables"] >= 20 and document["keys"] >= 17
    if connection.vendor == "postgresql":
        assert document["tried"] >= 5  # videos, claims, assessments, the two of its own
    else:
        assert "no row-level security" in document["notes"][0]


RULE = "tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid)"
WEAKENED = {
    "ALTER TABLE claims_claim DISABLE ROW LEVEL SECURITY": "claims_claim: row-level security is not enabled",
    "ALTER TABLE claims_claim NO FORCE ROW LEVEL SECURITY": "claims_claim: row-level security is not forced",
    "DROP POLICY tenant_isolation ON claims_party": "claims_party: policy tenant_isolation is missing",
    "CREATE POLICY support ON claims_party USING (true)": "claims_party: policy support should not be there",
    "ALTER POLICY tenant_isolation ON claims_party USING (true)": "tenant_isolation is not what the migration wrote",
    f"ALTER POLICY tenant_isolation ON claims_party USING ({RULE} OR current_setting('app.admin', true) = '1')": (
        "tenant_isolation is not what the migration wrote"
    ),
    "ALTER POLICY tenant_isolation ON claims_party WITH CHECK (true)": "tenant_isolation is not what the migration",
    "ALTER POLICY operations ON claims_party TO public": "operations is not what the migration wrote",
    "ALTER TABLE claims_claim DROP CONSTRAINT claims_claim_video_tenant": "no foreign key (tenant_id, video_id)",
    "ALTER TABLE reviews_blindlabel DROP CONSTRAINT reviews_blindlabel_isolation": "no unique key (tenant_id, id)",
    "DROP TRIGGER audit_event_no_update ON tenancy_auditevent": "trigger audit_event_no_update is missing",
    "DROP TRIGGER drift_reference_no_truncate ON aiassist_driftreference": "drift_reference_no_truncate is missing",
    "DROP TRIGGER erasure_no_update ON tenancy_erasure": "trigger erasure_no_update is missing",
    "ALTER TABLE tenancy_costrecord DISABLE TRIGGER ledger_no_delete": "trigger ledger_no_delete is missing",
    "CREATE VIEW all_claims AS SELECT * FROM claims_claim": "all_claims: a view without security_invoker",
    "CREATE MATERIALIZED VIEW kept AS SELECT * FROM claims_claim": "kept: a materialized view",
    "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM claims_claim'": (
        "peek: a SECURITY DEFINER function"
    ),
}


@postgresql
@pytest.mark.parametrize("statement", WEAKENED)
def test_each_weakening_is_named(db: None, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    code, text = run()
    assert code == 1
    assert WEAKENED[statement] in text


@postgresql
def test_a_view_with_its_readers_eyes_is_no_finding(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW own WITH (security_invoker = true) AS SELECT * FROM claims_claim")
    assert check_isolation().ok


@postgresql
def test_a_row_that_is_reached_is_told(zoe: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial itself finds an open table, whatever the catalogue says."""
    make_assessed_claim(zoe)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE POLICY support ON claims_claim USING (true)")
    monkeypatch.setattr("tenancy.isolation_check.policy_findings", lambda models: [])
    findings = check_isolation().findings
    assert "claims_claim: another tenant's row is seen" in findings
    assert "claims_claim: a row is changed without a tenant" in findings


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own")
@pytest.mark.parametrize(
    "trigger",
    [
        "audit_event_no_update",
        "ledger_no_replace",
        "erasure_no_delete",
        "incident_event_no_delete",
        "health_report_no_update",
        "drift_look_no_replace",
    ],
)
def test_a_missing_trigger_of_any_floor_is_named_on_sqlite(db: None, trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}")
    code, text = run()
    assert code == 1 and f"FOUND trigger {trigger} is missing" in text
    assert check_isolation().findings == [f"trigger {trigger} is missing"]


@pytest.mark.parametrize("table", ["aiassist_healthreport", "observability_deadletter"])
def test_a_table_that_is_missing_leads_to_migrate_and_not_to_its_policies(db: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")
    code, text = run()
    about = [line for line in text.splitlines() if line.startswith(f"FOUND {table}:")]
    assert (code, about) == (1, [f"FOUND {table}: the table is missing, run migrate"])


@postgresql
def test_a_role_that_owns_the_tables_does_not_serve(db: None, settings: Any) -> None:
    assert any("owns the tables" in note for note in check_isolation().notes)
    settings.FORCE_HTTPS = True
    assert any("owns the tables" in finding for finding in check_isolation().findings)
