"""What is kept about a person, for that person: their claims as they told them, what was measured, what was decided.

Found by the blind index and then held against what the index stands for, so that two people whose numbers look alike
to the index are not mixed up. Signs of fraud and the order of work are left out, as on the claimant's own pages.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from claims.choices import ClaimAction
from claims.errors import SubjectNotFound
from claims.link_keys import email_spelling, phone_spelling
from claims.models import Assessment, Claim, LinkKey, LinkKeyKind
from claims.selectors import claimant_of, evidence_of, resubmissions_of
from claims.serializers import assessment_data, claim_data
from reviews.selectors import decisions_of, history_of
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.vault import known_index

FORMAT = "claimwright-subject-export-1"
_ABOUT = (
    "Everything that is kept about you in connection with these claims. Times are UTC. The video and the pictures are "
    "named with their size and SHA-256; ask for a copy of them with these numbers."
)


def claims_of_person(*, email: str = "", phone: str = "") -> list[Claim]:
    """Return the claims of the tenant in scope whose claimant has this e-mail address or telephone number.

    Raises SubjectNotFound, and VaultUnreadable when the index cannot be used.
    """
    index = known_index()
    spelled = {LinkKeyKind.EMAIL: email_spelling(email), LinkKeyKind.PHONE: phone_spelling(phone)}
    found: list[Claim] = []
    for kind, text in spelled.items():
        if index is None or not text:
            continue
        shared = LinkKey.objects.filter(kind=kind, digest=index.digest(kind, text)).values("claim_id")
        claims = Claim.objects.select_related("video", "policy", "subject_key", "assessment").filter(id__in=shared)
        found += [claim for claim in claims.order_by("id") if claim not in found and _is_theirs(claim, email, phone)]
    if not found:
        raise SubjectNotFound
    return found


def export_claims(*, actor: Principal, claims: Sequence[Claim], now: datetime) -> bytes:
    """Return a zip file with `subject.json` and note the export in each claim's history.

    Raises PermissionRefused. Claims carry video, policy and key.
    """
    require_scope(actor, Scope.ADMIN)
    document = {
        "format": FORMAT,
        "about": _ABOUT,
        "made_at": now,
        "claims": [_claim_document(claim) for claim in claims],
    }
    _record(actor, claims, now)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("subject.json", json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
    return packed.getvalue()


@transaction.atomic(durable=True)
def _record(actor: Principal, claims: Sequence[Claim], now: datetime) -> None:
    for claim in claims:
        record_event(action=ClaimAction.EXPORTED, actor=actor, object_type="claim", object_id=claim.id, now=now)


def _claim_document(claim: Claim) -> dict[str, Any]:
    facts = claim_data(claim, claimant=claimant_of(claim), resubmissions=None)
    facts.pop("links")
    facts["resubmissions"] = [
        {"claim_number": again.claim_number, "received_at": again.received_at} for again in resubmissions_of(claim)
    ]
    opinions = list(Assessment.objects.filter(claim_id=claim.id).order_by("version"))
    return {
        **facts,
        "policy_holder": claim.policy.holder_name if claim.policy is not None and claim.erased_at is None else None,
        "assessments": [assessment_data(opinion, redacted=True) for opinion in opinions],
        "decisions": [
            {"decision": made.decision, "decided_at": made.decided_at, "reasoning": made.reasoning}
            for made in decisions_of(claim)
        ],
        "history": [{"event": event.event, "at": event.at} for event in history_of(claim_id=claim.id)],
        "media": [] if claim.media_removed_at is not None else _media(claim, opinions),
    }


def _media(claim: Claim, opinions: Sequence[Assessment]) -> list[dict[str, Any]]:
    video = claim.video
    listed: list[dict[str, Any]] = [
        {"kind": "video", "media_type": video.media_type, "size_bytes": video.size_bytes, "sha256": video.sha256}
    ]
    return listed + [
        {"kind": "picture", "media_type": "image/jpeg", "evidence_id": str(item.id), "at_seconds": item.at_seconds}
        for opinion in opinions
        for item in evidence_of(opinion)
        if item.image_key
    ]


def _is_theirs(claim: Claim, email: str, phone: str) -> bool:
    party = claimant_of(claim)
    if party is None:
        return False
    contact = party.contact
    same_mail = bool(email) and email_spelling(contact.email) == email_spelling(email)
    return same_mail or (bool(phone) and _same_number(contact.phone, phone))


def _same_number(one: str, other: str) -> bool:
    """Whether one number is the other with or without its country and trunk prefix."""
    a, b = (re.sub(r"\D", "", text).lstrip("0") for text in (one, other))
    return bool(a) and bool(b) and (a.endswith(b) or b.endswith(a))
