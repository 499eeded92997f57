"""The only writer of an incident's timeline: one row, masked, in the transaction of what it tells."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from observability.errors import PlatformError
from observability.incidents.actors import Actor
from observability.incidents.choices import TimelineKind
from observability.incidents.models import IncidentEvent
from observability.masking import mask_text


def tell(
    *, number: int, kind: TimelineKind, actor: Actor, now: datetime, text: str = "", step: int | None = None
) -> IncidentEvent:
    """Append one row; raises PlatformError `timeline_outside` outside a transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("The timeline is written with its change, in one transaction.", code="timeline_outside")
    return IncidentEvent.objects.create(
        incident_id=number,
        kind=kind,
        at=now,
        by=actor.id[:64],
        by_name=actor.name[:150],
        text=mask_text(text),
        step=step,
    )
