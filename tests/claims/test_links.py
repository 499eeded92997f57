"""Claims of one tenant that share a plate, a phone, an e-mail or an account: found, weighed, never across tenants."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from aiassist.fraud.links import LINK_WEIGHTS, link_indicators
from aiassist.types import ClaimLink, FraudOpinion, LinkKind, LinkRelation, Severity
from claims.link_keys import (
    LinkKeys,
    account_spelling,
    email_spelling,
    link_keys_of,
    name_spelling,
    phone_spelling,
    plate_spelling,
)
from claims.links import MOST_LINKED, linked_claims
from claims.models import Claim, LinkKey, LinkKeyKind, Party, VideoFile
from claims.services import assess_claim
from claims.services.linking import index_links
from tenancy.scope import tenant_scope
from tenancy.vault import tenant_index
from tests.claims.handing_in import clip, hand_in, receive
from tests.claims.opinions import FakeEngine, opinion_of, take_only_job
from tests.files import make_assessed_claim, make_claim, make_party
from tests.people import Person

JANE = {"name": "Jane Doe", "email": "jane@example.org", "phone": "+49 170 1234567", "account": "DE02 1203 0000 0000"}


def known_claim(person: Person, number: str, *, plate: str = "", **claimant: str) -> Claim:
    """Return a claim that is indexed as an upload would have indexed it."""
    claim = make_claim(person, number, vehicle_plate=plate)
    with tenant_scope(person.tenant.id):
        party = make_party(claim, **claimant) if claimant else None
        index_links(claim, party, now=timezone.now())
    return claim


def links_of(person: Person, claim: Claim) -> set[tuple[str, str, str]]:
    with tenant_scope(person.tenant.id):
        return {(link.kind.value, link.relation.value, link.claim_number) for link in linked_claims(claim)}


def test_another_persons_claim_is_found_by_each_identifier(cleo: Person) -> None:
    known_claim(cleo, "BY-PLATE", plate="B-AB 1234", name="Max Meier")
    known_claim(cleo, "BY-PHONE", phone="0170/1234567", name="Max Meier")
    known_claim(cleo, "BY-MAIL", email="Jane+crash@Example.org", name="Max Meier")
    known_claim(cleo, "BY-ACCOUNT", account="de0212030000 0000", name="Max Meier")
    known_claim(cleo, "UNRELATED", plate="B-AB 1235", name="Max Meier", phone="0170/7654321")
    claim = known_claim(cleo, "CLM-1", plate="bab1234", **JANE)
    assert links_of(cleo, claim) == {
        ("PLATE", "OTHER", "BY-PLATE"),
        ("PHONE", "OTHER", "BY-PHONE"),
        ("EMAIL", "OTHER", "BY-MAIL"),
        ("ACCOUNT", "OTHER", "BY-ACCOUNT"),
    }


def test_an_own_earlier_claim_is_told_from_another_persons_and_from_nobodys(cleo: Person) -> None:
    known_claim(cleo, "OWN", **{**JANE, "name": "DOE, Jane"})
    known_claim(cleo, "OTHER", name="Max Meier", phone=JANE["phone"])
    known_claim(cleo, "NAMELESS", phone=JANE["phone"])
    claim = known_claim(cleo, "CLM-1", name=JANE["name"], phone=JANE["phone"])
    found = {number: relation for kind, relation, number in links_of(cleo, claim) if kind == "PHONE"}
    assert found == {"OWN": "OWN", "OTHER": "OTHER", "NAMELESS": "UNKNOWN"}


def test_nothing_is_ever_linked_across_tenants(cleo: Person, zoe: Person) -> None:
    theirs = known_claim(zoe, "THEIRS", plate="B-AB 1234", **JANE)
    ours = known_claim(cleo, "CLM-1", plate="B-AB 1234", **JANE)
    assert links_of(cleo, ours) == set() == links_of(zoe, theirs)
    digests = []
    for person, claim in ((cleo, ours), (zoe, theirs)):
        with tenant_scope(person.tenant.id):
            digests.append(set(LinkKey.objects.filter(claim=claim).values_list("digest", flat=True)))
    assert len(digests[0]) == 5
    assert not digests[0] & digests[1], "the same phone must look different in another tenant's rows"


def test_what_the_index_holds_cannot_be_read(cleo: Person) -> None:
    claim = known_claim(cleo, "CLM-1", plate="B-AB 1234", **JANE)
    with tenant_scope(cleo.tenant.id):
        stored = " ".join(LinkKey.objects.filter(claim=claim).values_list("digest", flat=True))
    assert "bab1234" not in stored and "jane" not in stored


@pytest.mark.parametrize(
    ("spelled", "one", "other"),
    [
        (plate_spelling, "B-AB 1234", "b ab1234"),
        (plate_spelling, "ＢＡＢ１２３４", "BAB1234"),
        (phone_spelling, "+49 (170) 1234567", "0170 1234567"),
        (phone_spelling, "0049-170-1234567", "+49 170 123 45 67"),
        (email_spelling, "Jane.Doe@GMail.com", "janedoe+x@googlemail.com"),
        (account_spelling, "DE02 1203 0000", "de0212030000"),
        (name_spelling, "Doe, Jane", "jane DOE"),
    ],
)
def test_spellings_of_one_identifier_are_one(spelled: Any, one: str, other: str) -> None:
    assert spelled(one) == spelled(other) != ""


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        (plate_spelling, "n/a"),
        (plate_spelling, "unknown"),
        (phone_spelling, "0000000000"),
        (phone_spelling, "12345"),
        (email_spelling, "none"),
        (email_spelling, "@example.org"),
        (account_spelling, "------"),
    ],
)
def test_stopgaps_link_nothing(spelled: Any, text: str) -> None:
    assert spelled(text) == ""


def test_an_upload_is_indexed_and_its_links_reach_the_engine(cleo: Person) -> None:
    known_claim(cleo, "CLM-0", plate="B-AB 1234", name="Max Meier", phone=JANE["phone"])
    answer = hand_in(cleo.api(), "CLM-1", claimant=json.dumps(JANE), vehicle_plate="B AB 1234")
    assert answer.status_code == 202
    engine = FakeEngine()
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=engine)
    assert set(engine.dossiers[0].links) == {
        ClaimLink(LinkKind.PHONE, LinkRelation.OTHER, "CLM-0"),
        ClaimLink(LinkKind.PLATE, LinkRelation.OTHER, "CLM-0"),
    }


def test_the_engine_never_sees_the_identifiers_themselves(cleo: Person) -> None:
    hand_in(cleo.api(), "CLM-1", claimant=json.dumps(JANE))
    engine = FakeEngine()
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=engine)
    told = repr(engine.dossiers[0])
    assert "jane@" not in told and "1234567" not in told


def test_link_indicators_weigh_another_person_over_nobody_over_the_claimant() -> None:
    def weight(relation: LinkRelation) -> float:
        return link_indicators([ClaimLink(LinkKind.PHONE, relation, "CLM-7")])[0].weight

    assert weight(LinkRelation.OTHER) == LINK_WEIGHTS[LinkKind.PHONE]
    assert weight(LinkRelation.OTHER) > weight(LinkRelation.UNKNOWN) > weight(LinkRelation.OWN) > 0


def test_link_indicators_name_the_other_claims_and_why() -> None:
    links = [ClaimLink(LinkKind.ACCOUNT, LinkRelation.OTHER, f"CLM-{n}") for n in range(7)]
    [found] = link_indicators(links)
    assert found.code == "shared_account"
    assert found.detail == "same account as claims CLM-0, CLM-1, CLM-2, CLM-3, CLM-4 and 2 more of another person"
    assert LINK_WEIGHTS[LinkKind.ACCOUNT] < found.weight < 1


def test_link_indicators_count_a_claimants_earlier_claim_once_whatever_it_shares() -> None:
    links = [ClaimLink(kind, LinkRelation.OWN, "CLM-7") for kind in LinkKind]
    [found] = link_indicators(links)
    assert (found.code, found.weight) == ("own_earlier_claim", 0.05)
    assert "CLM-7" in found.detail and "same name and account, e-mail, phone, plate" in found.detail


def test_link_indicators_take_what_many_share_for_a_fleet_or_a_broker() -> None:
    many = [ClaimLink(LinkKind.PLATE, LinkRelation.OTHER, f"CLM-{n}", common=True) for n in range(3)]
    few = [ClaimLink(LinkKind.PLATE, LinkRelation.OTHER, f"CLM-{n}") for n in range(3)]
    assert link_indicators(many)[0].weight == pytest.approx(link_indicators(few)[0].weight / 2, abs=1e-4)


def test_linked_claims_costs_the_same_among_a_thousand_claims(
    cleo: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    claim = known_claim(cleo, "CLM-1", plate="B-AB 1234", **JANE)
    with tenant_scope(cleo.tenant.id):
        keys = link_keys_of(claim, Party.objects.get(claim=claim), index=tenant_index(now=timezone.now()))
    crowd_sharing(cleo, keys, count=1_000)
    with tenant_scope(cleo.tenant.id), django_assert_max_num_queries(6):
        links = linked_claims(claim)
    assert len(links) == 4 * MOST_LINKED
    assert all(link.common for link in links)


def crowd_sharing(person: Person, keys: LinkKeys, *, count: int) -> None:
    """Add claims that share everything but the name with the one whose keys these are."""
    now, shared = timezone.now(), [kind for kind in keys if kind != LinkKeyKind.NAME]
    with tenant_scope(person.tenant.id):
        videos = [
            VideoFile(
                sha256=f"{n:064x}", size_bytes=1, storage_key=f"crowd/{n}", width_px=1, height_px=1, stored_at=now
            )
            for n in range(count)
        ]
        VideoFile.objects.bulk_create(videos)
        claims = [
            Claim(claim_number=f"CROWD-{n}", submitted_by=person.user, video=video, received_at=now)
            for n, video in enumerate(videos)
        ]
        Claim.objects.bulk_create(claims)
        LinkKey.objects.bulk_create(
            LinkKey(claim=claim, kind=kind, digest=keys[kind]) for claim in claims for kind in shared
        )


def test_index_links_makes_older_claims_comparable_and_runs_twice(cleo: Person) -> None:
    make_claim(cleo, "CLM-OLD", vehicle_plate="B-AB 1234")
    claim = known_claim(cleo, "CLM-1", plate="bab1234")
    assert links_of(cleo, claim) == set()
    for _ in range(2):
        out = StringIO()
        call_command("index_links", "--tenant", "acme", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"claims": {"acme": 2}}
        assert links_of(cleo, claim) == {("PLATE", "UNKNOWN", "CLM-OLD")}


def test_index_links_knows_no_other_tenant(cleo: Person) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("index_links", "--tenant", "nowhere")
    assert refusal.value.returncode == 3


def test_a_client_sees_neither_links_nor_what_made_the_score(cleo: Person, ada: Person) -> None:
    known_claim(cleo, "CLM-0", name="Max Meier", phone=JANE["phone"])
    claim = receive(cleo, "CLM-1", clip("linked")).claim
    indicators = tuple(link_indicators([ClaimLink(LinkKind.PHONE, LinkRelation.OTHER, "CLM-0")]))
    opinion = replace(opinion_of(Severity.LOW), fraud=FraudOpinion(0.3, indicators))
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine(opinion))
    address = f"/api/v1/claims/{claim.id}/assessment"
    staff, client = ada.api().get(address).json(), cleo.api().get(address)
    assert staff["fraud_indicators"] == [
        {"code": "shared_phone", "weight": 0.3, "detail": "same phone as claim CLM-0 of another person"}
    ]
    assert (staff["fraud_source"], staff["fraud_model"]) == ("scorecard", "scorecard-2")
    assert not {"fraud_indicators", "fraud_risk_score", "fraud_source", "fraud_model"} & set(client.json())
    assert "CLM-0" not in client.content.decode()


def test_the_claim_page_says_that_the_points_are_a_scorecard(cleo: Person, ada: Person) -> None:
    indicator = {"code": "shared_phone", "weight": 0.3, "detail": "same phone as claim CLM-0 of another person"}
    claim = make_assessed_claim(cleo, fraud_risk_score=0.3, fraud_indicators=[indicator])
    text = ada.browser().get(f"/desk/claims/{claim.id}/review/").content.decode()
    assert "same phone as claim CLM-0 of another person" in text
    assert "Scorecard: points set by hand, joined; an order of risk, no probability." in text
