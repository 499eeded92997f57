"""Browser sessions: their limits, the page that lists them, and everything that ends them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tenancy.clients import masked_address, program_of
from tenancy.models import ApiKey, AuditEvent, BrowserSession, Membership, Tenant, TokenFamily, User
from tenancy.principals import principal_of_operator
from tenancy.scope import tenant_scope
from tenancy.sessions import deactivate_person, purge_ended_access
from tests.people import PASSWORD, Person, make_key

DOOR, ACCOUNT, PAGE = "/sign-in/", "/account/", "/desk/claims/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "a very fresh and long password"


def signed_in(person: Person, agent: str = FIREFOX, address: str = "203.0.113.77") -> Client:
    browser = Client(raise_request_exception=False, headers={"User-Agent": agent}, REMOTE_ADDR=address)
    answer = browser.post(DOOR, {"username": person.user.username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return browser


def is_inside(browser: Client) -> bool:
    return browser.get(PAGE).status_code == 200


def row_of(browser: Client) -> BrowserSession:
    return BrowserSession.objects.get(session_key=browser.cookies[settings.SESSION_COOKIE_NAME].value)


def events(person: Person) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))


def test_the_account_page_lists_browsers_without_whole_addresses(ada: Person, zoe: Person) -> None:
    here, _there = signed_in(ada), signed_in(ada, "curl/8.1 (Linux)", "2001:db8:1:2::3")
    signed_in(zoe, address="198.51.100.9")
    page = here.get(ACCOUNT).content.decode()
    assert "Firefox on Windows" in page and "203.0.113.x" in page and "This one" in page
    assert "curl on Linux" in page and "2001:db8:1::x" in page
    assert "203.0.113.77" not in page and "198.51.100" not in page
    assert here.get(ACCOUNT).headers["Cache-Control"] == "private, no-store"


def test_ada_signs_one_browser_out_and_nobody_elses(ada: Person, zoe: Person) -> None:
    here, there, hers = signed_in(ada), signed_in(ada), signed_in(zoe)
    assert here.post(f"/account/sessions/{row_of(hers).id}/end/").status_code == 302
    assert is_inside(hers)
    here.post(f"/account/sessions/{row_of(there).id}/end/")
    assert not is_inside(there) and is_inside(here)
    assert events(ada).count("sessions.ended") == 1


def test_ada_signs_all_other_browsers_out(ada: Person) -> None:
    here, others = signed_in(ada), [signed_in(ada) for _ in range(2)]
    answer = here.post("/account/sessions/end-others/", follow=True)
    assert "2 other browsers are signed out." in answer.content.decode()
    assert [is_inside(browser) for browser in others] == [False, False] and is_inside(here)


def test_the_session_key_changes_at_the_sign_in_and_at_each_one_after(client: Client, ada: Person) -> None:
    keys = set()
    for _ in range(3):
        client.post(DOOR, {"username": "ada", "password": PASSWORD})
        keys.add(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert len(keys) == 3 and BrowserSession.objects.filter(user=ada.user).count() == 1


def test_an_idle_session_ends_and_what_pages_ask_by_themselves_does_not_keep_it_awake(ada: Person) -> None:
    browser = signed_in(ada)
    past = timezone.now() - timedelta(minutes=20)
    BrowserSession.objects.update(last_seen_at=past, expire_date=past + timedelta(minutes=30))
    assert browser.get(PAGE, headers={"HX-Request": "true"}).status_code == 200
    assert row_of(browser).last_seen_at == past
    assert is_inside(browser)
    row = row_of(browser)
    assert row.last_seen_at > past and row.expire_date - row.last_seen_at == timedelta(minutes=30)
    BrowserSession.objects.update(expire_date=timezone.now())
    assert not is_inside(browser)


def test_no_session_outlives_the_absolute_limit(ada: Person) -> None:
    browser = signed_in(ada)
    row = row_of(browser)
    begun = timezone.now() - timedelta(hours=11, minutes=50)
    BrowserSession.objects.update(signed_in_at=begun, last_seen_at=timezone.now() - timedelta(minutes=5))
    assert is_inside(browser)
    assert row_of(browser).expire_date == begun + timedelta(hours=12)
    assert row.signed_in_at is not None


def test_being_seen_is_written_once_a_minute(ada: Person) -> None:
    browser = signed_in(ada)
    first = row_of(browser).last_seen_at
    assert is_inside(browser) and row_of(browser).last_seen_at == first


def test_a_new_password_ends_every_other_browser_and_all_tokens(ada: Person) -> None:
    here, there, secret = signed_in(ada), signed_in(ada), make_key(ada)
    Client().post("/api/v1/token", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/account/password/", body).headers["Location"] == ACCOUNT
    assert is_inside(here) and not is_inside(there)
    assert not TokenFamily.objects.filter(revoked_at=None).exists()
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": secret}).status_code == 200
    assert User.objects.get(username="ada").check_password(NEW)
    assert events(ada)[-1] == "password.changed"


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("guess", NEW, NEW, "Your old password was entered incorrectly"),
        (PASSWORD, "short", "short", "at least 12 characters"),
        (PASSWORD, "password1234", "password1234", "too common"),
        (PASSWORD, "ada-lovelace-ada", "ada-lovelace-ada", "too similar to the username"),
        (PASSWORD, NEW, NEW + "x", "two password fields"),
    ],
)
def test_a_bad_password_is_refused_with_a_reason(acme: Tenant, old: str, new: str, again: str, words: str) -> None:
    user = User.objects.create_user("ada-lovelace", password=PASSWORD)
    Membership.objects.create(user=user, tenant=acme, role="ANALYST")
    browser = Client()
    browser.force_login(user)
    body = {"old_password": old, "new_password1": new, "new_password2": again}
    answer = browser.post("/account/password/", body)
    assert answer.status_code == 400 and words in answer.content.decode()
    assert User.objects.get(id=user.id).check_password(PASSWORD)


def test_the_present_password_is_not_guessed_on_the_password_page(ada: Person) -> None:
    browser = signed_in(ada)
    body = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/account/password/", body).status_code for _ in range(8)] == [400] * 8
    right = {**body, "old_password": PASSWORD}
    answer = browser.post("/account/password/", right)
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 900


@pytest.mark.django_db(transaction=True)
def test_a_deactivated_person_is_out_everywhere_and_stays_so(ada: Person) -> None:
    browser, secret = signed_in(ada), make_key(ada)
    olga = User.objects.create_user("olga", is_operator=True, is_staff=True)
    admin = Client()
    admin.force_login(olga)
    form = {"username": "ada", "first_name": "Ada"}
    assert admin.post(f"/admin/tenancy/user/{ada.user.id}/change/", form).status_code == 302
    assert not is_inside(browser)
    User.objects.filter(id=ada.user.id).update(is_active=True)
    assert not is_inside(browser)
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": secret}).status_code == 401
    assert events(ada)[-1] == "member.deactivated"


def test_a_session_of_who_became_inactive_does_not_revive(ada: Person) -> None:
    browser = signed_in(ada)
    User.objects.update(is_active=False)
    assert not is_inside(browser)
    User.objects.update(is_active=True)
    assert not is_inside(browser) and not BrowserSession.objects.filter(user=ada.user).exists()


@pytest.mark.django_db(transaction=True)
def test_an_ended_membership_takes_keys_and_tokens_with_it_for_good(ada: Person) -> None:
    secret, browser = make_key(ada), signed_in(ada)
    Client().post("/api/v1/token", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    olga = User.objects.create_user("olga", is_operator=True, is_staff=True)
    admin = Client()
    admin.force_login(olga)
    member = Membership.objects.get(user=ada.user)
    assert admin.post(f"/admin/tenancy/membership/{member.id}/delete/", {"post": "yes"}).status_code == 302
    assert browser.get(PAGE).status_code == 403
    Membership.objects.create(user=ada.user, tenant=ada.tenant, role="ANALYST")
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": secret}).status_code == 401
    assert not ApiKey.objects.filter(revoked_at=None).exists()
    assert not TokenFamily.objects.filter(revoked_at=None).exists()


def test_deactivating_is_told_with_the_operators_name(ada: Person) -> None:
    olga = User.objects.create_user("olga", is_operator=True)
    deactivate_person(actor=principal_of_operator(olga), user=ada.user, now=timezone.now())
    with tenant_scope(ada.tenant.id):
        event = AuditEvent.objects.get()
    assert (event.event, event.actor_name) == ("member.deactivated", "olga")


def test_the_operator_has_an_account_page_too(acme: Tenant) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("olga", is_operator=True))
    assert browser.get(ACCOUNT).status_code == 200


def test_ada_ends_the_tokens_of_a_program_and_of_nobody_else(ada: Person, sam: Person) -> None:
    body: dict[str, Any] = {"password": PASSWORD}
    for name in ("ada", "sam"):
        Client().post("/api/v1/token", {**body, "username": name}, content_type="application/json")
    browser = ada.browser()
    for family in TokenFamily.objects.all():
        browser.post(f"/account/tokens/{family.id}/end/")
    assert [f.user_id for f in TokenFamily.objects.filter(revoked_at=None)] == [sam.user.id]
    assert events(ada)[-1] == "tokens.revoked"


def test_what_is_over_is_swept_away(ada: Person) -> None:
    signed_in(ada)
    live = signed_in(ada)
    past = timezone.now() - timedelta(seconds=1)
    BrowserSession.objects.exclude(session_key=row_of(live).session_key).update(expire_date=past)
    assert purge_ended_access(now=timezone.now()) == 1
    assert is_inside(live)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("198.51.100.7", "198.51.100.x"),
        ("::ffff:198.51.100.7", "198.51.100.x"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::x"),
        ("fe80::1%eth0", "fe80::x"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_shown_as_its_network(address: str, shown: str) -> None:
    assert masked_address(address) == shown


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Chrome/140 Safari/537 Edg/140", "Edge on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("<script>alert(1)</script>", "Unknown program"),
        (None, "Unknown program"),
    ],
)
def test_a_program_is_a_few_known_words(agent: str | None, words: str) -> None:
    assert program_of(agent) == words
