"""The claim file over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.http import content_disposition_header
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from claims import api_schema as schema
from claims.errors import EvidenceNotFound, MediaRemoved, VideoNotStored
from claims.filters import CLAIM_FILTERS, ClaimFilter
from claims.inputs import loss_notice_from
from claims.intake import VIDEO_FIELD, VideoUpload, receiving_upload, refuse_without_room
from claims.ranges import Served, ranged_answer
from claims.run_inputs import ReassessBody, RunClaimsBody, version_wanted
from claims.selectors import (
    assessment_of_version,
    claim_progress,
    claim_visible_to,
    claimant_of,
    claims_visible_to,
    evidence_visible_to,
    latest_assessment,
    reassessable_claim_ids,
    resubmissions_of,
)
from claims.serializers import (
    assessment_data,
    claim_data,
    claim_item,
    claim_status_data,
    receipt_data,
    task_accepted,
)
from claims.services import receive_claim, request_reassessment
from claims.storage import open_stored
from observability import metrics
from observability.errors import FieldProblem, InvalidInput, PlatformError
from tenancy.base_api import JSONAnswers, TenantAPIView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.etags import answer_with_etag, etag_for
from tenancy.idempotency import IdempotentCreate, fingerprint_of
from tenancy.listing import apply_filters, list_parameters, refuse_parameters
from tenancy.ratelimits.limiter import Bucket

_READ: dict[str, tuple[Scope, ...]] = {"GET": (Scope.READ,)}
_NEWEST_FIRST = (OrderColumn("received_at", descending=True), OrderColumn("id", descending=True))


class ClaimUploadView(IdempotentCreate):
    """`POST /claims/upload`: the video streams into quarantine while the form is read."""

    scopes = {"POST": (Scope.WRITE,)}
    parser_classes = (MultiPartParser,)
    _upload: VideoUpload

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Before authentication: for a session client that is where CSRF reads the form.
        with receiving_upload(request) as self._upload:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A repeated request gets its stored answer, also when there is no room any more.
        if not self.repeats_known_key(request):
            refuse_without_room(content_length=request.META.get("CONTENT_LENGTH"), now=timezone.now())

    def fingerprint(self, request: Request) -> str:
        # A request without a body and without a content type has no form at all.
        form = dict(request.data.lists()) if isinstance(request.data, QueryDict) else {}
        return fingerprint_of({**form, VIDEO_FIELD: self._upload.received.sha256 if self._upload.received else ""})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, PlatformError):
            metrics.UPLOADS.labels(outcome=exc.code).inc()
        return super().handle_exception(exc)

    @extend_schema(**schema.UPLOAD)
    def post(self, request: Request) -> Response:
        """Hand in a claim with its video."""
        refuse_parameters(request)
        notice = loss_notice_from(cast(Mapping[str, Any], request.data))
        if self._upload.received is None:
            raise InvalidInput(problems=[FieldProblem(f"/{VIDEO_FIELD}", "required", "A video file is needed.")])
        receipt = receive_claim(actor=self.principal, notice=notice, upload=self._upload.received, now=timezone.now())
        data = receipt_data(receipt.claim, duplicate=receipt.duplicate)
        return Response(data, status=200 if receipt.duplicate else 202, headers={"Location": data["links"]["self"]})


class ClaimListView(TenantAPIView):
    """`GET /claims`: newest first."""

    scopes = _READ

    @extend_schema(**schema.LIST)
    def get(self, request: Request) -> Response:
        """List the claims that the caller may see, newest first."""
        wanted = list_parameters(request, CLAIM_FILTERS)
        claims = apply_filters(ClaimFilter, queryset=claims_visible_to(self.principal), filters=wanted.filters)
        page = page_of(claims, order=_NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        return Response({"items": [claim_item(claim) for claim in page.items], "next_cursor": page.next_cursor})


class ClaimView(TenantAPIView):
    """`GET /claims/{id}`"""

    scopes = _READ

    @extend_schema(**schema.CLAIM)
    def get(self, request: Request, claim_id: UUID) -> Response:
        """Show one claim."""
        refuse_parameters(request)
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        again = None if self.principal.is_client else resubmissions_of(claim)
        data = claim_data(claim, claimant=claimant_of(claim), resubmissions=again)
        etag = etag_for(claim, claim.progress_percent, claim.stage, len(again or ()), self.principal.is_client)
        return answer_with_etag(request, data, etag)


class ClaimStatusView(TenantAPIView):
    """`GET /claims/{id}/status`: one narrow read, made to be polled."""

    scopes = _READ

    @extend_schema(**schema.STATUS)
    def get(self, request: Request, claim_id: UUID) -> Response:
        """Tell how far a claim is; made to be polled with If-None-Match."""
        refuse_parameters(request)
        claim = claim_progress(principal=self.principal, claim_id=claim_id)
        etag = etag_for(claim, claim.progress_percent, claim.stage)
        return answer_with_etag(request, claim_status_data(claim), etag)


class ClaimAssessmentView(TenantAPIView):
    """`GET /claims/{id}/assessment`"""

    scopes = _READ

    @extend_schema(**schema.ASSESSMENT)
    def get(self, request: Request, claim_id: UUID) -> Response:
        """Show the newest opinion with its evidence, or an older version."""
        version = version_wanted(request)
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        redacted = self.principal.is_client
        assessment = latest_assessment(claim) if version is None else assessment_of_version(claim, version)
        return answer_with_etag(request, assessment_data(assessment, redacted=redacted), etag_for(assessment, redacted))


class ReassessView(IdempotentCreate):
    """`POST /claims/{id}/reassess`"""

    scopes = {"POST": (Scope.WRITE,)}

    @extend_schema(**schema.REASSESS)
    def post(self, request: Request, claim_id: UUID) -> Response:
        """Assess the claim again; a request while that is under way gets the same task."""
        refuse_parameters(request)
        reason = ReassessBody.checked(request.data)["reason"]
        task_id = request_reassessment(actor=self.principal, claim_ids=[claim_id], reason=reason, now=timezone.now())
        return _accepted(task_id)


class RunClaimsView(IdempotentCreate):
    """`POST /run/claims`"""

    scopes = {"POST": (Scope.WRITE,)}

    @extend_schema(**schema.RUN_CLAIMS)
    def post(self, request: Request) -> Response:
        """Assess several claims again, named one by one or by a filter, the first of the queue first."""
        refuse_parameters(request)
        wanted = RunClaimsBody.checked(request.data)
        claim_ids = wanted.get("claim_ids") or reassessable_claim_ids(
            principal=self.principal, filters=wanted["filter"], limit=wanted["limit"]
        )
        task_id = request_reassessment(
            actor=self.principal, claim_ids=claim_ids, reason=wanted["reason"], now=timezone.now()
        )
        return _accepted(task_id)


def _accepted(task_id: UUID) -> Response:
    data = task_accepted(task_id)
    return Response(data, status=202, headers={"Location": data["links"]["task"]})


class _MediaAnswers(JSONAnswers):
    """Players ask for `video/*`, pages for `image/*`: the file is what it is, and an error is JSON for everybody."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), "application/json"


class ClaimVideoView(TenantAPIView):
    """`GET /claims/{id}/video` with byte ranges."""

    scopes = _READ
    rate_bucket = Bucket.MEDIA
    content_negotiation_class = _MediaAnswers

    @extend_schema(**schema.VIDEO)
    def get(self, request: Request, claim_id: UUID) -> HttpResponseBase:
        """Send the video, or one byte range of it."""
        refuse_parameters(request)
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        if claim.media_removed_at is not None:
            raise MediaRemoved
        video = claim.video
        try:
            stream = open_stored(video.storage_key)
        except FileNotFoundError as problem:
            raise VideoNotStored from problem
        extension = video.storage_key.rpartition(".")[2]
        name = f"{claim.told.file_name.rpartition('.')[0] or 'claim-video'}.{extension}"
        disposition = content_disposition_header(as_attachment=False, filename=name) or "inline"
        served = Served(video.size_bytes, f'"{video.sha256}"', video.media_type, disposition)
        return ranged_answer(request._request, served, stream)


class EvidenceImageView(TenantAPIView):
    """`GET /evidence/{id}/image`: an annotated picture. It never changes, so browsers may keep it."""

    scopes = _READ
    rate_bucket = Bucket.MEDIA
    content_negotiation_class = _MediaAnswers

    @extend_schema(**schema.PICTURE)
    def get(self, request: Request, evidence_id: UUID) -> HttpResponseBase:
        """Send the annotated picture of an evidence item."""
        refuse_parameters(request)
        evidence = evidence_visible_to(principal=self.principal, evidence_id=evidence_id)
        try:
            stream = open_stored(evidence.image_key)
        except FileNotFoundError as problem:
            raise EvidenceNotFound from problem
        served = Served(stream.size, f'"{evidence.id}"', "image/jpeg", "inline")
        answer = ranged_answer(request._request, served, stream)
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return answer
