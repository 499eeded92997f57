"""`manage.py ingest` as an operator runs it: exit codes, one JSON document, nothing left of what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from claims.ingesting import follow_claims, ingest_file
from claims.models import Claim
from claims.services import assess_claim
from tenancy.scope import tenant_scope
from tests.claims.handing_in import NOTHING, clip, left_behind
from tests.claims.opinions import FakeEngine, take_only_job
from tests.people import Person


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "CLM-77.mp4"
    path.write_bytes(clip())
    return path


def ingest(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    try:
        call_command("ingest", *map(str, arguments))
    except SystemExit as ended:
        code = int(ended.code or 0)
    except CommandError as error:
        return error.returncode, "", str(error)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_ingest_hands_in_a_film_under_its_own_name(
    adam: Person, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ingest(capsys, film, "--tenant", "acme", "--json")
    item = json.loads(out)["items"][0]
    assert (code, item["claim_number"], item["status"], item["duplicate"]) == (0, "CLM-77", "RECEIVED", False)
    with tenant_scope(adam.tenant.id):
        claim = Claim.objects.get()
    assert (str(claim.id), claim.submitted_by_id) == (item["id"], adam.user.id)
    assert film.read_bytes() == clip()


def test_ingest_as_a_named_member_under_a_given_number(
    cleo: Person, adam: Person, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ingest(capsys, film, "--tenant", "acme", "--user", "cleo", "--claim-number", "X-1")
    assert code == 0
    assert out.startswith("X-1 ")
    with tenant_scope(cleo.tenant.id):
        assert Claim.objects.get().submitted_by_id == cleo.user.id


def test_ingest_twice_is_one_claim(adam: Person, film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ingest(capsys, film, "--tenant", "acme")
    code, out, _ = ingest(capsys, film, "--tenant", "acme")
    assert code == 0
    assert "was here before" in out
    assert left_behind()["claims"] == 1


def test_ingest_tells_what_became_of_a_claim_that_is_assessed(
    adam: Person, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(capsys, film, "--tenant", "acme")
    with tenant_scope(adam.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine())
    code, out, _ = ingest(capsys, film, "--tenant", "acme", "--wait", "--json")
    assert (code, json.loads(out)["items"][0]["status"]) == (0, "AWAITING_REVIEW")


def test_follow_claims_shows_every_step_until_people_can_look(adam: Person, film: Path) -> None:
    claim_id = ingest_file(path=film, claim_number="C", actor=adam.principal).claim_id
    assert claim_id is not None
    steps = follow_claims(claim_ids=[claim_id], tenant_id=adam.tenant.id, patience_seconds=60)
    assert [state.status for state in next(steps)] == ["RECEIVED"]
    with tenant_scope(adam.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine())
    assert [(state.status, state.percent, state.done) for state in next(steps)] == [("AWAITING_REVIEW", 100, True)]
    assert list(steps) == []


def test_ingest_says_try_later_when_nobody_assesses(
    adam: Person, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ingest(capsys, film, "--tenant", "acme", "--wait", "--timeout", "0", "--json")
    assert (code, json.loads(out)["items"][0]["status"]) == (75, "RECEIVED")
    assert "worker" in err


def test_ingest_refuses_what_is_no_video_and_goes_on_with_the_rest(
    adam: Person, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear sirs")
    code, out, _ = ingest(capsys, letter, film, "--tenant", "acme", "--json")
    items: list[dict[str, Any]] = json.loads(out)["items"]
    assert (code, items[0]["error"]["code"], items[1]["claim_number"]) == (1, "unsupported_media_type", "CLM-77")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--tenant", "nowhere"), 3),
        (("--tenant", "acme", "--user", "nobody"), 3),
        (("--tenant", "acme", "--user", "audrey"), 1),
        (("--tenant", "acme", "--claim-number", "a\nb"), 1),
    ],
)
def test_ingest_refuses_and_leaves_nothing(
    adam: Person,
    audrey: Person,
    film: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
) -> None:
    assert ingest(capsys, film, *arguments)[0] == code
    assert left_behind() == NOTHING


def test_ingest_of_a_file_that_is_not_there(adam: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ingest(capsys, tmp_path / "none.mp4", "--tenant", "acme")
    assert code == 3
    assert "cannot be read" in err


def test_ingest_of_two_films_under_one_number_is_a_mistake(
    adam: Person, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(capsys, film, film, "--tenant", "acme", "--claim-number", "X")[0] == 2


def test_ingest_without_a_tenant_is_a_mistake(film: Path, db: None) -> None:
    with pytest.raises(CommandError, match="--tenant"):
        call_command("ingest", str(film))
