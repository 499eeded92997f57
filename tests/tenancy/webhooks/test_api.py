"""Webhooks over HTTP: by the tenant's administrator, from the tier BASIC on, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tenancy.choices import Role, Tier
from tenancy.models import AuditEvent, IdempotencyRecord, Tenant, WebhookDelivery, WebhookEndpoint
from tenancy.scope import tenant_scope
from tests.people import Person, make_person
from tests.tenancy.webhooks.conftest import HOST, Names
from tests.tenancy.webhooks.events import announced, make_webhook

HOOKS = "/api/v1/webhooks"
URL = f"https://{HOST}/in?token=inner-secret"
BODY = {"url": URL, "events": ["claim.decided", "webhook.ping"]}


@pytest.fixture(autouse=True)
def outside(names: Names) -> None:
    names[HOST] = ["93.184.215.14"]


@pytest.fixture
def bea(borealis: Tenant) -> Person:
    return make_person(borealis, "bea", Role.ADMIN)


def post(person: Person, address: str = HOOKS, body: Any = None, **headers: str) -> Any:
    return person.api().post(address, BODY if body is None else body, format="json", headers=headers)


def addresses(person: Person) -> list[tuple[str, str]]:
    """Every verb and address of a webhook of the person's."""
    endpoint, _secret = make_webhook(person, host=HOST)
    hook, delivery = f"{HOOKS}/{endpoint.id}", announced(person)
    return [
        ("get", HOOKS),
        ("post", HOOKS),
        ("get", f"{HOOKS}/event-types"),
        ("get", hook),
        ("patch", hook),
        ("post", f"{hook}/rotate"),
        ("post", f"{hook}/ping"),
        ("get", f"{hook}/deliveries"),
        ("get", f"{hook}/deliveries/{delivery.id}"),
        ("post", f"{hook}/deliveries/{delivery.id}/redeliver"),
        ("delete", hook),
    ]


def end_deliveries(person: Person) -> None:
    with tenant_scope(person.tenant.id):
        WebhookDelivery.objects.update(state="FAILED", finished_at=timezone.now(), next_attempt_at=None)


def test_an_administrator_makes_a_webhook_whose_secret_is_shown_once(adam: Person) -> None:
    answer = post(adam)
    body = answer.json()
    assert answer.status_code == 201 and "no-store" in answer.headers["Cache-Control"]
    assert body["secret"].startswith("whsec_") and body["events"] == ["claim.decided", "webhook.ping"]
    shown = adam.api().get(answer.headers["Location"])
    assert shown.json() == {name: value for name, value in body.items() if name != "secret"}
    assert adam.api().get(HOOKS).json()["items"] == [shown.json()]
    with tenant_scope(adam.tenant.id):
        stored = str(list(WebhookEndpoint.objects.values()))
        trail = str(list(AuditEvent.objects.values()))
    assert body["secret"] not in stored + trail and "inner-secret" not in trail
    assert "webhook.created" in trail


def test_a_replayed_creation_shows_no_secret(adam: Person) -> None:
    first = post(adam, **{"Idempotency-Key": "one"}).json()
    client = adam.api()
    with tenant_scope(adam.tenant.id):
        assert first["secret"] not in str(list(IdempotencyRecord.objects.values()))
    assert client.get(HOOKS).json()["items"][0]["id"] == first["id"]


@pytest.mark.parametrize(
    ("found", "url", "code"),
    [
        (["10.0.0.1"], URL, "address_not_allowed"),
        (["93.184.215.14", "169.254.169.254"], URL, "address_not_allowed"),
        ([], "https://nowhere.example/", "name_not_resolved"),
        ([], "https://2130706433/", "bad_host"),
        ([], "https://127.0.0.1/", "address_not_allowed"),
        ([], f"http://{HOST}/", "not_https"),
        ([], f"https://{HOST}:6379/", "port_not_allowed"),
        ([], f"https://ada:pw@{HOST}/", "has_credentials"),
    ],
)
def test_an_address_that_leads_inside_is_refused_when_it_is_saved(
    adam: Person, names: Names, found: list[str], url: str, code: str
) -> None:
    names[HOST] = found or names[HOST]
    answer = post(adam, body={**BODY, "url": url})
    assert answer.status_code == 400 and answer.json()["code"] == "webhook_url_refused"
    assert [(p["pointer"], p["code"]) for p in answer.json()["errors"]] == [("/url", code)]
    endpoint, _secret = make_webhook(adam, host="1.1.1.1")
    assert adam.api().patch(f"{HOOKS}/{endpoint.id}", {"url": url}, format="json").status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"events": ["claim.exploded"]}, "unknown_event_type"),
        ({"events": []}, "invalid_input"),
        ({"events": "claim.decided"}, "invalid_input"),
        ({"url": 5}, "invalid_input"),
        ({"more": 1}, "invalid_input"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(adam: Person, body: dict[str, Any], code: str) -> None:
    answer = post(adam, body={**BODY, **body})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_address_is_a_webhook_once_and_a_tenant_has_twenty(adam: Person, bea: Person, names: Names) -> None:
    assert post(adam).status_code == 201
    assert post(adam).json()["code"] == "webhook_exists"
    assert post(bea).status_code == 201, "another tenant's is no secret told"
    for number in range(19):
        make_webhook(adam, host=f"1.1.1.{number + 1}")
    assert post(adam, body={**BODY, "url": "https://1.1.1.99/"}).json()["code"] == "too_many_webhooks"


def test_a_webhook_is_changed_as_it_was_read(adam: Person) -> None:
    api, made = adam.api(), post(adam).json()
    hook = f"{HOOKS}/{made['id']}"
    tag = api.get(hook).headers["ETag"]
    off = api.patch(hook, {"enabled": False}, format="json", headers={"If-Match": tag})
    assert (off.status_code, off.json()["disabled_reason"]) == (200, "BY_PERSON")
    assert api.patch(hook, {"enabled": True}, format="json", headers={"If-Match": tag}).status_code == 412
    on = api.patch(hook, {"enabled": True, "events": ["claim.received"]}, format="json").json()
    assert (on["enabled"], on["disabled_reason"], on["events"]) == (True, None, ["claim.received"])
    assert api.delete(hook).status_code == 204
    assert api.get(hook).status_code == 404


def test_the_log_tells_attempts_and_tells_again(adam: Person) -> None:
    endpoint, _secret = make_webhook(adam)
    first = announced(adam)
    hook, api = f"{HOOKS}/{endpoint.id}", adam.api()
    shown = api.get(f"{hook}/deliveries/{first.id}").json()
    assert (shown["state"], shown["round"], shown["tries"]) == ("PENDING", 1, [])
    assert f'"id":"{first.event_id}"' in shown["payload"]
    again = f"{hook}/deliveries/{first.id}/redeliver"
    assert api.post(again).json()["code"] == "delivery_open"
    end_deliveries(adam)
    answer = api.post(again)
    assert (answer.status_code, answer.json()["round"]) == (202, 2)
    assert answer.json()["message_id"] == str(first.event_id)
    assert api.post(again).json()["code"] == "delivery_open", "pressed twice"
    listed = api.get(f"{hook}/deliveries?state=PENDING").json()["items"]
    assert [item["id"] for item in listed] == [answer.json()["id"]]
    assert api.get(f"{hook}/deliveries?type=claim.decided").json()["items"] == []
    assert api.get(f"{hook}/deliveries?limit=1").json()["next_cursor"]
    api.patch(hook, {"enabled": False}, format="json")
    end_deliveries(adam)
    assert api.post(again).json()["code"] == "webhook_disabled"
    assert api.post(f"{hook}/ping").json()["code"] == "webhook_disabled"


def test_a_free_tenant_is_told_that_its_tier_has_no_webhooks(adam: Person) -> None:
    found = addresses(adam)
    Tenant.objects.filter(id=adam.tenant.id).update(tier=Tier.FREE)
    for verb, address in found:
        answer = getattr(adam.api(), verb)(address, {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "tier_required"), address


def test_webhooks_are_the_administrators_alone(adam: Person, sam: Person, audrey: Person, bea: Person) -> None:
    found = addresses(adam)
    for verb, address in found:
        for person in (sam, audrey):
            assert getattr(person.api(), verb)(address, {}, format="json").status_code == 403, (verb, address)
        if address.count("/") > 3 and "event-types" not in address:  # to another tenant there is no such webhook
            body = {"events": ["webhook.ping"]} if verb == "patch" else {}
            assert getattr(bea.api(), verb)(address, body, format="json").status_code == 404, (verb, address)
    assert bea.api().get(HOOKS).json()["items"] == []


def test_the_catalogue_holds_what_really_happens(adam: Person) -> None:
    items = adam.api().get(f"{HOOKS}/event-types").json()["items"]
    assert [item["type"] for item in items] == [
        "claim.assessed",
        "claim.decided",
        "claim.information_requested",
        "claim.reassessed",
        "claim.received",
        "webhook.ping",
    ]
