"""Reading the claim file: what a person may see, and what the API and the desk show of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from claims.choices import REASSESSABLE, ReassessmentState
from claims.errors import AssessmentNotFound, AssessmentNotReady, ClaimNotFound, EvidenceNotFound, MediaRemoved
from claims.link_keys import plate_spelling
from claims.models import Assessment, Claim, Evidence, LinkKey, LinkKeyKind, Party, Reassessment, Resubmission
from claims.redaction import HIDDEN_STAGES
from claims.visibility import visible_claims
from observability.errors import FieldProblem, InvalidInput
from tenancy.errors import VaultUnreadable
from tenancy.principals import Principal
from tenancy.vault import BlindIndex, known_index

log = structlog.get_logger(__name__)

# Columns of an opinion that a list never shows: curves and hazards of one claim are longer than a page of rows.
_HEAVY_COLUMNS = (
    "signals",
    "hazards",
    "fraud_indicators",
    "fraud_circumstances",
    "fault_rules",
    "probabilities",
    "model_probabilities",
    "summary",
)
# Each word is three comparisons; SQLite refuses expressions that are a thousand deep.
_MOST_WORDS = 8
# The filters of a run, by the columns that they compare.
_RUN_COLUMNS = {
    "status": "status",
    "priority": "review_priority",
    "received_after": "received_at__gte",
    "received_before": "received_at__lt",
    "assessed_before": "assessment__created_at__lt",
    "degraded": "assessment__degraded",
    "model_version": "assessment__model_version",
}


def claims_visible_to(principal: Principal) -> QuerySet[Claim]:
    """Return the tenant's claims that the principal may see, each with its newest opinion's short part."""
    deferred = [f"assessment__{column}" for column in _HEAVY_COLUMNS]
    claims = Claim.objects.select_related("assessment", "subject_key").defer(*deferred)
    return claims.filter(visible_claims(principal))


def claims_found(claims: QuerySet[Claim], words: str) -> QuerySet[Claim]:
    """Return those of the claims that carry every one of the words in claim or policy number, or as a whole plate.

    A plate is compared by its digest, so a part of one finds nothing; place and description are sealed and not
    searched. Raises InvalidInput for more words than a person would type.
    """
    if len(words.split()) > _MOST_WORDS:
        raise InvalidInput(problems=[FieldProblem("/q", "too_many_words", f"At most {_MOST_WORDS} words.")])
    if not words.split():
        return claims
    index = _index_for_search()
    every = Q()
    for word in words.split():
        every &= Q(claim_number__icontains=word) | Q(policy_number__icontains=word) | _with_plate(word, index)
    return claims.filter(every | _with_plate(words, index))  # "B AB 1234" is one plate in three words


def _index_for_search() -> BlindIndex | None:
    try:
        return known_index()
    except VaultUnreadable as problem:
        log.error("search_without_plates", code=problem.code)
        return None


def _with_plate(text: str, index: BlindIndex | None) -> Q:
    spelled = plate_spelling(text)
    if index is None or not spelled:
        return Q(pk__in=[])
    digest = index.digest(LinkKeyKind.PLATE, spelled)
    return Q(id__in=LinkKey.objects.filter(kind=LinkKeyKind.PLATE, digest=digest).values("claim_id"))


def claim_visible_to(*, principal: Principal, claim_id: UUID) -> Claim:
    """Return the claim with its video and opinion; raises ClaimNotFound, also for another tenant's or person's."""
    claim = claims_visible_to(principal).select_related("video", "policy").filter(id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    return claim


def claim_named(*, principal: Principal, name: str) -> Claim:
    """Return the claim of that number or, failing that, id; raises ClaimNotFound."""
    claims = claims_visible_to(principal)
    found = claims.filter(claim_number=name).first()
    if found is None:
        try:
            found = claims.filter(id=UUID(name)).first()
        except ValueError as error:
            raise ClaimNotFound(f"There is no claim {name!r}.") from error
    if found is None:
        raise ClaimNotFound(f"There is no claim {name!r}.")
    return found


def claim_progress(*, principal: Principal, claim_id: UUID) -> Claim:
    """Return the claim with its progress alone (one narrow read: this is polled); raises ClaimNotFound."""
    columns = ("id", "tenant", "submitted_by", "status", "stage", "progress_percent", "attempts", "error_code")
    times = ("received_at", "started_at", "finished_at")
    claims = Claim.objects.only(*columns, *times, "version").filter(visible_claims(principal), id=claim_id)
    claim: Claim | None = claims.first()
    if claim is None:
        raise ClaimNotFound
    return claim


def latest_assessment(claim: Claim) -> Assessment:
    """Return the newest opinion with everything in it; raises AssessmentNotReady."""
    assessment: Assessment | None = Assessment.objects.filter(id=claim.assessment_id).first()
    if assessment is None:
        raise AssessmentNotReady
    return assessment


def assessment_of_version(claim: Claim, version: int) -> Assessment:
    """Return one of the claim's opinions, also an older one; raises AssessmentNotFound."""
    assessment: Assessment | None = Assessment.objects.filter(claim_id=claim.id, version=version).first()
    if assessment is None:
        raise AssessmentNotFound
    return assessment


def versions_of(claim: Claim) -> list[Assessment]:
    """Return the claim's opinions, newest first, each with its short part."""
    return list(Assessment.objects.filter(claim_id=claim.id).defer(*_HEAVY_COLUMNS).order_by("-version"))


def open_reassessment(claim: Claim) -> Reassessment | None:
    """Return the claim's place in the task that is to assess it again, None when nobody asked."""
    rows = Reassessment.objects.filter(claim_id=claim.id, state=ReassessmentState.PENDING)
    found: Reassessment | None = rows.first()
    return found


def reassessable_claim_ids(*, principal: Principal, filters: Mapping[str, Any], limit: int) -> list[UUID]:
    """Return the first claims of the queue that the filters leave, without those that are being done already.

    `filters` is checked (`claims/inputs.py`).
    """
    open_rows = Reassessment.objects.filter(claim_id=OuterRef("id"), state=ReassessmentState.PENDING)
    claims = claims_visible_to(principal).filter(~Exists(open_rows), status__in=REASSESSABLE)
    chosen = {_RUN_COLUMNS[name]: value for name, value in filters.items()}
    ordered = claims.filter(**chosen).order_by("queue_rank", "review_due_at", "id")
    return list(ordered.values_list("id", flat=True)[:limit])


def evidence_of(assessment: Assessment) -> list[Evidence]:
    """Return the measured facts behind an opinion, in their order."""
    return list(Evidence.objects.filter(assessment_id=assessment.id).order_by("position"))


def evidence_visible_to(*, principal: Principal, evidence_id: UUID) -> Evidence:
    """Return one measured fact that has a picture; raises EvidenceNotFound."""
    pictures = Evidence.objects.exclude(image_key="").select_related("assessment__claim")
    visible = visible_claims(principal, claim="assessment__claim")
    evidence: Evidence | None = pictures.filter(visible, id=evidence_id).first()
    if evidence is None or (principal.is_client and evidence.stage in HIDDEN_STAGES):
        raise EvidenceNotFound
    if evidence.assessment.claim.media_removed_at is not None:
        raise MediaRemoved
    return evidence


def claimant_of(claim: Claim) -> Party | None:
    """Return who claims, if it was told."""
    party: Party | None = Party.objects.filter(claim_id=claim.id).order_by("id").first()
    if party is not None:
        party.claim = claim  # whose key opens it
    return party


def resubmissions_of(claim: Claim) -> list[Resubmission]:
    """Return when the same bytes came again, and under which number, oldest first."""
    return list(Resubmission.objects.filter(claim_id=claim.id).order_by("received_at", "id"))
