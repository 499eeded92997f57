from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from config import checks

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "FORCE_HTTPS": "true",
    "SECRET_KEY": "k9$Tq7-" * 10,
    "VAULT_MASTER_KEY": "A" * 43 + "=",
    "ALLOWED_HOSTS": "claims.example.com",
}


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the environment alone, as a service manager would."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("server", "code"), [(("manage.py", "worker"), 2), (("-c", "import config.wsgi"), 3)], ids=["worker", "web"]
)
def test_server_without_a_secret_key_ends_with_one_line(tmp_path: Path, server: tuple[str, ...], code: int) -> None:
    ended = run(tmp_path, *server)
    assert ended.returncode == code
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("claimwright: SECRET_KEY: must be set")


def test_web_server_that_is_refused_ends_instead_of_trying_for_ever(tmp_path: Path) -> None:
    bind = ("--bind", f"unix:{tmp_path / 'socket'}", "--no-control-socket")
    ended = run(tmp_path, "-m", "gunicorn", "config.wsgi", *bind)
    assert ended.returncode == 3  # gunicorn's own word for a worker that cannot start
    assert ended.stderr.count("claimwright: SECRET_KEY: must be set") == 1, ended.stderr


def test_server_without_a_master_key_for_personal_data_ends_with_one_line(tmp_path: Path) -> None:
    ended = run(tmp_path, "manage.py", "worker", SECRET_KEY=PRODUCTION["SECRET_KEY"])
    assert ended.returncode == 2
    assert ended.stderr.startswith("claimwright: VAULT_MASTER_KEY: must be set") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("keys", ["short", "1:" + "A" * 43 + "=,1:" + "B" * 43 + "=", "x:" + "A" * 43 + "="])
def test_master_keys_that_cannot_be_used_are_named_and_never_shown(tmp_path: Path, keys: str) -> None:
    ended = run(tmp_path, "manage.py", "check", VAULT_MASTER_KEY=keys)
    assert ended.returncode == 2
    assert ended.stderr.startswith("claimwright: VAULT_MASTER_KEY: ") and "AAAA" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEBUG", "true"), ("ALLOWED_HOSTS", "*"), ("CSRF_TRUSTED_ORIGINS", "http://claims.example.com")],
)
def test_server_refuses_to_be_unsafe_in_production(tmp_path: Path, name: str, value: str) -> None:
    ended = run(tmp_path, "manage.py", "worker", **{**PRODUCTION, name: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"claimwright: {name}: "), ended.stderr


def test_check_deploy_is_clean_with_production_settings(tmp_path: Path) -> None:
    ended = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    # The schema's own findings are the business of the schema's tests.
    found = [line for line in ended.stderr.splitlines() if line.startswith("?: (") and "drf_spectacular" not in line]
    assert found == []


def test_check_deploy_reports_what_a_server_refuses_to_start_with(settings: object) -> None:
    settings.FORCE_HTTPS, settings.DEBUG = True, True  # type: ignore[attr-defined]
    assert [message.id for message in checks.check_start(None)] == ["claimwright.E001"]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="roles are PostgreSQL's")
def test_server_refuses_a_role_that_row_level_security_does_not_bind(settings: object) -> None:
    assert checks.role_problem() == ""
    settings.FORCE_HTTPS = True  # type: ignore[attr-defined]
    # The role of the tests owns what it has migrated.
    assert checks.role_problem().startswith("DATABASE_URL: ")
