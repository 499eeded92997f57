"""The doors: signing in, out, choosing a tenant, and the first page of each role."""

from __future__ import annotations

import pytest
from django.test import Client

from tenancy.choices import Role
from tenancy.models import AuditEvent, Membership, Tenant, User
from tenancy.scope import tenant_scope
from tests.people import PASSWORD, Person, make_person

DOOR = "/sign-in/"


def test_ada_signs_in_and_the_trail_says_so(client: Client, ada: Person) -> None:
    answer = client.post(DOOR, {"username": "ada", "password": PASSWORD, "next": "/desk/?mine=true"})
    assert answer.headers["Location"] == "/desk/?mine=true"
    with tenant_scope(ada.tenant.id):
        event = AuditEvent.objects.get()
    assert (event.event, event.actor_id) == ("member.signed_in", str(ada.user.id))
    assert client.get("/desk/").status_code == 200


def test_the_door_leads_nowhere_outside(client: Client, ada: Person) -> None:
    answer = client.post(DOOR, {"username": "ada", "password": PASSWORD, "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_a_wrong_password_and_a_wrong_name_sound_the_same(client: Client, ada: Person, name: str) -> None:
    answer = client.post(DOOR, {"username": name, "password": "guess"})
    assert answer.status_code == 200
    assert "That name and password do not match." in answer.content.decode()


def test_guessing_is_slowed_down_also_for_the_right_password(client: Client, ada: Person, sam: Person) -> None:
    for _ in range(8):
        client.post(DOOR, {"username": "Ada", "password": "guess"})
    answer = client.post(DOOR, {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Too many attempts to sign in" in answer.content.decode()
    assert client.post(DOOR, {"username": "sam", "password": PASSWORD}).status_code == 302


def test_signing_out_takes_a_post(ada: Person) -> None:
    browser = ada.browser()
    assert browser.get("/sign-out/").status_code == 405
    assert browser.post("/sign-out/").headers["Location"] == DOOR
    assert browser.get("/desk/").status_code == 302


@pytest.mark.parametrize(
    ("role", "start"),
    [
        (Role.ANALYST, "/desk/"),
        (Role.SUPERVISOR, "/desk/"),
        (Role.CLIENT, "/desk/claims/"),
        (Role.AUDITOR, "/desk/claims/"),
    ],
)
def test_everyone_starts_on_a_page_that_is_open_to_them(acme: Tenant, role: Role, start: str) -> None:
    browser = make_person(acme, "pat", role).browser()
    assert browser.get("/").headers["Location"] == start
    assert browser.get(start).status_code == 200
    assert browser.get(DOOR).headers["Location"] == "/"


def test_a_person_without_a_tenant_is_told_so_and_not_sent_in_circles(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("ines", password=PASSWORD))
    assert client.get("/").headers["Location"] == DOOR
    page = client.get(DOOR)
    assert page.status_code == 200 and "belongs to no tenant yet" in page.content.decode()


def test_a_person_in_two_tenants_chooses_where_to_work(sam: Person, borealis: Tenant) -> None:
    Membership.objects.create(user=sam.user, tenant=borealis, role=Role.ANALYST)
    browser = sam.browser()
    assert "Borealis Insurance" in browser.get("/desk/").content.decode()
    answer = browser.post(f"/tenant/{borealis.id}/choose/", follow=True)
    assert "You now work at Borealis Insurance." in answer.content.decode()
    assert "Reviewer at Borealis Insurance" in answer.content.decode()


def test_nobody_chooses_a_tenant_they_do_not_belong_to(ada: Person, borealis: Tenant, client: Client) -> None:
    assert ada.browser().post(f"/tenant/{borealis.id}/choose/").status_code == 404
    assert client.post(f"/tenant/{borealis.id}/choose/").status_code == 302
