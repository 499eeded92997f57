"""Restricted files and shared claims: who finds what, at every door."""

from __future__ import annotations

import pytest
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm
from guardian.utils import get_user_obj_perms_model

from claims.models import Claim, ClaimGrant
from claims.visibility import OPEN_RESTRICTED
from tenancy.choices import Role
from tenancy.errors import CrossTenantWrite
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def lou(ada: Person) -> Person:
    return make_person(ada.tenant, "lou", Role.SUPERVISOR)


@pytest.fixture
def restricted(cleo: Person, sam: Person) -> Claim:
    """Cleo's claim, which Sam has restricted."""
    claim = make_assessed_claim(cleo)
    answer = sam.api().post(f"/api/v1/claims/{claim.id}/restriction", {"reason": "SIU 17"}, format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json() == {"claim_id": str(claim.id), "restricted": True}
    return claim


def _doors(claim: Claim) -> list[str]:
    api, desk = f"/api/v1/claims/{claim.id}", f"/desk/claims/{claim.id}"
    history = f"/api/v1/reviews/{claim.id}/history"
    return [api, f"{api}/status", f"{api}/assessment", f"{api}/video", history, f"{desk}/", f"{desk}/review/"]


def test_a_restricted_claim_is_not_there_for_colleagues(restricted: Claim, ada: Person, lou: Person) -> None:
    for person in (ada, lou):
        browser = person.browser()
        assert {door: browser.get(door).status_code for door in _doors(restricted)} == dict.fromkeys(
            _doors(restricted), 404
        )
        assert browser.get("/api/v1/claims").json()["items"] == []
        assert browser.get("/api/v1/reviews/queue").json()["items"] == []
        assert restricted.claim_number not in browser.get("/desk/").content.decode()
        assert person.api().post("/api/v1/reviews/next").status_code == 204
        assert person.api().post(f"/api/v1/reviews/{restricted.id}/lease").status_code == 404


def test_a_restricted_claim_is_not_decided_by_a_colleague(restricted: Claim, ada: Person) -> None:
    body = {"decision": "APPROVE", "reasoning": "fine", "assessment_id": str(restricted.assessment_id)}
    answer = ada.api().post(f"/api/v1/reviews/{restricted.id}/decision", body, format="json")
    assert answer.status_code == 404
    answer = ada.api().post(f"/api/v1/claims/{restricted.id}/reassess", {}, format="json")
    assert answer.status_code == 404


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_administrators_and_auditors_see_restricted_claims(restricted: Claim, ada: Person, role: Role) -> None:
    person = make_person(ada.tenant, "robin", role)
    answer = person.api().get(f"/api/v1/claims/{restricted.id}")
    assert answer.status_code == 200
    assert answer.json()["restricted"] is True


def test_who_restricts_and_who_handed_in_still_see_it(restricted: Claim, sam: Person, cleo: Person) -> None:
    assert sam.api().get(f"/api/v1/claims/{restricted.id}").status_code == 200
    seen = cleo.api().get(f"/api/v1/claims/{restricted.id}")
    assert seen.status_code == 200
    assert "restricted" not in seen.json()  # the claimant's side is not told


def test_a_grant_opens_a_restricted_claim_until_it_is_taken_back(restricted: Claim, sam: Person, ada: Person) -> None:
    grants = f"/api/v1/claims/{restricted.id}/grants"
    granted = sam.api().post(grants, {"username": "ada"}, format="json")
    assert granted.status_code == 201
    assert granted.json()["access"] == "RESTRICTED_FILE"
    assert [item["claim_id"] for item in ada.api().get("/api/v1/reviews/queue").json()["items"]] == [str(restricted.id)]
    assert ada.api().post("/api/v1/reviews/next").json()["claim_id"] == str(restricted.id)
    listed = sam.api().get(grants).json()["items"]
    assert [item["username"] for item in listed] == ["sam", "ada"]
    assert sam.api().delete(granted["Location"]).status_code == 204
    assert ada.api().get(f"/api/v1/claims/{restricted.id}").status_code == 404
    assert ada.api().get("/api/v1/reviews/queue").json()["items"] == []


def test_a_claim_is_shared_with_one_outsider_redacted(sam: Person, cleo: Person, ada: Person) -> None:
    claim, other = make_assessed_claim(ada, "CLM-1"), make_assessed_claim(ada, "CLM-2")
    assert cleo.api().get(f"/api/v1/claims/{claim.id}").status_code == 404
    answer = sam.api().post(f"/api/v1/claims/{claim.id}/grants", {"username": "cleo"}, format="json")
    assert answer.json()["access"] == "SHARED"
    opinion = cleo.api().get(f"/api/v1/claims/{claim.id}/assessment").json()
    assert "fraud_risk_score" not in opinion
    assert [item["id"] for item in cleo.api().get("/api/v1/claims").json()["items"]] == [str(claim.id)]
    assert cleo.api().get(f"/api/v1/claims/{other.id}").status_code == 404


def test_only_supervisors_restrict_and_grant(sam: Person, ada: Person, cleo: Person, zoe: Person) -> None:
    claim = make_assessed_claim(cleo)
    for person, status in ((ada, 403), (cleo, 403), (zoe, 403)):
        api = person.api()
        assert api.post(f"/api/v1/claims/{claim.id}/restriction", {"reason": "x"}, format="json").status_code == status
        assert api.post(f"/api/v1/claims/{claim.id}/grants", {"username": "ada"}, format="json").status_code == status
    chief = make_person(zoe.tenant, "zoes-chief", Role.SUPERVISOR)
    answer = chief.api().post(f"/api/v1/claims/{claim.id}/restriction", {"reason": "x"}, format="json")
    assert answer.status_code == 404


def test_people_of_other_tenants_cannot_be_let_in(restricted: Claim, sam: Person, zoe: Person) -> None:
    answer = sam.api().post(f"/api/v1/claims/{restricted.id}/grants", {"username": "zoe"}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_member"


def test_every_step_is_in_the_history(restricted: Claim, sam: Person, ada: Person) -> None:
    granted = sam.api().post(f"/api/v1/claims/{restricted.id}/grants", {"username": "ada"}, format="json")
    sam.api().delete(granted["Location"])
    assert sam.api().delete(f"/api/v1/claims/{restricted.id}/restriction").status_code == 204
    events = ada.api().get(f"/api/v1/reviews/{restricted.id}/history").json()["items"]
    told = [(e["event"], e["reason"]) for e in events]
    assert told == [
        ("claim.restricted", "SIU 17"),
        ("claim.access_granted", ""),
        ("claim.access_revoked", ""),
        ("claim.restriction_lifted", ""),
    ]


def test_restricting_twice_and_lifting_twice_are_refused(restricted: Claim, sam: Person) -> None:
    api, address = sam.api(), f"/api/v1/claims/{restricted.id}/restriction"
    assert api.post(address, {"reason": "again"}, format="json").json()["code"] == "already_restricted"
    assert api.delete(address).status_code == 204
    assert api.delete(address).json()["code"] == "not_restricted"


def test_the_access_page_does_all_of_it(cleo: Person, sam: Person, ada: Person) -> None:
    claim = make_assessed_claim(cleo)
    browser, page = sam.browser(), f"/desk/claims/{claim.id}/access/"
    assert browser.post(page, {"action": "restrict", "reason": ""}).status_code == 400
    assert browser.post(page, {"action": "restrict", "reason": "SIU"}).status_code == 302
    assert browser.post(page, {"action": "grant", "username": "ada"}).status_code == 302
    shown = browser.get(page).content.decode()
    assert "Restricted file" in shown
    assert "Ada" in shown
    with tenant_scope(sam.tenant.id):
        grant = ClaimGrant.objects.get(user=ada.user)
    assert browser.post(page, {"action": "revoke", "grant_id": str(grant.id)}).status_code == 302
    assert browser.post(page, {"action": "lift"}).status_code == 302
    assert "Open to all staff" in browser.get(page).content.decode()
    assert ada.browser().get(page).status_code == 403


@pytest.mark.usefixtures("uncounted")
def test_a_list_costs_no_further_query_for_grants(
    restricted: Claim, ada: Person, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    browser = ada.browser()
    browser.get("/api/v1/claims")
    # Session, person, membership; then the page itself with its grants inside.
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        browser.get("/api/v1/claims")


def test_guardians_generic_table_stays_empty(restricted: Claim) -> None:
    """A generic row outlives its object; whatever gets the id later would be open to the old holder."""
    assert get_user_obj_perms_model(restricted) is ClaimGrant
    assert UserObjectPermission.objects.count() == 0


def test_a_grant_across_tenants_is_not_written(restricted: Claim, ada: Person, zoe: Person) -> None:
    with tenant_scope(zoe.tenant.id), pytest.raises(CrossTenantWrite):
        assign_perm(OPEN_RESTRICTED, zoe.user, restricted)
