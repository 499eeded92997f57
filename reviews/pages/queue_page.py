"""The queue as a page shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from claims.choices import ReviewPriority
from claims.models import Claim
from claims.pages.badges import PRIORITY_BADGES, Badge, SetChip, fraud_badge, set_chips, set_words, severity_badge
from claims.words import ago_words, due_words, percent_words, span_words
from reviews.models import ReviewLease
from reviews.pages.fault_bar import FaultBar, fault_bar
from reviews.queue import CLASS_OF_RANK, QueueFilters, reasons_of

_REASONS_SHOWN = 2
_DUE_SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Reason:
    words: str
    points: int


@dataclass(frozen=True)
class Holder:
    name: str
    mine: bool
    until: datetime


@dataclass(frozen=True)
class QueueRow:
    claim_id: UUID
    url: str
    number: str
    received: str
    received_at: datetime
    priority: Badge
    severity: Badge
    confidence: str
    chips: list[SetChip]
    set_words: str
    fault: FaultBar
    fraud: Badge
    fraud_percent: str
    reasons: list[Reason]
    more_reasons: int
    due: str
    due_tone: str
    due_at: datetime
    waiting: str
    holder: Holder | None
    own: bool


@dataclass(frozen=True)
class Tab:
    label: str
    count: int | None
    url: str
    current: bool
    tone: str = ""
    icon: str = ""


def queue_row(claim: Claim, *, viewer_id: UUID | None, urgent_threshold: float, now: datetime) -> QueueRow:
    """Return the claim (with assessment and lease loaded) as a row of the queue."""
    assessment = claim.assessment
    assert assessment is not None and claim.review_due_at and claim.waiting_since  # a constraint of the table
    reasons = reason_rows(claim)
    return QueueRow(
        claim_id=claim.id,
        url=reverse("desk:claim", args=[claim.id]),
        number=claim.claim_number,
        received=ago_words(claim.received_at, now),
        received_at=claim.received_at,
        priority=PRIORITY_BADGES[CLASS_OF_RANK[claim.queue_rank]],
        severity=severity_badge(assessment.severity),
        confidence=percent_words(assessment.confidence * 100),
        chips=set_chips(assessment.prediction_set, assessment.severity),
        set_words=set_words(assessment.prediction_set),
        fault=fault_bar(assessment),
        fraud=fraud_badge(assessment.fraud_risk_score, urgent_threshold),
        fraud_percent=percent_words(round(assessment.fraud_risk_score * 100)),
        reasons=reasons[:_REASONS_SHOWN],
        more_reasons=max(len(reasons) - _REASONS_SHOWN, 0),
        due=due_words(claim.review_due_at, now),
        due_tone=_due_tone(claim.review_due_at, now),
        due_at=claim.review_due_at,
        waiting=span_words(now - claim.waiting_since),
        holder=holder_of(claim, viewer_id=viewer_id, now=now),
        own=claim.submitted_by_id == viewer_id,
    )


def reason_rows(claim: Claim) -> list[Reason]:
    """Return why the claim stands where it stands: that it waited too long first, then by weight."""
    rows = sorted(reasons_of(claim), key=lambda reason: -(reason["points"] or 1000))
    return [Reason(row["detail"], row["points"]) for row in rows]


def holder_of(claim: Claim, *, viewer_id: UUID | None, now: datetime) -> Holder | None:
    """Return who works on the claim right now; a lapsed hold is none."""
    lease = live_lease(claim, now)
    return Holder(str(lease.holder), lease.holder_id == viewer_id, lease.expires_at) if lease else None


def live_lease(claim: Claim, now: datetime) -> ReviewLease | None:
    """Return the claim's hold if it has not lapsed."""
    lease: ReviewLease | None = getattr(claim, "lease", None)
    return lease if lease is not None and lease.expires_at > now else None


def queue_frame(filters: QueueFilters, counts: Mapping[str, int], *, held: int) -> dict[str, Any]:
    """Return what stands around the rows: filters with counts, and what an empty list must say.

    `held` is how many claims the viewer works on, so that one left open in a closed window is not forgotten.
    """
    return {
        "tabs": queue_tabs(counts, filters),
        "switches": queue_switches(filters, held=held),
        "total": sum(counts.get(priority, 0) for priority in ReviewPriority),
        "filtered": filters != QueueFilters(),
    }


def queue_pages(filters: QueueFilters, *, cursor: str | None, next_cursor: str | None) -> dict[str, str]:
    """Return the addresses of the first and the next page, empty where there is none."""
    first = queue_url(filters, priority=filters.priority)
    onward = f"{first}{'&' if '?' in first else '?'}cursor={next_cursor}" if next_cursor else ""
    return {"first_url": first if cursor else "", "next_url": onward}


def queue_tabs(counts: Mapping[str, int], filters: QueueFilters) -> list[Tab]:
    """Return the filter by priority, each with its count and its address (other filters kept)."""
    total = sum(counts.get(priority, 0) for priority in ReviewPriority)
    tabs = [Tab("All", total, queue_url(filters, priority=None), current=filters.priority is None)]
    for priority in ReviewPriority:
        badge, url = PRIORITY_BADGES[priority], queue_url(filters, priority=priority)
        current = filters.priority == priority
        tabs.append(Tab(badge.word, counts.get(priority, 0), url, current, badge.tone, badge.icon))
    return tabs


def queue_switches(filters: QueueFilters, *, held: int) -> list[Tab]:
    """Return the on/off filters with the address that flips each."""
    mine = queue_url(filters, priority=filters.priority, mine=not filters.mine)
    overdue = queue_url(filters, priority=filters.priority, overdue=not filters.overdue)
    return [
        Tab("Held by me", held or None, mine, filters.mine, icon="lock"),
        Tab("Overdue", None, overdue, filters.overdue, icon="clock"),
    ]


def queue_url(
    filters: QueueFilters, *, priority: str | None, mine: bool | None = None, overdue: bool | None = None
) -> str:
    """Return the queue's address with these filters; what is not given stays."""
    chosen = {
        "priority": priority or "",
        "mine": "true" if (filters.mine if mine is None else mine) else "",
        "overdue": "true" if (filters.overdue if overdue is None else overdue) else "",
    }
    words = urlencode({name: value for name, value in chosen.items() if value})
    return reverse("desk:queue") + (f"?{words}" if words else "")


def queue_etag(rows: Iterable[QueueRow], counts: Mapping[str, int], *extra: object) -> str:
    """Return a strong tag of everything the list shows, so that an unchanged list is not drawn again."""
    seen = repr((list(rows), sorted(counts.items()), extra))
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def _due_tone(due_at: datetime, now: datetime) -> str:
    if due_at <= now:
        return "danger"
    return "warn" if due_at - now < _DUE_SOON else ""
