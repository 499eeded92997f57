"""Files of the audit commands: read with a clear refusal, written for their owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError

from observability.errors import PlatformError
from tenancy.models import Tenant
from tenancy.trail.checkpoints import Checkpoint, read_checkpoint

_USAGE, _NOT_FOUND = 2, 3


def tenant_named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}.", returncode=_NOT_FOUND)
    return tenant


def checkpoint_in(path: Path, tenant: Tenant) -> Checkpoint:
    """Return the checkpoint in the file; ends the command when it is none, or another tenant's."""
    try:
        found = read_checkpoint(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"{path} cannot be read.", returncode=_USAGE) from problem
    except PlatformError as problem:
        raise CommandError(f"{path}: {problem}", returncode=_USAGE) from problem
    if found.tenant_id != tenant.id:
        raise CommandError(f"{path} is a checkpoint of another tenant.", returncode=_USAGE)
    return found


def write_private_file(path: Path, lines: Iterable[str]) -> int:
    """Write the lines to a file that appears whole or not at all; return how many."""
    partial, count = path.with_name(f"{path.name}.{os.getpid()}.partial"), 0
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(line)
                count += 1
        partial.replace(path)
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror}.", returncode=1) from problem
    return count
