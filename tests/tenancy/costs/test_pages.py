"""The pages of costs, the statement as CSV, the command, the desk's panel, and the administration's budgets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from observability.desk import Tone
from tenancy.choices import BudgetPeriod, CostCategory
from tenancy.costs.operating import budget_shares, open_anomalies, spending_panel
from tenancy.costs.plots import axis_of
from tenancy.costs.statement import harmless, shared_cents, statement_of
from tenancy.ledger import DayCharge, record_cost, record_day, spent_usd
from tenancy.models import AuditEvent, Budget, SpendAnomaly, SpendCounter, User
from tenancy.scope import every_tenant, tenant_scope
from tests.people import Person
from tests.tenancy.costs.money import call, make_budget

PAGE = "/desk/costs/"


@pytest.fixture
def browser(adam: Person) -> Iterator[Client]:
    """The administrator, after a month of a little of everything."""
    now = timezone.now()
    with tenant_scope(adam.tenant.id):
        for number in range(24):
            record_cost(call=call("0.0123"), reference=f"claim-{number // 2}", now=now)
        charge = DayCharge(CostCategory.STORAGE, now.date(), Decimal(3), "GB", Decimal("0.0023"), "2026-11", True)
        record_day(charge=charge, now=now)
    yield adam.browser()


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content[:500]
    return str(answer.content.decode())


def test_the_page_tells_the_month_hints_and_what_it_would_cost(browser: Client, adam: Person) -> None:
    page = text(browser.get(PAGE))
    assert "$0.2975" in page or "$0.30" in page
    assert "Not enough days" in page and "None is set" in page
    assert "gpt-5-nano in place of gpt-4o-mini" in page
    assert "asked about more than once" in page and "12 calls went beyond" in page
    assert "the mean of your 24 calls" in page
    asked = text(browser.get(PAGE, {"claims": "5000", "model": "nobodys-model", "minutes": "6", "wage": "40"}))
    assert "because this model is not listed" in asked and "a month for 5,000 claims" in asked
    assert browser.get(PAGE, {"claims": "-1"}).status_code == 400
    assert browser.get(PAGE, {"month": "2026-13"}).status_code == 400


def test_budgets_are_set_changed_and_removed_on_the_page(browser: Client, adam: Person) -> None:
    form = {"action": "set", "period": "MONTH", "limit": "0.30", "policy": "LOCAL"}
    said = text(browser.post(f"{PAGE}budgets/", form, follow=True))
    assert "The budget is set." in said and "99 % spent" in said
    with tenant_scope(adam.tenant.id):
        budget = Budget.objects.get()
    change = {"action": "change", "budget": str(budget.id), "limit": "0.20", "policy": "RULES"}
    assert "used up" in text(browser.post(f"{PAGE}budgets/", change, follow=True))
    for wrong in ({"limit": "much"}, {"limit": "-1"}, {"policy": "STOP"}, {"budget": "x"}, {"action": "no"}):
        browser.post(f"{PAGE}budgets/", {**change, **wrong})
    with tenant_scope(adam.tenant.id):
        assert Budget.objects.get().limit_usd == Decimal("0.20")
    browser.post(f"{PAGE}budgets/", {"action": "remove", "budget": str(budget.id)})
    with tenant_scope(adam.tenant.id):
        assert not Budget.objects.exists()


def test_the_pages_are_the_administrators(ada: Person, sam: Person, cleo: Person) -> None:
    for person in (ada, sam, cleo):
        browser = person.browser()
        assert browser.get(PAGE).status_code == browser.get(f"{PAGE}statement/2026-11").status_code == 403
        assert browser.post(f"{PAGE}budgets/", {"action": "set"}).status_code == 403


def test_the_statement_adds_up_to_the_ledger_to_the_cent(browser: Client, adam: Person) -> None:
    now = timezone.now()
    with tenant_scope(adam.tenant.id):
        for model in ("gpt-4o", "gpt-4.1", "gpt-5"):
            record_cost(call=call("0.004", model=model), reference="", now=now)
        statement = statement_of(month=now.replace(day=1, hour=0, minute=0, second=0, microsecond=0), now=now)
        ledger = spent_usd(since=statement.starts_at, until=statement.ends_at)
    assert statement.total_usd == ledger == Decimal("0.3095")
    assert sum(line.cents_usd for line in statement.lines) == statement.cents_usd == Decimal("0.31")
    month = f"{now:%Y-%m}"
    assert "preliminary" in text(browser.get(f"{PAGE}statement/{month}"))
    answer = browser.get(f"{PAGE}statement/{month}.csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="costs-acme-{month}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[-1]["category"] == "TOTAL" and Decimal(rows[-1]["amount_usd"]) == ledger
    assert sum(Decimal(row["amount_usd"]) for row in rows[:-1]) == ledger
    assert sum(Decimal(row["amount_cents_usd"]) for row in rows[:-1]) == Decimal(rows[-1]["amount_cents_usd"])


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(browser: Client, adam: Person, cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    with tenant_scope(adam.tenant.id):
        record_cost(call=call("0.01", model=cell), reference="", now=timezone.now())
    rows = list(csv.reader(io.StringIO(browser.get(f"{PAGE}statement/{timezone.now():%Y-%m}.csv").content.decode())))
    assert f"'{cell}" in {row[2] for row in rows}


def test_cents_are_shared_out_so_that_they_add_up() -> None:
    amounts = [Decimal("0.004")] * 3 + [Decimal("1.999")]
    assert shared_cents(amounts) == [Decimal("0.01"), Decimal(0), Decimal(0), Decimal("2.00")]
    assert shared_cents([]) == []


def test_axes_are_round() -> None:
    assert [axis_of(most) for most in (0.0, 0.9, 1.0, 37.0, 0.013)] == [
        (1.0, 1.0),
        (0.25, 1.0),
        (0.25, 1.0),
        (10.0, 40.0),
        (pytest.approx(0.005), pytest.approx(0.015)),
    ]


def told(*arguments: str) -> Any:
    out = StringIO()
    call_command("costs", *arguments, stdout=out)
    return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()


def test_the_command_tells_checks_and_mends(browser: Client, adam: Person) -> None:
    make_budget(adam, "1.00", now=timezone.now())
    body = told("acme", "--json")
    assert (body["total"]["amount"], body["budgets"][0]["limit"]["amount"]) == ("0.2975", "1.00")
    assert "Third party" in told("acme") and "TOTAL" in told("acme", "--csv")
    assert told("acme", "--check", "--json") == {"ok": True, "differences": []}
    with tenant_scope(adam.tenant.id):
        SpendCounter.objects.filter(span="MONTH").update(spent_nanos=1)
    with pytest.raises(SystemExit) as failed:
        told("acme", "--check")
    assert failed.value.code == 1
    told("acme", "--recount")
    assert told("acme", "--check", "--json")["ok"]
    for arguments, code in ((("nowhere",), 3), (("acme", "--month", "x"), 2)):
        with pytest.raises(SystemExit) as refused:
            call_command("costs", *arguments, stderr=StringIO())
        assert refused.value.code == code


def test_the_operator_sees_sums_and_no_tenant(browser: Client, adam: Person) -> None:
    now = timezone.now()
    with every_tenant("a test"):
        assert spending_panel(now).headline == "$0.30 this month"
    make_budget(adam, "0.35", now=now)
    make_budget(adam, "0.10", period=BudgetPeriod.DAY, now=now)
    with tenant_scope(adam.tenant.id):
        SpendAnomaly.objects.create(found_at=now, last_seen_at=now, spent_nanos=9, expected_nanos=1, threshold_nanos=5)
    with every_tenant("a test"):
        state = spending_panel(now)
    assert state.tone == Tone.BAD
    assert {row.label: row.value for row in state.rows} == {
        "Today": "$0.30",
        "Budgets used up": "1 of 2",
        "Budgets above 80 %": "1",
        "Unusual spending": "1",
    }
    shares = budget_shares()
    assert shares[("PROFESSIONAL",)] == pytest.approx(2.975) and shares[("FREE",)] == 0.0
    assert open_anomalies() == {(): 1.0}


def test_an_operator_sets_a_tenants_budget_in_the_administration(adam: Person) -> None:
    olga = User.objects.create_user("olga", is_operator=True, is_staff=True)
    site = Client()
    site.force_login(olga)
    form = {"owner": str(adam.tenant.id), "period": "MONTH", "limit_usd": "12.50", "policy": "LOCAL"}
    assert site.post("/admin/tenancy/budget/add/", form).status_code == 302
    assert "already" in site.post("/admin/tenancy/budget/add/", form).content.decode()
    with tenant_scope(adam.tenant.id):
        budget = Budget.objects.get()
    assert "12.50" in text(site.get("/admin/tenancy/budget/"))
    place = f"/admin/tenancy/budget/{budget.id}/"
    changed = {**form, "limit_usd": "20.00"}
    assert site.post(f"{place}change/", changed).status_code == 302
    with tenant_scope(adam.tenant.id):
        assert Budget.objects.get().limit_usd == Decimal(20)
        actors = set(AuditEvent.objects.filter(object_type="budget").values_list("actor_name", flat=True))
    assert len(actors) == 1
    assert site.post(f"{place}delete/", {"post": "yes"}).status_code == 302
    with tenant_scope(adam.tenant.id):
        assert not Budget.objects.exists()
    for kept in ("spendcounter", "spendanomaly", "budgetalert"):
        assert site.get(f"/admin/tenancy/{kept}/").status_code == 200


def test_the_estimate_is_told_over_http(browser: Client, adam: Person) -> None:
    api = adam.api()
    found = api.get("/api/v1/costs/estimate", {"claims": "1000", "model": "gpt-4o-mini", "minutes": "6", "wage": "40"})
    body = found.json()
    # 24 calls of 167 tokens of text, one picture of 2,833 tokens and 400 tokens of answer.
    assert body["call"] == {"text_tokens": 167.0, "pictures": 1.0, "output_tokens": 400.0, "calls": 24}
    assert body["cost_per_call"]["amount"] == "0.00069"
    assert (body["models"]["amount"], body["inference"]["amount"], body["requests"]["amount"]) == (
        "0.69",
        "1.00",
        "0.40",
    )
    assert (body["total"]["amount"], body["manual"]["amount"]) == ("2.09", "4000.00")
    unknown = api.get("/api/v1/costs/estimate", {"model": "nobodys"}).json()
    assert not unknown["listed"] and Decimal(unknown["total"]["amount"]) > 100
    assert api.get("/api/v1/costs/estimate", {"claims": "many"}).status_code == 400
    assert api.get("/api/v1/costs/estimate", {"colour": "red"}).json()["code"] == "unknown_parameter"
    hints = api.get("/api/v1/costs").json()["hints"]
    assert {hint["kind"] for hint in hints} >= {"CHEAPER_MODEL", "REPEATED_QUESTIONS"}
