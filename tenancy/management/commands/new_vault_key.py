"""``manage.py new_vault_key``: prints a fresh master key with the next version. It stores nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tenancy.sealing import new_key
from tenancy.vault import key_text


class Command(BaseCommand):
    help = "Prints a master key for VAULT_MASTER_KEY, with the version after the highest one in use."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        version = max(settings.VAULT_MASTER_KEYS, default=0) + 1
        self.stdout.write(key_text(version, new_key()))
