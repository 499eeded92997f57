"""Watching: byte ranges as players ask for them, and headers that let nothing be misread."""

from __future__ import annotations

from typing import Any

import pytest

from claims.models import Claim
from claims.ranges import ByteRange, RangeNotSatisfiable, range_of
from claims.storage import open_stored
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, receive, video_file
from tests.people import Person


@pytest.fixture
def claim(cleo: Person) -> Claim:
    return receive(cleo).claim


def watch(person: Person, claim: Claim, verb: str = "get", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(person.api(), verb)(f"/api/v1/claims/{claim.id}/video", headers=named)


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


SIZE = len(clip())


def test_video_without_a_range_is_the_whole_file(claim: Claim, cleo: Person) -> None:
    answer = watch(cleo, claim)
    assert (answer.status_code, body_of(answer)) == (200, clip())
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == (str(SIZE), "bytes")
    assert answer["Content-Type"] == "video/mp4"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'inline; filename="drive.mp4"'
    assert answer["ETag"] == f'"{claim.video.sha256}"'
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-199", 100, 199),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE + 5000}", SIZE - 1, SIZE - 1),
        ("Bytes=5-6", 5, 6),
    ],
)
def test_video_range_is_that_part(claim: Claim, cleo: Person, asked: str, first: int, last: int) -> None:
    answer = watch(cleo, claim, Range=asked)
    assert (answer.status_code, body_of(answer)) == (206, clip()[first : last + 1])
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 2}", "bytes=-0"])
def test_video_range_outside_the_file_is_refused(claim: Claim, cleo: Person, asked: str) -> None:
    answer = watch(cleo, claim, Range=asked)
    assert (answer.status_code, answer["Content-Range"], answer.content) == (416, f"bytes */{SIZE}", b"")


@pytest.mark.parametrize("asked", ["bytes=a-b", "bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "", "bytes=١-"])
def test_video_range_that_makes_no_sense_is_ignored(claim: Claim, cleo: Person, asked: str) -> None:
    answer = watch(cleo, claim, Range=asked)
    assert (answer.status_code, len(body_of(answer))) == (200, SIZE)


def test_video_range_counts_only_for_the_file_that_the_player_began_with(claim: Claim, cleo: Person) -> None:
    etag = f'"{claim.video.sha256}"'
    assert watch(cleo, claim, Range="bytes=0-9", If_Range=etag).status_code == 206
    for other in ('"another"', f"W/{etag}", "Sun, 01 Mar 2026 12:00:00 GMT"):
        assert watch(cleo, claim, Range="bytes=0-9", If_Range=other).status_code == 200


def test_video_is_not_sent_again_to_who_has_it(claim: Claim, cleo: Person) -> None:
    answer = watch(cleo, claim, If_None_Match=f'"{claim.video.sha256}"')
    assert (answer.status_code, answer.content) == (304, b"")


def test_video_head_tells_the_size_and_sends_nothing(claim: Claim, cleo: Person) -> None:
    answer = watch(cleo, claim, "head")
    assert (answer.status_code, answer["Content-Length"], body_of(answer)) == (200, str(SIZE), b"")
    part = watch(cleo, claim, "head", Range="bytes=0-9")
    assert (part.status_code, part["Content-Length"]) == (206, "10")


@pytest.mark.parametrize("wanted", ["video/*", "video/webm,video/ogg,video/*;q=0.9,*/*;q=0.5", "*/*"])
def test_video_is_sent_to_players_that_ask_for_videos(claim: Claim, cleo: Person, wanted: str) -> None:
    assert watch(cleo, claim, Accept=wanted).status_code == 200


def test_video_plays_in_a_signed_in_browser(claim: Claim, cleo: Person) -> None:
    assert cleo.browser().get(f"/api/v1/claims/{claim.id}/video").status_code == 200


def test_video_name_cannot_break_out_of_its_header(cleo: Person) -> None:
    from django.test import Client

    from tests.people import make_key

    name = 'a"; filename="evil.html\r\nX-Evil: 1.mp4'
    file = video_file(name="x.mp4")
    file.name = name.replace("\r\n", "")
    answer = Client(headers={"X-API-Key": make_key(cleo)}).post(
        "/api/v1/claims/upload", {"claim_number": "CLM-9", "video": file}
    )
    shown = cleo.api().get(answer.json()["links"]["self"] + "/video")
    assert "X-Evil" not in shown.headers
    assert shown["Content-Disposition"].startswith("inline")
    assert shown["Content-Type"] == "video/mp4"


def test_a_file_that_is_gone_is_told_and_no_500(claim: Claim, cleo: Person) -> None:
    with tenant_scope(cleo.tenant.id), open_stored(claim.video.storage_key) as stored:
        path = stored.name
    from pathlib import Path

    Path(str(path)).unlink()
    answer = watch(cleo, claim)
    assert (answer.status_code, answer.json()["code"]) == (404, "video_not_stored")


def test_range_of_an_empty_file_is_never_satisfiable() -> None:
    for asked in ("bytes=0-", "bytes=-1"):
        with pytest.raises(RangeNotSatisfiable):
            range_of(asked, 0)


def test_range_of_says_how_long_the_part_is() -> None:
    part = range_of("bytes=2-5", 10)
    assert part == ByteRange(2, 5)
    assert part is not None and part.length == 4
