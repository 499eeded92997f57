"""What a server refuses to start with, and the same as Django's deployment checks.

Production is where `FORCE_HTTPS` is on: there is no second switch that could disagree with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as DatabaseProblem
from django.db import connection

from observability.incidents.checks import runbook_problems
from tenancy.database_roles import role_findings


def start_problems() -> list[str]:
    """Return why a server must not start with these settings, each in one line."""
    problems = []
    if not settings.SECRET_KEY_IS_SET:
        problems.append("SECRET_KEY: must be set (or SECRET_KEY_FILE); `manage.py quickstart` makes one by itself")
    if not settings.VAULT_MASTER_KEYS:
        problems.append(
            "VAULT_MASTER_KEY: must be set (or VAULT_MASTER_KEY_FILE); `manage.py new_vault_key` prints one, "
            "`manage.py quickstart` makes one by itself"
        )
    problems += runbook_problems()
    if not settings.FORCE_HTTPS:
        return problems
    if settings.DEBUG:
        problems.append("DEBUG: must be off where FORCE_HTTPS is on")
    if "*" in settings.ALLOWED_HOSTS:
        problems.append("ALLOWED_HOSTS: must name the hosts where FORCE_HTTPS is on, not *")
    if settings.WEBHOOK_ALLOW_LOOPBACK:
        problems.append("WEBHOOK_ALLOW_LOOPBACK: must be off where FORCE_HTTPS is on")
    insecure = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://")]
    if insecure:
        problems.append("CSRF_TRUSTED_ORIGINS: must all be https:// where FORCE_HTTPS is on")
    if [origin for origin in settings.CORS_ORIGINS if not origin.startswith("https://")]:
        problems.append("CORS_ORIGINS: must all be https:// where FORCE_HTTPS is on")
    return problems


def role_problem() -> str:
    """Return why the database role must not serve: row-level security does not bind it, or it could lift it."""
    if not settings.FORCE_HTTPS or connection.vendor != "postgresql":
        return ""
    try:
        wrong, _weaker = role_findings(serving=True)
    except DatabaseProblem:
        return ""  # away right now: readiness tells, and nothing can be served before it is back
    finally:
        connection.close()
    return f"DATABASE_URL: {wrong[0]}; see docs/isolation.md" if wrong else ""


def refuse_unsafe_start() -> None:
    """Leave with exit code 2 and one line if a server must not start like this."""
    problems = start_problems() or [role_problem()]
    if problems[0]:
        sys.stderr.write(f"claimwright: {problems[0]}\n")
        raise SystemExit(2)


@register(Tags.security, deploy=True)
def check_start(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Report as errors of `check --deploy` what a server refuses to start with."""
    return [Error(problem, id=f"claimwright.E{number:03d}") for number, problem in enumerate(start_problems(), 1)]
