"""Every bad upload is refused with a stable code and leaves no row, no file and no job behind."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from aiassist.video.errors import MachineBusy
from claims.models import Claim
from tests.aiassist.video.clips import write_sound_only
from tests.claims.handing_in import NOTHING, UPLOAD, clip, hand_in, left_behind, video_file
from tests.people import Person, make_key

BOUNDARY = "frontier"


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer["Content-Type"] == "application/problem+json"
    assert body["request_id"] == answer["X-Request-ID"]
    return body


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"hello, this is a letter", 415, "unsupported_media_type"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", 415, "unsupported_media_type"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 415, "unsupported_media_type"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 5000, 415, "unsupported_media_type"),
        (b"PK\x03\x04" + b"\x00" * 5000, 415, "unsupported_media_type"),
        (b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom" + b"\x00" * 5000, 415, "unsupported_media_type"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp41" + b"\x00\x00\x10\x00free" * 900, 422, "unreadable_video"),
    ],
    ids=["empty", "text", "ffconcat", "playlist", "picture", "zip", "audio-brand", "boxes-without-film"],
)
def test_what_is_no_video_is_refused(cleo: Person, content: bytes, status: int, code: str) -> None:
    body = problem_of(hand_in(cleo.api(), content=content), status, code)
    assert body["detail"]
    assert left_behind() == NOTHING


def test_a_video_whose_end_is_missing_is_refused_with_the_reason(cleo: Person) -> None:
    half = clip()[: len(clip()) // 3]
    problem_of(hand_in(cleo.api(), content=half), 422, "unreadable_video")
    assert left_behind() == NOTHING


def test_sound_without_pictures_is_refused(cleo: Person, tmp_path: Path) -> None:
    sound = write_sound_only(tmp_path / "s.mkv", np.zeros(16_000, np.float32)).read_bytes()
    problem_of(hand_in(cleo.api(), content=sound), 422, "unreadable_video")
    assert left_behind() == NOTHING


def test_an_upload_over_the_cap_is_refused_while_it_streams(cleo: Person, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000
    problem_of(hand_in(cleo.api()), 413, "file_too_large")
    assert left_behind() == NOTHING


def test_an_upload_far_over_the_cap_is_refused_before_it_is_read(cleo: Person, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1_000
    answer = hand_in(cleo.api(), content=clip() + b"\x00\x30\x00\x00free" + bytes(3 * 1024 * 1024))
    problem_of(answer, 413, "file_too_large")
    assert left_behind() == NOTHING


def test_a_file_exactly_at_the_cap_is_taken(cleo: Person, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = len(clip())
    assert hand_in(cleo.api()).status_code == 202


def test_an_upload_over_the_cap_by_a_session_is_refused_too(cleo: Person, settings: Any) -> None:
    """For a session the form is read by the CSRF check, before the view."""
    settings.MAX_UPLOAD_BYTES = 100_000
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(cleo.user)
    browser.cookies["csrftoken"] = "a" * 32
    answer = browser.post(UPLOAD, {"claim_number": "1", "video": video_file()}, headers={"X-CSRFToken": "a" * 32})
    problem_of(answer, 413, "file_too_large")
    assert left_behind() == NOTHING


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file_part(content: bytes, name: str = "video") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.mp4"\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def post_raw(person: Person, body: bytes, **extra: Any) -> Any:
    content_type = extra.pop("content_type", f"multipart/form-data; boundary={BOUNDARY}")
    headers = {"X-API-Key": make_key(person)}
    client = Client(raise_request_exception=False)
    return client.generic("POST", UPLOAD, body, content_type=content_type, headers=headers, **extra)


def test_the_raw_form_of_these_tests_is_sound(cleo: Person) -> None:
    assert post_raw(cleo, field("claim_number", "1") + file_part(clip()) + END).status_code == 202


def test_a_connection_that_breaks_in_the_file_makes_no_claim(cleo: Person) -> None:
    body = field("claim_number", "1") + file_part(clip())[:-50_000]
    problem_of(post_raw(cleo, body), 400, "incomplete_upload")
    assert left_behind() == NOTHING


def test_a_connection_that_breaks_between_two_fields_makes_no_claim(cleo: Person) -> None:
    """Django takes what came for the whole form; the length that was announced says otherwise."""
    sent = file_part(clip()) + field("claim_number", "1") + f"--{BOUNDARY}".encode()

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(size)

    answer = post_raw(cleo, sent, **{"wsgi.input": Broken(sent), "CONTENT_LENGTH": str(len(sent) + 500)})
    problem_of(answer, 400, "incomplete_upload")
    assert left_behind() == NOTHING


def test_two_videos_in_one_form_are_refused(cleo: Person) -> None:
    body = problem_of(
        post_raw(cleo, field("claim_number", "1") + file_part(clip()) + file_part(clip("two")) + END),
        400,
        "invalid_input",
    )
    assert body["errors"][0]["pointer"] == "/video"
    assert left_behind() == NOTHING


def test_a_file_under_another_name_is_refused(cleo: Person) -> None:
    body = problem_of(
        post_raw(cleo, field("claim_number", "1") + file_part(clip(), "attachment") + END), 400, "invalid_input"
    )
    assert body["errors"] == [{"pointer": "/attachment", "code": "unknown_field", "detail": "No file belongs here."}]
    assert left_behind() == NOTHING


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"no boundary here", "multipart/form-data", 400, "malformed_body"),
        (b"nothing that was announced", f"multipart/form-data; boundary={BOUNDARY}", 400, "invalid_input"),
        (b"", f"multipart/form-data; boundary={BOUNDARY}", 400, "invalid_input"),
    ],
)
def test_what_is_no_form_is_refused(cleo: Person, body: bytes, content_type: str, status: int, code: str) -> None:
    problem_of(post_raw(cleo, body, content_type=content_type), status, code)
    assert left_behind() == NOTHING


def test_a_form_without_a_video_says_so(cleo: Person) -> None:
    body = problem_of(hand_in(cleo.api(), video=None), 400, "invalid_input")
    assert body["errors"] == [{"pointer": "/video", "code": "required", "detail": "A video file is needed."}]


def test_a_video_sent_as_text_is_refused(cleo: Person) -> None:
    body = problem_of(post_raw(cleo, field("claim_number", "1") + field("video", "x") + END), 400, "invalid_input")
    assert body["errors"][0] | {"detail": ""} == {"pointer": "/video", "code": "unknown_field", "detail": ""}


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"claim_number": None}, "/claim_number", "required"),
    ({"claim_number": ""}, "/claim_number", "blank"),
    ({"claim_number": "   "}, "/claim_number", "blank"),
    ({"claim_number": "x" * 65}, "/claim_number", "max_length"),
    ({"claim_number": "a\x00b"}, "/claim_number", "null_characters_not_allowed"),
    ({"claim_number": "a\nb"}, "/claim_number", "invalid"),
    ({"colour": "red"}, "/colour", "unknown_field"),
    ({"status": "APPROVED"}, "/status", "unknown_field"),
    ({"tenant": "borealis"}, "/tenant", "unknown_field"),
    ({"policy_number": "x" * 65}, "/policy_number", "max_length"),
    ({"vehicle_plate": "x" * 21}, "/vehicle_plate", "max_length"),
    ({"loss_location": "x" * 201}, "/loss_location", "max_length"),
    ({"description": "x" * 5_001}, "/description", "max_length"),
    ({"loss_at": "yesterday"}, "/loss_at", "invalid"),
    ({"loss_at": "2026-03-01T17:30:00"}, "/loss_at", "naive"),
    ({"loss_at": "2999-03-01T17:30:00Z"}, "/loss_at", "out_of_range"),
    ({"loss_at": "0001-01-01T00:00:00+14:00"}, "/loss_at", "overflow"),
    ({"claimant": "Cleo"}, "/claimant", "invalid_json"),
    ({"claimant": "[]"}, "/claimant", "invalid_json"),
    ({"claimant": '{"name": "a", "name": "b"}'}, "/claimant", "invalid_json"),
    ({"claimant": '{"email": "no address"}'}, "/claimant/email", "invalid"),
    ({"claimant": '{"shoe_size": 44}'}, "/claimant/shoe_size", "unknown_field"),
    ({"claimant": '{"name": "\\u0000"}'}, "/claimant", "invalid_json"),
    ({"metadata": "{"}, "/metadata", "invalid_json"),
    ({"metadata": '{"a": "\\ud800"}'}, "/metadata", "invalid_json"),
    ({"metadata": '{"a": NaN}'}, "/metadata", "invalid_json"),
    ({"metadata": "[" * 10_000}, "/metadata", "invalid_json"),
    ({"metadata": '{"a":' * 8 + "1" + "}" * 8}, "/metadata", "too_deep"),
    ({"metadata": json.dumps({"a": "x" * 20_000})}, "/metadata", "too_large"),
]


@pytest.mark.parametrize(("fields", "pointer", "code"), BAD_FIELDS, ids=[f"{p} {c}" for _, p, c in BAD_FIELDS])
def test_a_bad_field_is_named(cleo: Person, fields: dict[str, Any], pointer: str, code: str) -> None:
    body = problem_of(hand_in(cleo.api(), **fields), 400, "invalid_input")
    assert (pointer, code) in {(p["pointer"], p["code"]) for p in body["errors"]}, body["errors"]
    assert left_behind() == NOTHING


def test_a_field_given_twice_is_refused(cleo: Person) -> None:
    twice = field("claim_number", "1") + field("claim_number", "2") + file_part(clip()) + END
    body = problem_of(post_raw(cleo, twice), 400, "invalid_input")
    assert body["errors"][0]["pointer"] == "/claim_number"
    assert left_behind() == NOTHING


def test_text_longer_than_any_form_is_refused(cleo: Person) -> None:
    answer = hand_in(cleo.api(), description="x" * 1_100_000)
    problem_of(answer, 413, "body_too_large")
    assert left_behind() == NOTHING


def test_too_many_fields_are_refused(cleo: Person) -> None:
    body = b"".join(field(f"f{number}", "1") for number in range(200)) + file_part(clip()) + END
    problem_of(post_raw(cleo, body), 400, "bad_request")
    assert left_behind() == NOTHING


def test_a_query_parameter_is_refused(cleo: Person) -> None:
    answer = cleo.api().post(f"{UPLOAD}?claim_number=1", {"claim_number": "1", "video": video_file()})
    problem_of(answer, 400, "unknown_parameter")
    assert left_behind() == NOTHING


def test_another_tenant_named_in_the_header_is_refused(cleo: Person, zoe: Person) -> None:
    client = cleo.api()
    answer = client.post(UPLOAD, {"claim_number": "1", "video": video_file()}, headers={"X-Tenant-ID": "borealis"})
    problem_of(answer, 403, "tenant_mismatch")
    assert left_behind() == NOTHING


def test_a_disk_that_fails_leaves_nothing(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.files.storage import FileSystemStorage

    def full(*_args: object, **_kwargs: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    answer = hand_in(cleo.api())
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert left_behind() == NOTHING


def test_a_machine_too_busy_to_read_the_video_asks_to_come_back(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(_path: Path) -> object:
        raise MachineBusy(retry_after_seconds=60)

    monkeypatch.setattr("claims.intake.probe_video", starved)
    answer = hand_in(cleo.api())
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "machine_busy", "60")
    assert left_behind() == NOTHING


def test_a_commit_that_fails_leaves_nothing(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from claims.services import receiving

    def broken(**_kwargs: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(receiving, "record_event", broken)
    assert hand_in(cleo.api()).status_code in {500, 503}
    monkeypatch.undo()
    assert Claim is not None
    assert left_behind() == NOTHING


def test_a_file_without_an_ending_is_judged_by_its_content(cleo: Person) -> None:
    named = SimpleUploadedFile("film", clip(), content_type="text/plain")
    assert hand_in(cleo.api(), video=named).status_code == 202


@pytest.mark.django_db
def test_a_request_without_any_body_is_told_what_lacks(ada: Person) -> None:
    key = {"X-API-Key": make_key(ada), "Idempotency-Key": "empty-1"}
    answer = Client(raise_request_exception=False).generic("POST", UPLOAD, b"", content_type="", headers=key)
    problem_of(answer, 400, "invalid_input")
