"""Key secrets against 10,000 mutations, revocation during an upload, and the administrator's page for keys."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from claims.intake import inspect_upload
from claims.models import Claim, VideoFile
from tenancy import authentication
from tenancy.choices import Role
from tenancy.errors import InvalidCredential, TenantInactive
from tenancy.keys import make_secret, well_formed
from tenancy.models import ApiKey, BrowserSession, Membership, Tenant, TokenFamily
from tenancy.scope import every_tenant
from tenancy.standing import require_standing
from tests.claims.handing_in import files_in, hand_in
from tests.people import PASSWORD, Person, make_key, make_person

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ANY_SIGN = SIGNS + "_-. é\x00\n٣"
KEYS = "/keys/"


def mutated(secret: str, chance: random.Random) -> str:
    """Return another text near the secret: one to three signs changed, dropped, doubled, swapped or added."""
    signs = list(secret)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(signs))
        kind = chance.randrange(5)
        if kind == 0:
            signs[at] = chance.choice(ANY_SIGN)
        elif kind == 1:
            signs[at] = chance.choice(SIGNS)
        elif kind == 2:
            signs.insert(at, chance.choice(ANY_SIGN))
        elif kind == 3:
            del signs[at]
        else:
            other = chance.randrange(len(signs))
            signs[at], signs[other] = signs[other], signs[at]
    return "".join(signs)


def test_of_ten_thousand_mutations_none_opens_and_none_asks_the_database(
    ada: Person, django_assert_num_queries: Any
) -> None:
    secret, chance, now = make_key(ada), random.Random(20261121), timezone.now()
    tried: set[str] = set()
    while len(tried) < 10_000:
        tried.add(mutated(secret, chance))
        tried.discard(secret)
    with django_assert_num_queries(0):
        for text in tried:
            with pytest.raises(InvalidCredential):
                authentication.principal_for_secret(secret=text, now=now)
    assert authentication.principal_for_secret(secret=secret, now=now)[0].user_id == ada.user.id


def test_secrets_are_never_the_same_and_always_well_formed() -> None:
    secrets = {make_secret() for _ in range(500)}
    assert len(secrets) == 500 and all(well_formed(secret) for secret in secrets)


def test_a_right_checksum_alone_opens_nothing(ada: Person, client: Client) -> None:
    answer = client.get("/api/v1/tenant", headers={"X-API-Key": make_secret()})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credential")


def test_last_used_is_written_once_a_minute(ada: Person) -> None:
    secret, now = make_key(ada), timezone.now()
    key, _ = authentication.principal_for_secret(secret=secret, now=now)
    for seconds in (1, 30, 59):
        authentication.principal_for_secret(secret=secret, now=now + timedelta(seconds=seconds))
    assert ApiKey.objects.get(id=key.id).last_used_at == now
    later = now + timedelta(seconds=61)
    authentication.principal_for_secret(secret=secret, now=later)
    assert ApiKey.objects.get(id=key.id).last_used_at == later


END: dict[str, Callable[[], Any]] = {
    "key": lambda: ApiKey.objects.update(revoked_at=timezone.now()),
    "expiry": lambda: ApiKey.objects.update(expires_at=timezone.now() - timedelta(minutes=1)),
    "membership": lambda: Membership.objects.all().delete(),
    "role": lambda: Membership.objects.update(role=Role.AUDITOR),
    "tenant": lambda: Tenant.objects.update(status="SUSPENDED"),
}


@pytest.mark.parametrize(("what", "status"), [*((what, 401) for what in END if what != "tenant"), ("tenant", 403)])
def test_what_ends_during_an_upload_commits_nothing(
    ada: Person, settings: Any, monkeypatch: pytest.MonkeyPatch, what: str, status: int
) -> None:
    def slow_look(upload: Any) -> Any:
        END[what]()
        return inspect_upload(upload)

    monkeypatch.setattr("claims.services.receiving.inspect_upload", slow_look)
    assert hand_in(ada.api()).status_code == status
    with every_tenant("test"):
        assert not Claim.objects.exists() and not VideoFile.objects.exists()
    assert files_in(settings.MEDIA_ROOT) == files_in(settings.QUARANTINE_DIR) == []


def test_tokens_and_sessions_are_asked_about_again_as_well(ada: Person, client: Client) -> None:
    client.post("/api/v1/token", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    now = timezone.now()
    by_token = replace(ada.principal, token_family_id=TokenFamily.objects.get().id)
    by_session = replace(ada.principal, session_id=BrowserSession.objects.get().id)
    for principal in (by_token, by_session, ada.principal):
        require_standing(principal, now=now)
    TokenFamily.objects.update(revoked_at=now)
    BrowserSession.objects.all().delete()
    for principal in (by_token, by_session):
        with pytest.raises(InvalidCredential):
            require_standing(principal, now=now)
    Tenant.objects.update(status="CLOSED")
    with pytest.raises(TenantInactive):
        require_standing(ada.principal, now=now)


def secret_on(page: Any) -> str:
    found = re.search(r'class="secret">(clm_live_\w{42})<', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_adam_makes_a_key_on_the_page_and_sees_its_secret_once(adam: Person, cleo: Person) -> None:
    browser = adam.browser()
    body = {"name": "nightly", "scopes": ["read"], "days": "90", "holder": str(cleo.user.id)}
    answer = browser.post(KEYS, body)
    secret = secret_on(answer)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": secret}).status_code == 200
    key = ApiKey.objects.get()
    assert key.user_id == cleo.user.id and key.expires_at is not None
    later = browser.get(KEYS).content.decode()
    assert secret not in later and secret[:15] in later and "nightly" in later


def test_adam_rotates_and_revokes_on_the_page(adam: Person) -> None:
    browser, old = adam.browser(), make_key(adam)
    key = ApiKey.objects.get()
    new = secret_on(browser.post(f"{KEYS}{key.id}/rotate/"))
    for secret in (old, new):
        assert Client().get("/api/v1/tenant", headers={"X-API-Key": secret}).status_code == 200
    again = browser.post(f"{KEYS}{key.id}/rotate/", follow=True)
    assert "revoked, expired or already rotated" in again.content.decode()
    assert browser.post(f"{KEYS}{key.id}/revoke/").status_code == 302
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": old}).status_code == 401
    assert Client().get("/api/v1/tenant", headers={"X-API-Key": new}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"scopes": []}, {"scopes": ["ops"]}, {"days": "9999"}, {"holder": "x"}, {"scopes": ["review"]}],
)
def test_a_bad_wish_for_a_key_makes_none(adam: Person, cleo: Person, change: dict[str, Any]) -> None:
    body = {"name": "n", "scopes": ["read"], "days": "30", "holder": str(cleo.user.id), **change}
    assert adam.browser().post(KEYS, body).status_code == 400
    assert not ApiKey.objects.exists()


def test_the_page_is_the_administrators_alone(ada: Person, adam: Person, borealis: Tenant, client: Client) -> None:
    make_key(adam)
    key = ApiKey.objects.get()
    bea = make_person(borealis, "bea", Role.ADMIN)
    assert client.get(KEYS).status_code == 302
    assert ada.browser().get(KEYS).status_code == 403
    assert key.prefix not in bea.browser().get(KEYS).content.decode()
    for person, statuses in ((ada, {403}), (bea, {302, 404})):
        for action in ("rotate", "revoke"):
            assert person.browser().post(f"{KEYS}{key.id}/{action}/").status_code in statuses
    key.refresh_from_db()
    assert key.revoked_at is None and ApiKey.objects.count() == 1
