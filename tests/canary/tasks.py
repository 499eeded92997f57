"""The job that fails."""

from __future__ import annotations

from observability.jobs import JobKind, Lease, register_kind
from tests.canary.failing import fail


def handle(lease: Lease) -> None:
    fail(int(lease.arguments["number"]))


register_kind(JobKind("canary.fail", handle))
