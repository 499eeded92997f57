"""Handing in claims as people do: small real videos, forms over HTTP, and a look at what was left behind."""

from __future__ import annotations

import functools
import struct
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from claims.intake import quarantine_stream
from claims.models import Claim, VideoFile
from claims.services import LossNotice, Receipt, receive_claim
from observability.models import Job
from tenancy.scope import every_tenant, tenant_scope
from tests.aiassist.video.clips import street, write_clip
from tests.people import Person

UPLOAD = "/api/v1/claims/upload"


@functools.cache
def _clip() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_clip(Path(folder) / "clip.mp4", street(6)).read_bytes()


def clip(mark: str = "one") -> bytes:
    """Return a playable video; another mark gives other bytes (a `free` box at the end, which players skip)."""
    note = mark.encode()
    return _clip() + struct.pack(">I4s", 8 + len(note), b"free") + note


def video_file(content: bytes | None = None, name: str = "drive.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, clip() if content is None else content, content_type="video/mp4")


def hand_in(client: APIClient, number: str = "CLM-1", content: bytes | None = None, **fields: Any) -> Any:
    """Post an upload form; `fields` replaces or adds form fields (None leaves one out)."""
    form: dict[str, Any] = {"claim_number": number, "video": video_file(content), **fields}
    return client.post(UPLOAD, {k: v for k, v in form.items() if v is not None}, format="multipart")


def receive(person: Person, number: str = "CLM-1", content: bytes | None = None) -> Receipt:
    """Hand a claim in without HTTP."""
    with tenant_scope(person.tenant.id):
        upload = quarantine_stream([clip() if content is None else content], name="drive.mp4")
        return receive_claim(
            actor=person.principal, notice=LossNotice(claim_number=number), upload=upload, now=timezone.now()
        )


def files_in(folder: object) -> list[str]:
    """Return the files below the folder, which may be missing."""
    root = Path(str(folder))
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def left_behind() -> dict[str, int]:
    """Count what a refused upload must not leave anywhere."""
    with every_tenant("a test counts"):
        return {
            "quarantined files": len(files_in(settings.QUARANTINE_DIR)),
            "stored files": len(files_in(settings.MEDIA_ROOT)),
            "claims": Claim.objects.count(),
            "videos": VideoFile.objects.count(),
            "jobs": Job.objects.count(),
        }


NOTHING = {"quarantined files": 0, "stored files": 0, "claims": 0, "videos": 0, "jobs": 0}
