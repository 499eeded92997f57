"""Looks for drift at the newest claims: what is due is worked off in order, each look once, whoever does it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from aiassist.assessment.severity import load_model
from aiassist.choices import EngineAction
from aiassist.models import DriftLook, DriftReference, Observation
from aiassist.monitoring.drift import (
    LOOK_EVERY_CLAIMS,
    REFERENCE_CLAIMS,
    WINDOW_CLAIMS,
    LookVerdict,
    Sample,
    alpha_for,
    judge,
)
from aiassist.monitoring.shift import Floats
from aiassist.types import Outcome, Severity
from observability.errors import Conflict
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal

CLASSES = (*[str(label) for label in Severity], str(Outcome.NOT_ASSESSABLE))
FRAUD_FEATURE = "fraud_risk_score"
# An episode ends when so many looks in a row were calm: the window holds nothing older by then.
CALM_LOOKS = 3
# A commit that is later than its own time would else be passed by.
_SETTLED = timedelta(seconds=60)
_COLUMNS = ("outcome", "severity", "features", FRAUD_FEATURE, "degraded", "human_severity", "observed_at", "id")
Seen = dict[str, Any]


class TooFewClaims(Conflict):
    """There are not yet as many claims as a reference is made of."""

    code = "too_few_claims"
    message = f"A reference is made of {REFERENCE_CLAIMS:,} claims; there are fewer."


@dataclass(frozen=True)
class Place:
    """A claim's place in the stream."""

    at: datetime
    id: UUID

    def later(self) -> Q:
        # The first condition alone lets the index begin there.
        return Q(observed_at__gte=self.at) & (Q(observed_at__gt=self.at) | Q(id__gt=self.id))


def stream(*, now: datetime) -> QuerySet[Observation]:
    """Return the fresh claims of the tenant in scope in their order."""
    rows = Observation.objects.filter(repeated=False, backfilled=False, observed_at__lt=now - _SETTLED)
    return rows.order_by("observed_at", "id")


def newest_reference() -> DriftReference | None:
    found: DriftReference | None = DriftReference.objects.order_by("-number").first()
    return found


def newest_look(reference: DriftReference | None) -> DriftLook | None:
    """Return the last look at the reference, None before the first."""
    if reference is None:
        return None
    found: DriftLook | None = DriftLook.objects.filter(reference=reference).order_by("-number").first()
    return found


def reference_in_force(*, now: datetime) -> DriftReference | None:
    """Return the reference of the present severity model, begun with its first claim; None while it has none.

    Writes DriftReference when a model's first claims have come in.
    """
    version, newest = load_model().version, newest_reference()
    if newest is not None and newest.model_version == version:
        return newest
    last = stream(now=now).last()
    if last is None or last.model_version != version:
        return None
    since = Q(observed_at__gte=newest.started_at) if newest else Q()
    first = stream(now=now).filter(since, model_version=version).first()
    assert first is not None  # the last one is such a row
    try:
        with transaction.atomic():
            return _insert_reference(
                newest, first.observed_at, by="system", reason="first claims of the model", now=now
            )
    except IntegrityError:  # another worker was first; what it wrote is as good
        return newest_reference()


@transaction.atomic(durable=True)
def accept_newest_claims(*, actor: Principal, reason: str, now: datetime) -> DriftReference:
    """Make the newest claims the reference: what is seen now is the new normal. Ends the episode.

    Writes DriftReference, AuditEvent. Raises PermissionRefused, TooFewClaims.
    """
    require_scope(actor, Scope.ADMIN)
    newest = stream(now=now).reverse().values_list("observed_at", flat=True)
    first = newest[REFERENCE_CLAIMS - 1 : REFERENCE_CLAIMS].first() if newest.exists() else None
    if first is None:
        raise TooFewClaims
    before = newest_reference()
    made = _insert_reference(before, first, by=actor.name[:80], reason=reason, now=now)
    record_event(
        action=EngineAction.DRIFT_REFERENCE_SET,
        actor=actor,
        object_type="drift_reference",
        object_id=made.id,
        now=now,
        before={"number": before.number if before else None},
        after={"number": made.number, "started_at": made.started_at},
        reason=reason,
    )
    return made


def _insert_reference(
    before: DriftReference | None, started_at: datetime, *, by: str, reason: str, now: datetime
) -> DriftReference:
    made: DriftReference = DriftReference.objects.create(
        number=(before.number if before else 0) + 1,
        model_version=load_model().version,
        started_at=started_at,
        set_by=by,
        reason=reason,
        created_at=now,
    )
    return made


@dataclass(frozen=True)
class DueLook:
    """The next look: at the window that ends with the claim at `until`, `elapsed` after the one before."""

    number: int
    until: Place
    elapsed: timedelta
    before: DriftLook | None


def next_look(reference: DriftReference, *, now: datetime) -> DueLook | None:
    """Return the look that is due; None while too few claims have come in since the last."""
    last = newest_look(reference)
    if last is not None:
        begins, needed = Place(last.until_at, last.until_id), LOOK_EVERY_CLAIMS
    else:
        end = _end_of(reference, now=now)
        if end is None:
            return None
        begins, needed = end, WINDOW_CLAIMS
    found = stream(now=now).filter(begins.later()).values_list("observed_at", "id")[needed - 1 : needed].first()
    if found is None:
        return None
    until = Place(*found)
    return DueLook(last.number + 1 if last else 1, until, until.at - begins.at, last)


def look(reference: DriftReference, due: DueLook, *, now: datetime) -> LookVerdict:
    """Judge the window against the reference; reads only."""
    known = list(_reference_rows(reference, now=now).values(*_COLUMNS))
    window = stream(now=now).filter(~due.until.later() & Q(observed_at__lte=due.until.at)).reverse()
    seen = list(window.values(*_COLUMNS)[:WINDOW_CLAIMS])
    decided = _newest_decisions(Place(known[-1]["observed_at"], known[-1]["id"]), until=due.until.at)
    return judge(
        sample_of(known, decided=[row for row in known if row["human_severity"]]),
        sample_of(seen, decided=decided),
        alpha=alpha_for(due.elapsed),
    )


@transaction.atomic
def record_look(reference: DriftReference, due: DueLook, verdict: LookVerdict, *, now: datetime) -> DriftLook | None:
    """Keep the look; None when another worker has written it meanwhile. Writes DriftLook."""
    calm = 0 if verdict.alarm else (due.before.calm_looks + 1 if due.before else 1)
    was_in = due.before is not None and due.before.in_episode
    try:
        with transaction.atomic():
            made: DriftLook = DriftLook.objects.create(
                reference=reference,
                number=due.number,
                until_at=due.until.at,
                until_id=due.until.id,
                alpha=verdict.alpha,
                level=verdict.level,
                alarm=verdict.alarm,
                calm_looks=min(calm, 30_000),
                in_episode=verdict.alarm or (was_in and calm < CALM_LOOKS),
                findings=findings_of(verdict),
                looked_at=now,
            )
            return made
    except IntegrityError:
        return None


def findings_of(verdict: LookVerdict) -> dict[str, Any]:
    """Return the verdict as it is stored and shown: plain values, the strongest features first."""
    features = sorted(verdict.features, key=lambda found: (found.p_value, -found.distance))
    return {
        "features": [_rounded(asdict(found)) for found in features],
        "covariate_level": str(verdict.covariate_level),
        **{name: _rounded(asdict(getattr(verdict, name))) for name in ("predictions", "agreement", "service")},
    }


def sample_of(rows: Sequence[Seen], *, decided: Iterable[Seen]) -> Sample:
    """Return what the judge needs of stored claims."""
    assessed = [row for row in rows if row["outcome"] == Outcome.ASSESSED]
    read = [scale.name for scale in load_model().scales]
    features = {name: _column(row["features"].get(name) for row in assessed) for name in read}
    features[FRAUD_FEATURE] = _column(row[FRAUD_FEATURE] for row in assessed)
    shown = [row["severity"] or row["outcome"] for row in rows]
    judged = [row["severity"] == row["human_severity"] for row in decided if row["severity"]]
    return Sample(
        claims=len(rows),
        features=features,
        classes=np.array([shown.count(name) for name in CLASSES], dtype=np.int64),
        degraded=sum(row["degraded"] for row in rows),
        agreed=sum(judged),
        decided=len(judged),
    )


def reference_progress(reference: DriftReference | None, *, now: datetime) -> int:
    """Return how many claims the reference has so far, up to as many as it is made of."""
    return _reference_rows(reference, now=now).count() if reference else 0


def _reference_rows(reference: DriftReference, *, now: datetime) -> QuerySet[Observation]:
    return stream(now=now).filter(observed_at__gte=reference.started_at)[:REFERENCE_CLAIMS]


def _end_of(reference: DriftReference, *, now: datetime) -> Place | None:
    rows = stream(now=now).filter(observed_at__gte=reference.started_at).values_list("observed_at", "id")
    found = rows[REFERENCE_CLAIMS - 1 : REFERENCE_CLAIMS].first()
    return Place(*found) if found else None


def _newest_decisions(after: Place, *, until: datetime) -> list[Seen]:
    rows = Observation.objects.filter(after.later(), decided_at__lte=until, outcome=Outcome.ASSESSED)
    return list(rows.order_by("-decided_at", "-id").values("severity", "human_severity")[:WINDOW_CLAIMS])


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _rounded(found: dict[str, Any]) -> dict[str, Any]:
    """Return the values with as many digits as they mean; a p-value keeps its order of magnitude."""
    plain: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            plain[name] = _rounded(value)
        elif isinstance(value, float):
            plain[name] = float(f"{value:.3g}") if name == "p_value" else round(value, 4)
        else:
            plain[name] = value
    return plain
