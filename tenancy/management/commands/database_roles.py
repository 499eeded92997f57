"""`manage.py database_roles | psql -d postgres`: what an administrator of the database runs once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from tenancy.database_roles import administrator_script, configured_roles


class Command(BaseCommand):
    help = "Print the SQL that makes the roles of DATABASE_URL and DATABASE_OWNER_URL, for an administrator to run."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--postgres-16", action="store_true", help="the server is PostgreSQL 16 or newer")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("DATABASE_URL leads to SQLite, which has no roles.")
        self.stdout.write("-- Set the passwords of new login roles with \\password ROLE.", ending="\n")
        self.stdout.write(
            administrator_script(configured_roles(), inherit_is_per_grant=options["postgres_16"]), ending=""
        )
