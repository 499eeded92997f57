"""Many people doing the same thing at the same moment, each over a database connection of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from django.db import connection

from tenancy.scope import tenant_scope

Outcome = TypeVar("Outcome")


def at_once(tenant_id: UUID, deeds: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Do all deeds at once in the tenant's scope; what one raises is raised here."""
    gate = threading.Barrier(len(deeds))

    def act(deed: Callable[[], Outcome]) -> Outcome:
        try:
            with tenant_scope(tenant_id):
                gate.wait(timeout=30)
                return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(act, deeds))
