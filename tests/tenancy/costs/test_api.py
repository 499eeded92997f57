"""Costs and budgets over HTTP: the administrator's alone, exact, and only of the own tenant."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tenancy.choices import CostCategory, Role
from tenancy.ledger import DayCharge, record_cost, record_day
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.people import Person, make_person
from tests.tenancy.costs.money import call, make_budget

BUDGETS, COSTS = "/api/v1/budgets", "/api/v1/costs"
BODY = {"period": "MONTH", "limit": {"amount": "1.50", "currency": "USD"}, "policy": "LOCAL"}


@pytest.fixture
def bea(borealis: Tenant) -> Person:
    return make_person(borealis, "bea", Role.ADMIN)


def post(person: Person, body: Any = None, **headers: str) -> Any:
    return person.api().post(BUDGETS, BODY if body is None else body, format="json", headers=headers)


def spend(person: Person, *amounts: str, model: str = "gpt-4o-mini") -> None:
    with tenant_scope(person.tenant.id):
        for amount in amounts:
            record_cost(call=call(amount, model=model), reference="claim-1", now=timezone.now())


def test_an_administrator_sets_reads_changes_and_removes_a_budget(adam: Person) -> None:
    spend(adam, "1.2")
    answer = post(adam)
    assert answer.status_code == 201
    shown = adam.api().get(answer.headers["Location"])
    body = shown.json()
    assert body == answer.json() == adam.api().get(BUDGETS).json()["items"][0]
    assert body["limit"] == {"amount": "1.50", "currency": "USD"}
    assert (body["spent"]["amount"], body["remaining"]["amount"]) == ("1.20", "0.30")
    assert (body["percent"], body["alerts"]) == (80, [80])
    tag = shown.headers["ETag"]
    change = {"limit": {"amount": "3", "currency": "USD"}, "policy": "RULES"}
    changed = adam.api().patch(answer.headers["Location"], change, format="json", headers={"If-Match": tag})
    assert (changed.json()["limit"]["amount"], changed.json()["policy"]) == ("3.00", "RULES")
    late = adam.api().patch(answer.headers["Location"], change, format="json", headers={"If-Match": tag})
    assert late.status_code == 412
    assert adam.api().delete(answer.headers["Location"]).status_code == 204
    assert adam.api().get(BUDGETS).json()["items"] == []


def test_a_budget_is_made_once(adam: Person) -> None:
    client, key = adam.api(), {"Idempotency-Key": "one"}
    first, again = (client.post(BUDGETS, BODY, format="json", headers=key) for _ in range(2))
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first.json(), "true")
    refused = post(adam)
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_exists")
    assert post(adam, {**BODY, "period": "DAY"}).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": {"amount": "-1", "currency": "USD"}},
        {"limit": {"amount": "1.005", "currency": "USD"}},
        {"limit": {"amount": 1.5, "currency": "USD"}},
        {"limit": {"amount": "NaN", "currency": "USD"}},
        {"limit": {"amount": "1e3", "currency": "EUR"}},
        {"limit": {"amount": "99999999999", "currency": "USD"}},
        {"limit": "1.50"},
        {"period": "YEAR"},
        {"policy": "STOP"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_is_no_budget_is_refused(adam: Person, wrong: dict[str, object]) -> None:
    assert post(adam, {**BODY, **wrong}).status_code == 400
    assert adam.api().get(BUDGETS).json()["items"] == []


def test_nobody_else_sees_or_sets_them(adam: Person, sam: Person, cleo: Person, bea: Person) -> None:
    spend(adam, "0.5")
    place = post(adam).headers["Location"]
    for colleague in (sam, cleo):
        client = colleague.api()
        assert [client.get(address).status_code for address in (BUDGETS, COSTS, place)] == [403] * 3
    stranger = bea.api()
    assert stranger.get(place).status_code == stranger.delete(place).status_code == 404
    assert stranger.patch(place, {"policy": "RULES"}, format="json").status_code == 404
    assert stranger.get(BUDGETS).json()["items"] == []
    assert stranger.get(COSTS).json()["total"]["amount"] == "0.00"


def test_costs_are_told_by_category_model_and_day_to_the_last_place(adam: Person) -> None:
    now = timezone.now()
    spend(adam, "0.123456789", "0.1")
    spend(adam, "0.5", model="gpt-4o")
    with tenant_scope(adam.tenant.id):
        charge = DayCharge(
            CostCategory.STORAGE, now.date(), Decimal(3), "GB", Decimal("0.0023"), "2026-11", estimated=True
        )
        record_day(charge=charge, now=now)
    body = adam.api().get(COSTS).json()
    assert body["total"] == {"amount": "0.725756789", "currency": "USD"}
    assert [(c["category"], c["cost"]["amount"], c["entries"], c["estimated"]) for c in body["categories"]] == [
        ("THIRD_PARTY", "0.723456789", 3, False),
        ("STORAGE", "0.0023", 1, True),
    ]
    assert [(m["model"], m["calls"], m["cost"]["amount"]) for m in body["models"]] == [
        ("gpt-4o", 1, "0.50"),
        ("gpt-4o-mini", 2, "0.223456789"),
    ]
    assert body["days"][-1] == {"day": now.date().isoformat(), "cost": body["total"]}
    assert len(body["days"]) == now.day
    assert (body["projection"], body["anomalies"]) == (None, [])


def test_a_past_month_is_asked_for_by_its_name(adam: Person) -> None:
    last = timezone.now().replace(day=1) - timedelta(days=1)
    with tenant_scope(adam.tenant.id):
        record_cost(call=call("2"), reference="", now=last)
    body = adam.api().get(COSTS, {"month": f"{last:%Y-%m}"}).json()
    assert (body["total"]["amount"], len(body["days"])) == ("2.00", last.day)
    assert adam.api().get(COSTS).json()["total"]["amount"] == "0.00"
    for wrong in ("2026-13", "26-01", "1999-01", "x"):
        assert adam.api().get(COSTS, {"month": wrong}).status_code == 400
    assert adam.api().get(COSTS, {"year": "2026"}).json()["code"] == "unknown_parameter"


def test_the_projection_is_told_once_there_are_days_enough(adam: Person) -> None:
    now = timezone.now()
    with tenant_scope(adam.tenant.id):
        for days in range(1, 15):
            record_cost(call=call("1.00" if days % 2 else "1.10"), reference="", now=now - timedelta(days=days))
    found = adam.api().get(COSTS).json()["projection"]
    assert found["days_known"] == 14
    low, expected, high = (float(found[name]["amount"]) for name in ("low", "expected", "high"))
    assert low < expected < high and found["level"] == 0.9
    make_budget(adam, "1.00", now=now)
    assert adam.api().get(BUDGETS).json()["items"][0]["percent"] >= 0
