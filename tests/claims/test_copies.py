"""The same video, or nearly the same, under another claim of the tenant."""

from __future__ import annotations

from dataclasses import replace

from aiassist.types import IntegrityCode
from claims.copies import NEAR_DISTANCE_BITS, clip_distance, near_video_copies, same_video_copies
from claims.models import Claim, VideoFile
from claims.services import assess_claim
from tenancy.choices import Role
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, receive
from tests.claims.opinions import FACTS, HASHES, FakeEngine, take_only_job
from tests.files import make_claim
from tests.people import Person, make_person


def flipped(value: str, bits: int) -> str:
    return f"{int(value, 16) ^ ((1 << bits) - 1):016x}"


def hashed_claim(person: Person, number: str, hashes: list[str], seconds: float = 0.3) -> Claim:
    claim = make_claim(person, number)
    with tenant_scope(person.tenant.id):
        VideoFile.objects.filter(id=claim.video_id).update(perceptual_hashes=hashes, duration_seconds=seconds)
    return claim


def test_same_video_copies_names_the_other_clients_claim(cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    receive(cleo, "CLM-1")
    second = receive(dan, "CLM-2").claim
    with tenant_scope(cleo.tenant.id):
        copies = same_video_copies(second)
    assert [(copy.code, copy.claim_number) for copy in copies] == [(IntegrityCode.DUPLICATE_VIDEO, "CLM-1")]


def test_the_engine_is_told_of_copies(cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    hashed_claim(cleo, "CLM-0", [flipped(value, 2) for value in HASHES])
    receive(cleo, "CLM-1")
    receive(dan, "CLM-2")
    engine = FakeEngine()
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=engine)
    assert [copy.claim_number for copy in engine.dossiers[0].known_copies] == ["CLM-2"]
    assert [(copy.claim_number, copy.distance) for copy in engine.copies] == [("CLM-0", 2.0)]


def test_near_video_copies_finds_a_reencoded_film_and_no_other(cleo: Person, zoe: Person) -> None:
    near = int(NEAR_DISTANCE_BITS)
    hashed_claim(cleo, "REENCODED", [flipped(value, near) for value in HASHES])
    hashed_claim(cleo, "FURTHER", [flipped(value, near + 1) for value in HASHES])
    hashed_claim(cleo, "LONGER", list(HASHES), seconds=0.9)
    hashed_claim(cleo, "UNMEASURED", [])
    hashed_claim(zoe, "ELSEWHERE", list(HASHES))
    claim = receive(cleo, "CLM-1", clip("mine")).claim
    with tenant_scope(cleo.tenant.id):
        copies = near_video_copies(claim, FACTS)
    assert [(copy.claim_number, copy.distance) for copy in copies] == [("REENCODED", NEAR_DISTANCE_BITS)]
    assert copies[0].threshold == NEAR_DISTANCE_BITS


def test_near_video_copies_takes_no_black_film_for_another(cleo: Person) -> None:
    black = ["0" * 16] * 16
    hashed_claim(cleo, "BLACK", black)
    claim = receive(cleo).claim
    with tenant_scope(cleo.tenant.id):
        assert near_video_copies(claim, replace(FACTS, perceptual_hashes=tuple(black))) == ()


def test_clip_distance_compares_pictures_at_the_same_places() -> None:
    assert clip_distance(HASHES, HASHES) == 0.0
    assert clip_distance(HASHES, HASHES[:-1]) == 64.0
    assert clip_distance(HASHES, ["f" * 16] * 16) == 64.0
