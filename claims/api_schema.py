"""What the OpenAPI document says of the claim file: forms, parameters, media and the refusals to expect."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from claims import answers
from claims.choices import ClaimStatus, ReviewPriority
from claims.privacy_inputs import EraseBody, LegalHoldBody
from claims.run_inputs import ReassessBody, RunClaimsBody
from tenancy.openapi import listed


def _refused(code: str, detail: str, status: int) -> OpenApiExample:
    value = {"type": f"urn:claimwright:problem:{code}", "status": status, "detail": detail, "code": code}
    return OpenApiExample(code, value=value, status_codes=[str(status)], response_only=True)


def _problem(description: str, *examples: OpenApiExample) -> OpenApiResponse:
    return OpenApiResponse(OpenApiTypes.OBJECT, description, list(examples))


def _filter(name: str, description: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, description=description, **more)


_TEXT: dict[str, Any] = {"type": "string"}
_FORM: dict[str, Any] = {
    "multipart/form-data": {
        "type": "object",
        "required": ["video", "claim_number"],
        "additionalProperties": False,
        "properties": {
            "video": {**_TEXT, "format": "binary", "description": "MP4, MOV, Matroska, WebM, AVI or MPEG, by content."},
            "claim_number": {**_TEXT, "minLength": 1, "maxLength": 64},
            "policy_number": {**_TEXT, "maxLength": 64},
            "loss_at": {**_TEXT, "format": "date-time", "description": "With its offset from UTC."},
            "loss_location": {**_TEXT, "maxLength": 200},
            "description": {**_TEXT, "maxLength": 5000},
            "claimant": {**_TEXT, "description": "JSON object: name, email, phone, account."},
            "vehicle_plate": {**_TEXT, "maxLength": 20},
            "metadata": {**_TEXT, "description": "JSON object of your own, at most 16 KB and 6 levels deep."},
        },
    }
}
_RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One byte range, such as `bytes=0-1023`."
)

UPLOAD: dict[str, Any] = {
    "operation_id": "claims_upload",
    "request": _FORM,
    "responses": {
        202: OpenApiResponse(answers.ReceiptAnswer, "Received; `Location` is the claim."),
        200: OpenApiResponse(answers.ReceiptAnswer, "The same bytes were here before: the claim they came with."),
        409: _problem(
            "The number belongs to other bytes.",
            _refused("claim_number_exists", "Another claim already has this number.", 409),
        ),
        413: _problem("Larger than the cap.", _refused("file_too_large", "The file is larger than allowed.", 413)),
        415: _problem(
            "No video by its content.",
            _refused("unsupported_media_type", "The content of this file is no video format.", 415),
        ),
        422: _problem(
            "No picture decodes, or the idempotency key was used for another body.",
            _refused("unreadable_video", "No picture of the file can be decoded.", 422),
            _refused("idempotency_key_reused", "This idempotency key was used with another request.", 422),
        ),
    },
}
LIST: dict[str, Any] = {
    "operation_id": "claims_list",
    "responses": listed(answers.ClaimItemAnswer),
    "parameters": [
        _filter("status", "Only this status.", enum=ClaimStatus.values),
        _filter("priority", "Only this review priority.", enum=ReviewPriority.values),
        _filter("claim_number", "Exactly this number."),
        _filter("q", "Each of these words stands in the claim or policy number, or is the whole plate."),
        _filter("received_after", "From this moment on.", OpenApiTypes.DATETIME),
        _filter("received_before", "Before this moment.", OpenApiTypes.DATETIME),
    ],
}
CLAIM: dict[str, Any] = {"operation_id": "claims_retrieve", "responses": answers.ClaimAnswer}
STATUS: dict[str, Any] = {"operation_id": "claims_status", "responses": answers.ClaimStatusAnswer}
ASSESSMENT: dict[str, Any] = {
    "operation_id": "claims_assessment",
    "parameters": [_filter("version", "An older version; the newest without it.", OpenApiTypes.INT)],
    "responses": {
        200: answers.AssessmentAnswer,
        404: _problem(
            "No such claim, or no opinion yet.",
            _refused("assessment_not_ready", "This claim has not been assessed yet.", 404),
            _refused("assessment_not_found", "This claim has no such version of an assessment.", 404),
        ),
    },
}
_ACCEPTED = OpenApiResponse(answers.TaskAcceptedAnswer, "A task does it; `Location` shows how far it is.")
_NOT_NOW = _problem(
    "A claim that takes no new opinion.",
    _refused("claim_decided", "A person has decided this claim.", 409),
    _refused("assessment_running", "This claim's first assessment is not finished.", 409),
    _refused("not_reassessable", "Only a claim that awaits review or more information is assessed again.", 409),
)
REASSESS: dict[str, Any] = {
    "operation_id": "claims_reassess",
    "request": ReassessBody,
    "responses": {202: _ACCEPTED, 409: _NOT_NOW},
}
RUN_CLAIMS: dict[str, Any] = {
    "operation_id": "run_claims",
    "request": RunClaimsBody,
    "responses": {
        202: _ACCEPTED,
        409: _problem(
            "Nothing is left to do, or other tasks do it.",
            _refused("nothing_to_reassess", "No claim is left that could be assessed again.", 409),
            _refused("reassessment_running", "These claims are being assessed again already.", 409),
        ),
    },
}
LEGAL_HOLD: dict[str, Any] = {
    "operation_id": "claims_legal_hold",
    "request": LegalHoldBody,
    "responses": {
        200: answers.LegalHoldAnswer,
        410: _problem("Too late.", _refused("claim_erased", "The personal data of this claim was erased.", 410)),
    },
}
ERASE: dict[str, Any] = {
    "operation_id": "claims_erase",
    "request": EraseBody,
    "responses": {
        202: answers.ErasureAnswer,
        409: _problem(
            "It has to be kept.",
            _refused("legal_hold", "A legal hold is on this claim.", 409),
            _refused("claim_open", "This claim is not decided yet.", 409),
        ),
    },
}
_REMOVED = _problem("Removed.", _refused("media_removed", "The video and pictures of this claim were removed.", 410))
VIDEO: dict[str, Any] = {
    "operation_id": "claims_video",
    "parameters": [_RANGE],
    "responses": {
        410: _REMOVED,
        (200, "video/mp4"): OpenApiTypes.BINARY,
        (206, "video/mp4"): OpenApiTypes.BINARY,
        416: OpenApiResponse(description="The range lies outside the file; `Content-Range` tells its size."),
    },
}
PICTURE: dict[str, Any] = {
    "operation_id": "evidence_image",
    "responses": {(200, "image/jpeg"): OpenApiTypes.BINARY, 410: _REMOVED},
}
