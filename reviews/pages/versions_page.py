"""The versions of an assessment on the claim page: what changed, which there are, and whether a newer one has come."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from claims.choices import REASSESSABLE
from claims.models import Assessment, Claim
from claims.pages.badges import Badge, severity_badge
from claims.pages.changes import ChangeRow, change_rows
from claims.selectors import open_reassessment, versions_of
from tenancy.choices import Scope
from tenancy.principals import Principal
from tenancy.selectors import task_visible_to

# A person who writes wants to know soon; a person who waits for the end wants to see it move.
_CALM_SECONDS, _BUSY_SECONDS = 15, 2


@dataclass(frozen=True)
class VersionLine:
    version: int
    created_at: datetime
    severity: Badge
    shown: bool
    url: str


@dataclass(frozen=True)
class VersionPanel:
    """`previous` is None for the first version; `lines` are newest first."""

    previous: int | None
    changes: list[ChangeRow]
    lines: list[VersionLine]


@dataclass(frozen=True)
class News:
    """What the page that shows one version should know: a newer one, or one on its way."""

    url: str
    etag: str
    poll_seconds: int
    newest_version: int | None
    shown_version: int | None
    percent: int | None
    writing: bool


def version_panel(claim: Claim, shown: Assessment, *, newest_id: UUID | None) -> VersionPanel | None:
    """Return the versions of the claim's assessment, None while there is only one."""
    versions = versions_of(claim)
    if len(versions) < 2:
        return None
    lines = [
        VersionLine(
            version=row.version,
            created_at=row.created_at,
            severity=severity_badge(row.severity),
            shown=row.id == shown.id,
            url=_review_url(claim) if row.id == newest_id else version_url(claim, row.version),
        )
        for row in versions
    ]
    return VersionPanel(shown.previous_version, change_rows(shown.changes), lines)


def news_of(claim: Claim, seen: Assessment | None, *, principal: Principal, writing: bool) -> News | None:
    """Return the news for a page that shows `seen`; None where no further assessment can come."""
    if claim.status not in REASSESSABLE:
        return None
    newest = claim.assessment
    has_newer = newest is not None and seen is not None and newest.id != seen.id
    percent = None if has_newer else _running_percent(claim, principal)
    seen_id = seen.id if seen else ""
    mark = f"{newest.version if newest and has_newer else ''}|{percent}|{writing}|{seen_id}"
    return News(
        url=f"{reverse('desk:news', kwargs={'claim_id': claim.id})}?seen={seen_id}&writing={'1' if writing else ''}",
        etag=f'"{hashlib.sha256(mark.encode()).hexdigest()[:32]}"',
        poll_seconds=0 if has_newer else _CALM_SECONDS if percent is None else _BUSY_SECONDS,
        newest_version=newest.version if newest and has_newer else None,
        shown_version=seen.version if seen else None,
        percent=percent,
        writing=writing,
    )


def may_reassess(claim: Claim, *, principal: Principal) -> bool:
    """Whether this person may ask for another assessment of the claim as it stands."""
    return claim.status in REASSESSABLE and Scope.WRITE in principal.scopes and not principal.is_client


def version_url(claim: Claim, version: int) -> str:
    return reverse("desk:version", kwargs={"claim_id": claim.id, "version": version})


def _review_url(claim: Claim) -> str:
    return reverse("desk:claim", kwargs={"claim_id": claim.id})


def _running_percent(claim: Claim, principal: Principal) -> int | None:
    row = open_reassessment(claim)
    return task_visible_to(principal=principal, task_id=row.task_id).progress_percent if row else None
