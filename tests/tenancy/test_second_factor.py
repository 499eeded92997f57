"""The second factor: set up, asked for at both doors, never twice the same code, recovery codes, off again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tenancy.errors import SecondFactorRefused
from tenancy.models import AuditEvent, RecoveryCode, SecondFactor, User
from tenancy.scope import tenant_scope
from tenancy.second_factor import code_at, require_code
from tests.people import PASSWORD, Person

DOOR, CODE, SETUP = "/sign-in/", "/sign-in/code/", "/account/second-factor/"
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of the RFC's "12345678901234567890"


@pytest.fixture(autouse=True)
def the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


class Phone:
    """Ada's authenticator app. Each code it shows is newer than the last: the three that are accepted at one time."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.step = int(timezone.now().timestamp()) // 30 - 2

    def code(self) -> str:
        self.step += 1
        return code_at(self.secret, self.step)


def set_up(person: Person) -> tuple[Phone, list[str]]:
    browser = person.browser()
    found = re.search(r'class="secret">([A-Z2-7]{32})<', browser.get(SETUP).content.decode())
    assert found
    phone = Phone(found[1])
    page = browser.post(SETUP, {"code": phone.code()})
    codes = re.findall(r"<code>([0-9a-z-]{19})</code>", page.content.decode())
    assert page.status_code == 200 and len(codes) == 10 and page.headers["Cache-Control"] == "private, no-store"
    return phone, codes


def at_the_door(next_page: str = "/desk/claims/") -> Client:
    browser = Client(raise_request_exception=False)
    answer = browser.post(DOOR, {"username": "ada", "password": PASSWORD, "next": next_page})
    assert answer.headers["Location"].startswith(CODE)
    return browser


def token(**more: str) -> Any:
    body = {"username": "ada", "password": PASSWORD, **more}
    return Client().post("/api/v1/token", body, content_type="application/json")


def told(person: Person, event: str) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(AuditEvent.objects.filter(event=event).order_by("id").values_list("reason", flat=True))


# RFC 6238, appendix B, SHA-1, the last six of eight digits.
@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert code_at(RFC_SECRET, at // 30) == code


def test_ada_sets_it_up_and_is_asked_for_it_at_the_door(ada: Person) -> None:
    phone, _ = set_up(ada)
    browser = at_the_door("/desk/?mine=true")
    assert browser.get("/desk/claims/").status_code == 302
    assert "One more step" in browser.get(CODE).content.decode()
    answer = browser.post(CODE, {"code": phone.code(), "next": "/desk/?mine=true"})
    assert answer.headers["Location"] == "/desk/?mine=true"
    assert browser.get("/desk/claims/").status_code == 200
    assert browser.get(CODE).headers["Location"] == DOOR


def test_the_second_step_leads_nowhere_outside(ada: Person) -> None:
    phone, _ = set_up(ada)
    answer = at_the_door().post(CODE, {"code": phone.code(), "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


def test_a_code_works_once_also_in_its_own_window(ada: Person) -> None:
    phone, _ = set_up(ada)
    code = phone.code()
    assert at_the_door().post(CODE, {"code": code}).status_code == 302
    answer = at_the_door().post(CODE, {"code": code})
    assert answer.status_code == 401 and "wrong or was used before" in answer.content.decode()
    assert token(code=code).json()["code"] == "second_factor_refused"
    assert told(ada, "second_factor.refused") == ["replayed_code", "replayed_code"]


def test_an_older_code_is_refused_after_a_newer_one(ada: Person) -> None:
    phone, _ = set_up(ada)
    older, newer = phone.code(), phone.code()
    assert at_the_door().post(CODE, {"code": newer}).status_code == 302
    assert at_the_door().post(CODE, {"code": older}).status_code == 401


def test_a_recovery_code_works_once(ada: Person) -> None:
    _, codes = set_up(ada)
    assert at_the_door().post(CODE, {"code": codes[0].upper()}).status_code == 302
    assert at_the_door().post(CODE, {"code": codes[0]}).status_code == 401
    assert at_the_door().post(CODE, {"code": codes[1].replace("-", " ")}).status_code == 302
    assert told(ada, "second_factor.refused") == ["used_recovery_code"]
    assert len(told(ada, "recovery_code.used")) == 2
    stored = str(list(RecoveryCode.objects.values_list("code_sha256", flat=True)))
    assert codes[0] not in stored and codes[0].replace("-", "") not in stored


def test_tokens_need_the_code_as_well(ada: Person) -> None:
    phone, codes = set_up(ada)
    assert (token().status_code, token().json()["code"]) == (401, "second_factor_required")
    assert token(code="000000x").json()["code"] == "second_factor_refused"
    assert token(code=phone.code()).status_code == 200
    assert token(code=codes[0]).status_code == 200


@pytest.mark.parametrize("code", ["", "x", "١٢٣٤٥٦", "12345", "1234567", "<b>", "é" * 6, "0" * 40, "𝟏𝟐𝟑𝟒𝟓𝟔"])
def test_what_is_no_code_is_refused(ada: Person, code: str) -> None:
    set_up(ada)
    assert at_the_door().post(CODE, {"code": code}).status_code == 401


def test_codes_are_guessed_no_faster_than_passwords(ada: Person) -> None:
    phone, _ = set_up(ada)
    browser = at_the_door()
    # Of the eight tries here the right password was one.
    tries = [browser.post(CODE, {"code": "x"}).status_code for _ in range(9)]
    assert tries[:5] == [401] * 5 and tries[-1] == 429
    answer = browser.post(CODE, {"code": phone.code()})
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 900
    assert token(code=phone.code()).status_code == 429


def test_a_wrong_first_code_turns_nothing_on(ada: Person) -> None:
    browser = ada.browser()
    browser.get(SETUP)
    assert browser.post(SETUP, {"code": "000000x"}).status_code == 400
    assert SecondFactor.objects.get().confirmed_at is None
    answer = Client().post(DOOR, {"username": "ada", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_the_secret_is_shown_until_it_is_confirmed_and_never_after(ada: Person) -> None:
    phone, _ = set_up(ada)
    page = ada.browser().get(SETUP).content.decode()
    assert phone.secret not in page and "It is on" in page
    assert phone.secret not in SecondFactor.objects.get().sealed_secret
    assert ada.browser().post(SETUP, {"code": phone.code()}).status_code == 409


def test_a_waiting_sign_in_ends_with_the_password_and_with_time(ada: Person) -> None:
    phone, _ = set_up(ada)
    browser = at_the_door()
    ada.user.set_password("another long and good password")
    ada.user.save()
    assert browser.post(CODE, {"code": phone.code()}).headers["Location"] == DOOR
    assert browser.get("/desk/claims/").status_code == 302


def test_turning_it_off_takes_a_code(ada: Person) -> None:
    phone, codes = set_up(ada)
    browser = ada.browser()
    assert browser.post(f"{SETUP}off/", {"code": "000000x"}).status_code == 400
    assert SecondFactor.objects.exists()
    assert browser.post(f"{SETUP}off/", {"code": phone.code()}).status_code == 302
    assert not SecondFactor.objects.exists() and not RecoveryCode.objects.exists()
    assert Client().post(DOOR, {"username": "ada", "password": PASSWORD}).headers["Location"] == "/"
    assert told(ada, "second_factor.off") == [""] and codes


def test_new_recovery_codes_void_the_old(ada: Person) -> None:
    phone, old = set_up(ada)
    page = ada.browser().post(f"{SETUP}codes/", {"code": phone.code()})
    new = re.findall(r"<code>([0-9a-z-]{19})</code>", page.content.decode())
    assert len(new) == 10 and not set(new) & set(old)
    assert at_the_door().post(CODE, {"code": old[0]}).status_code == 401
    assert at_the_door().post(CODE, {"code": new[0]}).status_code == 302


def test_a_factor_sealed_for_one_person_opens_for_no_other(ada: Person, sam: Person) -> None:
    phone, _ = set_up(ada)
    SecondFactor.objects.filter(user=ada.user).update(user=sam.user)
    for person in (sam, ada):
        with pytest.raises(SecondFactorRefused):
            require_code(user=person.user, code=phone.code(), now=timezone.now())
    assert told(sam, "second_factor.refused") == ["unreadable_secret", "no_second_factor"]


def test_with_another_secret_key_a_recovery_code_still_opens(ada: Person, settings: Any) -> None:
    phone, codes = set_up(ada)
    settings.SECRET_KEY = "another " * 8
    assert at_the_door().post(CODE, {"code": phone.code()}).status_code == 401
    assert at_the_door().post(CODE, {"code": codes[0]}).status_code == 302
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a third " * 8, ["tests-only-" + "0" * 50]
    assert at_the_door().post(CODE, {"code": phone.code()}).status_code == 302


def test_a_superuser_helps_who_lost_phone_and_codes(ada: Person) -> None:
    set_up(ada)
    people = {"action": "remove_factors", "_selected_action": [str(ada.user.id)]}
    operator, root = Client(), Client()
    operator.force_login(User.objects.create_user("olga", is_operator=True, is_staff=True))
    root.force_login(User.objects.create_user("ruth", is_superuser=True, is_staff=True))
    operator.post("/admin/tenancy/user/", people)
    assert SecondFactor.objects.exists()
    root.post("/admin/tenancy/user/", people)
    assert not SecondFactor.objects.exists()
    with tenant_scope(ada.tenant.id):
        assert AuditEvent.objects.get(event="second_factor.off").actor_name == "ruth"
