"""The pages of webhooks, without scripts: as the administrator, a reviewer, a stranger and a free tenant."""

from __future__ import annotations

import pytest

from tenancy.choices import Tier
from tenancy.models import Tenant, WebhookDelivery
from tenancy.scope import tenant_scope
from tests.people import Person
from tests.tenancy.webhooks.conftest import HOST, Names
from tests.tenancy.webhooks.events import announced, fresh, make_webhook
from tests.tenancy.webhooks.test_api import end_deliveries

PAGE = "/desk/webhooks/"


@pytest.fixture(autouse=True)
def outside(names: Names) -> None:
    names[HOST] = ["93.184.215.14"]


def test_a_webhook_is_added_and_its_secret_shown_once(adam: Person) -> None:
    browser = adam.browser()
    form = {"url": f"https://{HOST}/in", "events": ["claim.decided"]}
    answer = browser.post(PAGE, form)
    assert "whsec_" in answer.content.decode() and "no-store" in answer.headers["Cache-Control"]
    listed = browser.get(PAGE).content.decode()
    assert f"https://{HOST}/in" in listed and "whsec_" not in listed
    again = browser.post(PAGE, form)
    assert again.status_code == 400 and "is a webhook already" in again.content.decode()


def test_a_webhook_is_worked_on_from_its_page(adam: Person) -> None:
    endpoint, _secret = make_webhook(adam)
    announced(adam)
    end_deliveries(adam)
    browser, page = adam.browser(), f"{PAGE}{endpoint.id}/"
    with tenant_scope(adam.tenant.id):
        delivery_id = WebhookDelivery.objects.get().id
    again = browser.post(page, {"action": "redeliver", "delivery": str(delivery_id)}, follow=True)
    assert "on its way again" in again.content.decode() and "round 2" in again.content.decode()
    twice = browser.post(page, {"action": "redeliver", "delivery": str(delivery_id)}, follow=True)
    assert "on its way to the webhook already" in twice.content.decode()
    assert "whsec_" in browser.post(page, {"action": "rotate"}).content.decode()
    browser.post(page, {"action": "disable"})
    assert not fresh(endpoint).enabled
    browser.post(page, {"action": "enable"})
    browser.post(page, {"action": "events", "events": ["claim.received"]})
    assert fresh(endpoint).enabled and fresh(endpoint).events == ["claim.received"]
    assert "Unknown action" in browser.post(page, {"action": "x"}, follow=True).content.decode()
    browser.post(page, {"action": "delete"})
    assert browser.get(page).status_code == 404


def test_the_pages_are_the_administrators_alone(adam: Person, sam: Person, zoe: Person) -> None:
    endpoint, _secret = make_webhook(adam)
    for address in (PAGE, f"{PAGE}{endpoint.id}/"):
        assert sam.browser().get(address).status_code == 403
        assert zoe.browser().get(address).status_code == 403
        assert sam.browser().post(address, {"action": "delete"}).status_code == 403


def test_a_free_tenant_is_told_where_webhooks_begin(adam: Person) -> None:
    Tenant.objects.filter(id=adam.tenant.id).update(tier=Tier.FREE)
    browser = adam.browser()
    assert "Not in your tier" in browser.get(PAGE).content.decode()
    assert browser.post(PAGE, {"url": f"https://{HOST}/", "events": ["claim.decided"]}).status_code == 403
