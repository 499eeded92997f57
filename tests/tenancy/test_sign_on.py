"""Single sign-on against a provider on a loopback port: who gets in, who is linked, and every lie that is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from tenancy.choices import Role, Tier
from tenancy.models import AuditEvent, BrowserSession, Membership, SignOnIdentity, Tenant, User
from tenancy.scope import tenant_scope
from tenancy.second_factor import begin_second_factor, code_at, confirm_second_factor
from tests.identity_provider import CLIENT_ID, IdentityProvider, rsa_key
from tests.people import PASSWORD, Person

DOOR, HOME, PAGE, ACCOUNT = "/sign-in/", "/", "/desk/claims/", "/account/"


@pytest.fixture
def provider(settings: Any, ada: Person) -> Iterator[IdentityProvider]:
    """The provider that speaks for Acme, where Ada's address is known."""
    User.objects.filter(id=ada.user.id).update(email="Ada@acme.example")
    made = IdentityProvider()
    settings.OIDC_PROVIDERS = [made.settings(tenant="acme")]
    yield made
    made.close()


def is_inside(browser: Client) -> bool:
    return browser.get(PAGE).status_code == 200


def link(person: Person, subject: str, issuer: str) -> None:
    SignOnIdentity.objects.create(user=person.user, issuer=issuer, subject=subject, linked_at=timezone.now())


def words(browser: Client, address: str = DOOR) -> str:
    return str(browser.get(address).content.decode())


def events(person: Person) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))


def test_ada_comes_in_through_her_companys_provider(provider: IdentityProvider, ada: Person, client: Client) -> None:
    assert "Sign in with Acme ID" in words(client)
    answer = provider.return_visit(client, then="/desk/?mine=true")
    assert answer.headers["Location"] == "/desk/?mine=true" and is_inside(client)
    identity = SignOnIdentity.objects.get()
    assert (identity.user_id, identity.issuer, identity.subject) == (ada.user.id, provider.issuer, "00u-ada")
    assert events(ada) == ["identity.linked", "member.signed_in"]
    assert {"nonce", "state", "code_challenge"} <= provider.asked.keys()
    assert provider.asked["code_challenge_method"] == "S256"


def test_later_the_subject_counts_and_not_the_address(
    provider: IdentityProvider, ada: Person, sam: Person, client: Client
) -> None:
    provider.return_visit(client)
    User.objects.filter(id=sam.user.id).update(email="new.ada@acme.example")
    provider.claims = {"sub": "00u-ada", "email": "new.ada@acme.example", "email_verified": True}
    again = Client()
    provider.return_visit(again)
    assert BrowserSession.objects.get(session_key=again.session.session_key).user_id == ada.user.id
    provider.claims = {"sub": "00u-ada"}
    assert provider.return_visit(Client()).headers["Location"] == HOME


def test_an_address_whose_holder_is_linked_links_nobody_else(provider: IdentityProvider, client: Client) -> None:
    provider.return_visit(client)
    provider.claims["sub"] = "00u-successor"
    stranger = Client()
    assert provider.return_visit(stranger).headers["Location"] == DOOR
    assert not is_inside(stranger) and SignOnIdentity.objects.count() == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": "false"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email": None},
        {"email": ""},
        {"email": ["ada@acme.example"]},
        {"email": "somebody@acme.example"},
        {"email": "x" * 300 + "@acme.example"},
    ],
)
def test_what_vouches_for_nobody_links_nobody(
    provider: IdentityProvider, client: Client, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert provider.return_visit(client).headers["Location"] == DOOR
    assert not is_inside(client) and not SignOnIdentity.objects.exists()


def test_one_tenants_provider_opens_no_person_of_two_tenants_by_address(
    provider: IdentityProvider, ada: Person, borealis: Tenant, client: Client
) -> None:
    Membership.objects.create(user=ada.user, tenant=borealis, role=Role.ADMIN)
    assert provider.return_visit(client).headers["Location"] == DOOR
    assert not is_inside(client) and not SignOnIdentity.objects.exists()


def test_a_provider_vouches_for_its_own_tenant_alone(
    provider: IdentityProvider, ada: Person, borealis: Tenant, client: Client
) -> None:
    Membership.objects.create(user=ada.user, tenant=borealis, role=Role.ADMIN)
    link(ada, "00u-ada", provider.issuer)
    provider.return_visit(client)
    client.post(f"/tenant/{borealis.id}/choose/")
    assert "Reviewer at Acme Insurance" in words(client, PAGE)
    assert client.get("/api/v1/tenant", headers={"X-Tenant-ID": "borealis"}).json()["code"] == "sso_required"
    Membership.objects.filter(user=ada.user, tenant=ada.tenant).delete()
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize("field", ["is_operator", "is_superuser", "is_staff"])
def test_who_runs_the_platform_is_let_in_by_no_provider(
    provider: IdentityProvider, ada: Person, client: Client, field: str
) -> None:
    User.objects.filter(id=ada.user.id).update(**{field: True})
    provider.return_visit(client)
    link(ada, "00u-ada", provider.issuer)
    assert provider.return_visit(client).headers["Location"] == DOOR and not is_inside(client)


def test_a_deactivated_person_stays_out(provider: IdentityProvider, ada: Person, client: Client) -> None:
    link(ada, "00u-ada", provider.issuer)
    User.objects.update(is_active=False)
    assert provider.return_visit(client).headers["Location"] == DOOR and not is_inside(client)


def test_new_people_come_in_as_clients_where_the_tenant_allows_it(
    provider: IdentityProvider, acme: Tenant, client: Client
) -> None:
    provider.claims = {
        "sub": "new",
        "email": "n@acme.example",
        "email_verified": True,
        "given_name": "N\x00ew",
        "role": "ADMIN",
    }
    assert provider.return_visit(client).headers["Location"] == DOOR and User.objects.count() == 1
    Tenant.objects.update(settings={"sso_new_people": True})
    assert provider.return_visit(client).headers["Location"] == HOME
    user = User.objects.get(email="n@acme.example")
    assert Membership.objects.get(user=user).role == Role.CLIENT
    assert user.first_name == "New" and not user.has_usable_password() and not user.is_staff
    assert client.get(PAGE).status_code == 200 and client.get("/desk/").status_code == 403


def test_a_tier_without_single_sign_on_has_none(provider: IdentityProvider, ada: Person, client: Client) -> None:
    Tenant.objects.update(tier=Tier.BASIC)
    link(ada, "00u-ada", provider.issuer)
    assert provider.return_visit(client).headers["Location"] == DOOR
    assert "tier does not include this" in words(client)
    Tenant.objects.update(tier=Tier.PROFESSIONAL)
    provider.return_visit(client)
    Tenant.objects.update(tier=Tier.BASIC)
    assert client.get(PAGE).status_code == 403


def test_a_tenant_closes_its_door_to_passwords(provider: IdentityProvider, adam: Person, client: Client) -> None:
    api = adam.api()
    answer = api.patch("/api/v1/tenant", {"settings": {"sso_required": True}}, format="json")
    assert answer.status_code == 200 and answer.json()["settings"]["sso_required"] is True
    refused = client.post(DOOR, {"username": "ada", "password": PASSWORD})
    assert refused.status_code == 403 and "single sign-on" in refused.content.decode()
    assert not is_inside(client) and not BrowserSession.objects.exclude(user=None).exists()
    assert provider.return_visit(client).headers["Location"] == HOME and is_inside(client)


def test_sessions_by_password_end_when_the_door_closes(provider: IdentityProvider, ada: Person) -> None:
    browser = ada.browser()
    assert is_inside(browser)
    Tenant.objects.update(settings={"sso_required": True})
    assert browser.get(PAGE).status_code == 403
    assert "single sign-on" in words(browser)


def test_nobody_locks_the_tenant_without_a_provider_of_its_own(settings: Any, adam: Person) -> None:
    body = {"settings": {"sso_required": True}}
    answer = adam.api().patch("/api/v1/tenant", body, format="json")
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "no_identity_provider"


def test_ada_links_and_unlinks_while_signed_in(provider: IdentityProvider, ada: Person, settings: Any) -> None:
    settings.OIDC_PROVIDERS = [provider.settings()]  # speaks for no tenant
    provider.claims = {"sub": "private", "email": "elsewhere@mail.example", "email_verified": False}
    assert provider.return_visit(Client()).headers["Location"] == DOOR
    browser = ada.browser()
    assert provider.return_visit(browser, link=True).headers["Location"] == ACCOUNT
    assert provider.return_visit(Client()).headers["Location"] == HOME
    identity = SignOnIdentity.objects.get()
    assert browser.post(f"/account/identities/{identity.id}/unlink/").status_code == 302
    assert not SignOnIdentity.objects.exists()
    assert events(ada) == ["identity.linked", "member.signed_in", "identity.unlinked"]


def test_an_identity_belongs_to_one_person(provider: IdentityProvider, ada: Person, sam: Person) -> None:
    link(ada, "00u-ada", provider.issuer)
    browser = sam.browser()
    assert provider.return_visit(browser, link=True).headers["Location"] == ACCOUNT
    assert "linked with another account" in words(browser, ACCOUNT)
    identity = SignOnIdentity.objects.get()
    assert browser.post(f"/account/identities/{identity.id}/unlink/").status_code == 404
    assert identity.user_id == ada.user.id


def test_nobody_links_with_a_tenant_that_is_not_theirs(provider: IdentityProvider, zoe: Person) -> None:
    browser = zoe.browser()
    provider.return_visit(browser, link=True)
    assert "no member of the tenant" in words(browser, ACCOUNT) and not SignOnIdentity.objects.exists()


def test_a_second_factor_is_asked_for_here_as_well(provider: IdentityProvider, ada: Person, client: Client) -> None:
    now = timezone.now()
    secret = begin_second_factor(user=ada.user, now=now).secret
    confirm_second_factor(user=ada.user, code=code_at(secret, int(now.timestamp()) // 30), now=now)
    assert provider.return_visit(client).headers["Location"] == "/sign-in/code/"
    assert not is_inside(client)


def test_facts_from_userinfo_must_be_about_the_same_person(provider: IdentityProvider, client: Client) -> None:
    provider.claims = {"sub": "00u-ada"}
    provider.userinfo = {"sub": "someone-else", "email": "ada@acme.example", "email_verified": True}
    assert provider.return_visit(client).headers["Location"] == DOOR and not is_inside(client)
    provider.userinfo["sub"] = "00u-ada"
    assert provider.return_visit(client).headers["Location"] == HOME and is_inside(client)


def signatures(provider: IdentityProvider) -> dict[str, Any]:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key("provider").public_key()).encode()
    return {
        "none": lambda claims: jwt.encode(claims, "", algorithm="none"),
        "stranger's key": lambda claims: provider.signed(claims, key=rsa_key("thief")),
        "public key as secret": lambda claims: provider.signed(claims, key=public, alg="HS256"),
        "other algorithm": lambda claims: provider.signed(claims, alg="RS512"),
        "unknown key": lambda claims: provider.signed(claims, kid="k2"),
        "path as key": lambda claims: provider.signed(claims, kid="../../k1"),
        "own key inside": lambda claims: provider.signed(claims, key=rsa_key("thief"), jwk={"kty": "RSA"}),
        "cut off": lambda claims: provider.signed(claims)[:-4],
        "no token": lambda claims: None,
        "a list": lambda claims: [provider.signed(claims)],
        "words": lambda claims: "not.a.token",
    }


LIES = ["none", "stranger's key", "public key as secret", "other algorithm", "unknown key", "path as key"]
LIES += ["own key inside", "cut off", "no token", "a list", "words"]


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    provider: IdentityProvider, client: Client, lie: str
) -> None:
    provider.sign = signatures(provider)[lie]
    assert provider.return_visit(client).headers["Location"] == DOOR
    assert not is_inside(client) and not SignOnIdentity.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": ["another-client", CLIENT_ID]},
        {"azp": "another-client"},
        {"iss": "https://login.elsewhere.example"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"nonce": "of another visit"},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 5},
        {"sub": "x" * 256},
        {"exp": "never"},
    ],
)
def test_claims_that_do_not_hold_are_refused(
    provider: IdentityProvider, client: Client, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert provider.return_visit(client).headers["Location"] == DOOR
    assert not is_inside(client) and not SignOnIdentity.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [[], None, "words", ["access_token"], {"access_token": None}, {"id_token": "x"}, {"error": "invalid_grant"}],
)
def test_a_token_answer_of_another_shape_is_refused(provider: IdentityProvider, client: Client, answer: Any) -> None:
    provider.lie = lambda _right: answer
    assert provider.return_visit(client).headers["Location"] == DOOR and not is_inside(client)


@pytest.mark.parametrize(
    "discovery",
    [
        {"authorization_endpoint": "https://phishing.example/authorize"},
        {"authorization_endpoint": None},
        {"token_endpoint": 5},
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_followed(
    provider: IdentityProvider, client: Client, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    answer = client.post("/sign-in/sso/acme-id/", {})
    assert answer.headers["Location"] == DOOR


@pytest.mark.parametrize(
    "change", [{"state": "forged"}, {"state": ""}, {"error": "access_denied"}, {"error": "<script>"}]
)
def test_a_return_that_nobody_asked_for_is_refused(
    provider: IdentityProvider, client: Client, change: dict[str, Any]
) -> None:
    assert provider.return_visit(client, **change).headers["Location"] == DOOR and not is_inside(client)


def test_a_state_is_used_once_and_by_its_own_browser(provider: IdentityProvider, client: Client) -> None:
    provider.return_visit(client)
    back = {"code": "c", "state": provider.asked["state"]}
    for browser in (client, Client()):
        browser.post("/sign-out/")
        browser.get("/sign-in/sso/acme-id/callback/", back)
        assert not is_inside(browser)


def test_the_way_begins_with_a_form_and_a_known_provider(provider: IdentityProvider, client: Client) -> None:
    assert client.get("/sign-in/sso/acme-id/").status_code == 405
    assert client.post("/sign-in/sso/elsewhere/").status_code == 404
    assert client.get("/sign-in/sso/elsewhere/callback/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/sign-in/sso/acme-id/").status_code == 403


def test_a_provider_that_is_away_is_told(provider: IdentityProvider, settings: Any, client: Client) -> None:
    settings.OIDC_PROVIDERS = [{**provider.settings(tenant="acme"), "issuer": "http://127.0.0.1:9"}]
    assert client.post("/sign-in/sso/acme-id/").headers["Location"] == DOOR
    assert "does not answer" in words(client)
