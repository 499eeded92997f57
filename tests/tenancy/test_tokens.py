"""Access and refresh tokens over HTTP: granted, used, renewed in turn, stolen, revoked, forged."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone
from rest_framework.test import APIClient

from observability.ids import new_id
from tenancy.choices import Role, TenantStatus
from tenancy.jwts import TokenFacts, TokenKind, sign_token
from tenancy.models import AuditEvent, Membership, Tenant, TokenFamily, User
from tenancy.scope import tenant_scope
from tests.people import PASSWORD, Person, make_key

TOKEN, REFRESH, REVOKE = "/api/v1/token", "/api/v1/token/refresh", "/api/v1/token/revoke"
WHO = "/api/v1/tenant"


def post(path: str, body: Any, **headers: str) -> Any:
    return APIClient(raise_request_exception=False).post(path, body, format="json", headers=headers)


def sign_in(person: Person, **more: str) -> dict[str, Any]:
    answer = post(TOKEN, {"username": person.user.username, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def ask(token: str, path: str = WHO, **headers: str) -> Any:
    return APIClient(raise_request_exception=False).get(path, headers={"Authorization": f"Bearer {token}", **headers})


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def events(person: Person) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))


def test_ada_gets_tokens_and_works_with_them(ada: Person) -> None:
    answer = post(TOKEN, {"username": "ada", "password": PASSWORD})
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert answer.headers["Cache-Control"] == "no-store" and not answer.cookies
    assert ask(body["access"]).json()["slug"] == "acme"
    assert ask(body["access"], "/api/v1/api-keys").status_code == 403
    assert events(ada) == ["tokens.granted"]


def test_an_api_key_is_a_bearer_too_but_a_token_is_no_api_key(ada: Person) -> None:
    assert ask(make_key(ada)).status_code == 200
    answer = APIClient().get(WHO, headers={"X-API-Key": sign_in(ada)["access"]})
    assert refused(answer) == (401, "invalid_credential")


@pytest.mark.parametrize(
    "body", [{"username": "ada", "password": "guess"}, {"username": "nobody", "password": PASSWORD}]
)
def test_a_wrong_name_and_a_wrong_password_sound_the_same(ada: Person, body: dict[str, str]) -> None:
    assert refused(post(TOKEN, body)) == (401, "sign_in_refused")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"username": "ada"}, "/password"),
        ({"username": "ada", "password": ""}, "/password"),
        ({"username": ["ada"], "password": "x"}, "/username"),
        ({"username": "ada", "password": "x", "role": "ADMIN"}, "/role"),
        ({"username": "ada", "password": "x" * 1001}, "/password"),
        ([], "/"),
    ],
)
def test_a_bad_request_for_tokens_names_the_field(ada: Person, body: Any, pointer: str) -> None:
    answer = post(TOKEN, body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == pointer


def test_guesses_count_together_with_those_at_the_page(ada: Person, client: Any) -> None:
    for _ in range(4):
        client.post("/sign-in/", {"username": "ada", "password": "guess"})
        post(TOKEN, {"username": "ada", "password": "guess"})
    answer = post(TOKEN, {"username": "ada", "password": PASSWORD})
    assert refused(answer) == (429, "rate_limited") and 0 < int(answer.headers["Retry-After"]) <= 900


def test_a_person_in_two_tenants_names_one(ada: Person, borealis: Tenant) -> None:
    Membership.objects.create(user=ada.user, tenant=borealis, role=Role.CLIENT)
    answer = post(TOKEN, {"username": "ada", "password": PASSWORD})
    assert refused(answer) == (400, "tenant_required") and answer.json()["tenants"] == ["acme", "borealis"]
    assert ask(sign_in(ada, tenant="borealis")["access"]).json()["slug"] == "borealis"
    assert ask(sign_in(ada, tenant=str(ada.tenant.id))["access"]).json()["slug"] == "acme"
    chosen = post(TOKEN, {"username": "ada", "password": PASSWORD}, **{"X-Tenant-ID": "acme"})
    assert ask(chosen.json()["access"]).json()["slug"] == "acme"
    assert refused(ask(chosen.json()["access"], **{"X-Tenant-ID": "borealis"})) == (403, "tenant_mismatch")


def test_nobody_gets_tokens_for_a_tenant_that_is_not_theirs(ada: Person, borealis: Tenant) -> None:
    for name in ("borealis", "no-such-tenant", str(borealis.id)):
        answer = post(TOKEN, {"username": "ada", "password": PASSWORD, "tenant": name})
        assert refused(answer) == (403, "tenant_mismatch")
    User.objects.create_user("ines", password=PASSWORD)
    assert post(TOKEN, {"username": "ines", "password": PASSWORD}).status_code == 403


def test_the_operators_tokens_open_operations_and_no_tenant(acme: Tenant) -> None:
    User.objects.create_user("olga", password=PASSWORD, is_operator=True)
    pair = post(TOKEN, {"username": "olga", "password": PASSWORD}).json()
    assert ask(pair["access"], "/api/v1/circuit-breakers").status_code == 200
    assert ask(pair["access"]).status_code == 403
    assert post(REFRESH, {"refresh": pair["refresh"]}).status_code == 200
    assert post(REVOKE, {"refresh": pair["refresh"]}).status_code == 204


def test_a_refresh_gives_the_next_pair(ada: Person) -> None:
    first = sign_in(ada)
    second = post(REFRESH, {"refresh": first["refresh"]}).json()
    third = post(REFRESH, {"refresh": second["refresh"]}).json()
    assert len({first["refresh"], second["refresh"], third["refresh"]}) == 3
    assert ask(third["access"]).status_code == 200


def test_a_refresh_token_used_twice_ends_the_whole_family(ada: Person) -> None:
    first = sign_in(ada)
    second = post(REFRESH, {"refresh": first["refresh"]}).json()
    assert refused(post(REFRESH, {"refresh": first["refresh"]})) == (401, "token_reused")
    assert refused(post(REFRESH, {"refresh": second["refresh"]})) == (401, "invalid_credential")
    assert refused(ask(second["access"])) == (401, "invalid_credential")
    assert events(ada) == ["tokens.granted", "tokens.reused"]
    assert ask(sign_in(ada)["access"]).status_code == 200


def test_revoking_ends_the_family_and_says_nothing_about_others(ada: Person, sam: Person) -> None:
    mine, his = sign_in(ada), sign_in(sam)
    for _ in range(2):
        assert post(REVOKE, {"refresh": mine["refresh"]}).status_code == 204
    assert post(REVOKE, {"refresh": "no such token"}).status_code == 204
    assert refused(ask(mine["access"])) == (401, "invalid_credential")
    assert ask(his["access"]).status_code == 200
    assert events(ada).count("tokens.revoked") == 1


def test_tokens_die_with_the_password_the_person_the_role_and_the_tenant(ada: Person) -> None:
    access = sign_in(ada)["access"]
    Tenant.objects.update(status=TenantStatus.SUSPENDED)
    assert refused(ask(access)) == (403, "tenant_inactive")
    Tenant.objects.update(status=TenantStatus.ACTIVE)
    User.objects.update(is_active=False)
    assert refused(ask(access)) == (401, "invalid_credential")
    assert refused(post(TOKEN, {"username": "ada", "password": PASSWORD})) == (401, "sign_in_refused")
    User.objects.update(is_active=True)
    Membership.objects.update(role=Role.AUDITOR)
    assert ask(access).status_code == 200 and ask(access, "/api/v1/reviews/queue").status_code == 403
    Membership.objects.all().delete()
    assert refused(ask(access)) == (401, "invalid_credential")
    Membership.objects.create(user=ada.user, tenant=ada.tenant, role=Role.ANALYST)
    ada.user.set_password("another long and good password")
    ada.user.save()
    assert refused(ask(access)) == (401, "invalid_credential")


def test_tokens_for_a_password_end_when_the_tenant_asks_for_sign_on(ada: Person) -> None:
    pair = sign_in(ada)
    Tenant.objects.update(settings={"sso_required": True})
    assert refused(ask(pair["access"])) == (403, "sso_required")
    assert refused(post(REFRESH, {"refresh": pair["refresh"]})) == (403, "sso_required")
    assert refused(post(TOKEN, {"username": "ada", "password": PASSWORD})) == (403, "sso_required")


def facts_of(pair: dict[str, Any]) -> dict[str, Any]:
    return dict(jwt.decode(pair["access"], options={"verify_signature": False}))


def forged(claims: dict[str, Any], key: Any = TokenKind.ACCESS.key, alg: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"typ": "at+jwt", **header})


def with_header(token: str, header: object) -> str:
    raw = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([raw, *token.split(".")[1:]])


def test_the_forge_works_before_its_products_are_tested(ada: Person) -> None:
    assert ask(forged(facts_of(sign_in(ada)))).status_code == 200


def test_forged_headers_and_keys_are_refused(ada: Person) -> None:
    pair = sign_in(ada)
    claims = facts_of(pair)
    thief = generate_private_key(public_exponent=65537, key_size=2048)
    public = thief.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    none = jwt.encode(claims, "", algorithm="none", headers={"typ": "at+jwt"})
    hostile = [
        none,
        with_header(pair["access"], {"alg": "none", "typ": "at+jwt"}),
        with_header(pair["access"], {"alg": "nOnE", "typ": "at+jwt"}),
        with_header(pair["access"], {"alg": "RS256", "typ": "at+jwt"}),
        forged(claims, thief, "RS256"),
        forged(claims, base64.b64encode(public)),
        forged(claims, b"x" * 64),
        forged(claims, TokenKind.ACCESS.key * 2, "HS512"),
        forged(claims, kid="../../../../dev/null"),
        forged(claims, kid="' UNION SELECT 'x"),
        forged(claims, jku="https://thief.example/keys"),
        forged(claims, jwk={"kty": "oct", "k": "eA"}),
        forged(claims, crit=["b64"], b64=False),
        forged(claims, typ="JWT"),
        pair["access"][:-2] + "AA",
        pair["refresh"],
        f"{pair['access']}.x",
        pair["access"].rpartition(".")[0] + ".",
        with_header(pair["access"], "[" * 3000),
        "a.b.c",
        "..",
        "eyJ" * 3000,
    ]
    assert {refused(ask(token)) for token in hostile} == {(401, "invalid_credential")}


def test_claims_that_do_not_hold_are_refused(ada: Person, zoe: Person) -> None:
    claims = facts_of(sign_in(ada))
    now = int(timezone.now().timestamp())
    assert refused(ask(forged({**claims, "exp": now - 1}))) == (401, "token_expired")
    changes: list[dict[str, Any]] = [
        {"nbf": now + 60},
        {"aud": "claimwright:refresh"},
        {"aud": ["claimwright:api", "elsewhere"]},
        {"iss": "https://elsewhere.example"},
        {"tid": str(zoe.tenant.id)},
        {"tid": ""},
        {"tid": 5},
        {"sub": str(zoe.user.id)},
        {"sub": "ada' OR 1=1"},
        {"fam": str(new_id())},
        {"exp": "tomorrow"},
    ]
    assert {refused(ask(forged({**claims, **change}))) for change in changes} == {(401, "invalid_credential")}
    for missing in claims:
        without = {name: value for name, value in claims.items() if name != missing}
        assert refused(ask(forged(without))) == (401, "invalid_credential"), missing


def test_a_forged_token_asks_no_database(ada: Person, django_assert_num_queries: Any) -> None:
    token = sign_in(ada)["access"]
    with django_assert_num_queries(0):
        assert ask(token[:-2] + "AA").status_code == 401


def test_a_family_ends_in_time(ada: Person) -> None:
    pair = sign_in(ada)
    TokenFamily.objects.update(expires_at=timezone.now())
    assert refused(post(REFRESH, {"refresh": pair["refresh"]})) == (401, "invalid_credential")
    family = TokenFamily.objects.get()
    facts = TokenFacts(family.refresh_id, family.id, ada.user.id, ada.tenant.id)
    past = timezone.now() - timedelta(seconds=1)
    old = sign_token(TokenKind.REFRESH, facts, now=past, expires_at=past)
    assert refused(post(REFRESH, {"refresh": old})) == (401, "token_expired")
