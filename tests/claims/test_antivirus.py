"""Only an explicit OK of the scanner is clean."""

from __future__ import annotations

import shutil
import socket
from typing import Any

import pytest

from tests.claims.handing_in import NOTHING, clip, hand_in, left_behind
from tests.claims.scanners import MARK, Talk, answers, real_clamd, scanner_that
from tests.people import Person

pytestmark = pytest.mark.django_db


def test_a_clean_file_is_taken_and_was_read_whole(ada: Person, settings: Any) -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket, content: bytes) -> None:
        seen.append(content)
        answers("stream: OK")(connection, content)

    with scanner_that(talk) as settings.CLAMD_ADDRESS:
        assert hand_in(ada.api()).status_code == 202
    assert seen == [clip()]


def test_a_file_with_a_virus_is_refused_and_nothing_stays(ada: Person, settings: Any) -> None:
    with scanner_that(answers("stream: Win.Test.EICAR_HDB-1 FOUND")) as settings.CLAMD_ADDRESS:
        answer = hand_in(ada.api())
    assert (answer.status_code, answer.json()["code"]) == (422, "malware_found")
    assert left_behind() == NOTHING


def _hangs_up(connection: socket.socket, content: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "talk",
    [
        answers("INSTREAM size limit exceeded. ERROR"),
        answers("stream: Can't allocate memory ERROR"),
        answers(""),
        answers("stream: OK\nstream: Eicar FOUND"),
        answers("OK"),
        answers("x" * 10_000),
        _hangs_up,
    ],
)
def test_any_other_answer_is_not_clean(ada: Person, settings: Any, talk: Talk) -> None:
    with scanner_that(talk) as settings.CLAMD_ADDRESS:
        answer = hand_in(ada.api())
    assert (answer.status_code, answer.json()["code"]) == (503, "scanner_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert left_behind() == NOTHING


def test_a_scanner_that_is_away_lets_nothing_in(ada: Person, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings.CLAMD_ADDRESS = f"127.0.0.1:{free.getsockname()[1]}"
    answer = hand_in(ada.api())
    assert (answer.status_code, answer.json()["code"]) == (503, "scanner_unavailable")
    settings.CLAMD_ADDRESS = "/nowhere/clamd.sock"
    assert hand_in(ada.api()).json()["code"] == "scanner_unavailable"
    assert left_behind() == NOTHING


@pytest.mark.skipif(shutil.which("clamd") is None, reason="NO REAL SCANNER IS ASKED HERE: clamd is not installed")
def test_the_real_clamd_agrees(ada: Person, settings: Any) -> None:
    with real_clamd() as settings.CLAMD_ADDRESS:
        assert hand_in(ada.api(), "CLM-1", clip("clean")).status_code == 202
        marked = hand_in(ada.api(), "CLM-2", clip("mark") + MARK)
        assert (marked.status_code, marked.json()["code"]) == (422, "malware_found")
        # Over the scanner's own limit: it says so and hangs up in the middle.
        large = hand_in(ada.api(), "CLM-3", clip("large") + bytes(3_000_000))
        assert (large.status_code, large.json()["code"]) == (503, "scanner_unavailable")
