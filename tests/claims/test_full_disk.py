"""A disk that is full, or cannot be written: an upload is refused with a time to come back, and nothing of it stays."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from claims.storage import UPLOAD_REFUSED
from observability.breakers import force_breaker_open, reset_breaker
from observability.fallbacks import fallback_uses
from observability.guarding import STORAGE
from observability.models import CircuitBreaker
from tests.claims.handing_in import NOTHING, clip, hand_in, left_behind, video_file
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def film() -> bytes:
    """Made before the disk is full."""
    return clip()


def refuse_with(number: int) -> Any:
    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert left_behind() == NOTHING


def test_a_read_only_file_system_refuses_the_first_byte(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    api = cleo.api()
    with monkeypatch.context() as broken:
        broken.setattr("claims.intake.os.open", refuse_with(errno.EROFS))
        assert_refused(hand_in(api))
    assert hand_in(api).status_code == 202, "it heals by itself"


def test_a_disk_that_fills_up_midway_leaves_no_half_file(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    api = cleo.api()
    with monkeypatch.context() as broken:
        broken.setattr("claims.intake._Writer._write_through", refuse_with(errno.ENOSPC))
        assert_refused(hand_in(api))
    assert hand_in(api).status_code == 202


def test_a_store_that_is_full_takes_nothing_and_gives_the_quota_back(
    cleo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = cleo.api()
    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "save", refuse_with(errno.ENOSPC))
        assert_refused(hand_in(api))
    assert hand_in(api).status_code == 202


def test_after_two_failures_nothing_is_tried_until_the_rest_is_over(
    cleo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = cleo.api()
    with monkeypatch.context() as broken:
        broken.setattr("claims.intake.os.open", refuse_with(errno.ENOSPC))
        for _ in range(2):
            assert_refused(hand_in(api))
    assert CircuitBreaker.objects.get(name=STORAGE).state == "OPEN"
    before = next(use.used for use in fallback_uses() if use.fallback.name == UPLOAD_REFUSED)
    assert_refused(hand_in(api))
    assert next(use.used for use in fallback_uses() if use.fallback.name == UPLOAD_REFUSED) == before + 1
    reset_breaker(name=STORAGE, by="olga", now=timezone.now())
    assert hand_in(api).status_code == 202


def test_a_person_gets_a_calm_page(ada: Person) -> None:
    force_breaker_open(name=STORAGE, by="olga", now=timezone.now())
    answer = ada.browser().post(
        "/desk/claims/new/", {"claim_number": "CLM-1", "video": video_file()}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "30"
    assert "Back in a moment" in answer.content.decode() and "storage_unavailable" in answer.content.decode()
