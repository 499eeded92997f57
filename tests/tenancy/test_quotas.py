"""Quotas by themselves: months, tiers, holds that are settled, given back, or lapse; and who may change them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from tenancy import quotas
from tenancy.choices import QuotaResource, Scope, Tier
from tenancy.errors import QuotaExceeded, QuotaNotCustom
from tenancy.models import AuditEvent, QuotaCounter, QuotaHold, Tenant, User
from tenancy.plans import GIGABYTE
from tenancy.principals import principal_of_operator
from tenancy.quotas import Hold, held_quota, month_of, next_month, quotas_of
from tenancy.scope import tenant_scope
from tenancy.services import set_custom_quota
from tests.people import PASSWORD, Person

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
USAGE = "/api/v1/tenant/usage"


@pytest.fixture
def tenant(acme: Tenant) -> Iterator[Tenant]:
    with tenant_scope(acme.id):
        yield acme


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga", password=PASSWORD, is_operator=True)


def agreed(tenant: Tenant, *, assessments: int | None = None, storage_gb: int | None = None) -> None:
    """Give the tenant quotas of its own."""
    Tenant.objects.filter(id=tenant.id).update(
        tier=Tier.ENTERPRISE, custom_assessments_per_month=assessments, custom_storage_gb=storage_gb
    )


def figures(resource: QuotaResource = QuotaResource.ASSESSMENTS) -> tuple[int, int]:
    row = QuotaCounter.objects.filter(resource=resource).first()
    return (row.used, row.reserved) if row else (0, 0)


def settle(hold: Hold, assessments: int = 1, storage_bytes: int = 0, now: datetime = NOON) -> None:
    with transaction.atomic():
        quotas.settle(hold, assessments=assessments, storage_bytes=storage_bytes, now=now)


@pytest.mark.parametrize(
    ("tier", "assessments", "gigabytes"),
    [
        (Tier.FREE, 1_000, 10),
        (Tier.BASIC, 10_000, 50),
        (Tier.PROFESSIONAL, 100_000, 500),
        (Tier.ENTERPRISE, None, None),
    ],
)
def test_each_tier_has_its_quotas(tier: Tier, assessments: int | None, gigabytes: int | None) -> None:
    found = quotas_of(Tenant(tier=tier))
    assert found.assessments_per_month == assessments
    assert found.storage_bytes == (None if gigabytes is None else gigabytes * GIGABYTE)
    custom = quotas_of(Tenant(tier=tier, custom_assessments_per_month=7, custom_storage_gb=2))
    # What was agreed with Enterprise holds there alone, also when the tenant goes down a tier later.
    assert (custom.assessments_per_month == 7) is (custom.storage_bytes == 2 * GIGABYTE) is (tier == Tier.ENTERPRISE)


def test_a_month_is_a_calendar_month_in_utc() -> None:
    late = datetime.fromisoformat("2026-12-01T00:30:00+01:00")
    assert month_of(late) == date(2026, 11, 1)
    assert next_month(date(2026, 11, 1)) == datetime(2026, 12, 1, tzinfo=UTC)
    assert next_month(date(2026, 12, 1)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(date(2024, 1, 1)) == datetime(2024, 2, 1, tzinfo=UTC)


def test_what_is_held_is_settled_once_and_the_rest_given_back(tenant: Tenant) -> None:
    with held_quota(assessments=1, storage_bytes=500, now=NOON) as hold:
        assert figures() == (0, 1) and figures(QuotaResource.STORAGE_BYTES) == (0, 500)
        settle(hold, storage_bytes=0)  # the bytes were there already
    assert figures() == (1, 0) and figures(QuotaResource.STORAGE_BYTES) == (0, 0)
    assert not QuotaHold.objects.exists()


def test_work_that_fails_gives_back_what_it_held(tenant: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), held_quota(assessments=1, storage_bytes=500, now=NOON):
        raise ZeroDivisionError
    assert figures() == (0, 0) and not QuotaHold.objects.exists()


def test_the_last_one_is_granted_and_the_next_refused_until_the_month_is_over(tenant: Tenant) -> None:
    agreed(tenant, assessments=1)
    with held_quota(assessments=1, storage_bytes=0, now=NOON) as hold:
        with pytest.raises(QuotaExceeded) as held, held_quota(assessments=1, storage_bytes=0, now=NOON):
            pass
        assert held.value.retry_after_seconds == 5  # it may be free again in a moment
        settle(hold)
    with pytest.raises(QuotaExceeded) as spent, held_quota(assessments=1, storage_bytes=0, now=NOON):
        pass
    wait = timedelta(seconds=spent.value.retry_after_seconds - 1)
    assert NOON + wait == next_month(month_of(NOON))
    assert spent.value.extra["quota"] == "assessments"
    with held_quota(assessments=1, storage_bytes=0, now=next_month(month_of(NOON))) as hold:
        assert hold.period == date(2026, 12, 1)


def test_a_hold_that_nobody_settles_lapses_once(tenant: Tenant) -> None:
    lost = quotas._reserve(assessments=1, storage_bytes=9, now=NOON)
    assert quotas.release_expired_holds(now=NOON) == 0
    assert quotas.release_expired_holds(now=NOON + timedelta(hours=1)) == 1
    assert figures() == (0, 0) and figures(QuotaResource.STORAGE_BYTES) == (0, 0)
    # Its work ends after all: counted as if nothing had been held, and refused when there is no room.
    settle(lost, storage_bytes=9)
    assert figures() == (1, 0) and figures(QuotaResource.STORAGE_BYTES) == (9, 0)
    agreed(tenant, assessments=1)
    with pytest.raises(QuotaExceeded):
        settle(lost)


def test_what_is_given_back_never_makes_less_than_nothing(tenant: Tenant) -> None:
    with held_quota(assessments=1, storage_bytes=0, now=NOON) as hold:
        settle(hold)
    for _ in range(2):
        quotas.give_back_assessments(count=1, charged_at=NOON)
    assert figures() == (0, 0)


def test_usage_tells_limits_and_what_is_left(adam: Person, ada: Person, tenant: Tenant) -> None:
    agreed(tenant, assessments=10, storage_gb=1)
    now = timezone.now()
    with held_quota(assessments=2, storage_bytes=1_000, now=now) as hold:
        settle(hold, assessments=2, storage_bytes=1_000, now=now)
        with held_quota(assessments=1, storage_bytes=0, now=now):
            body = ada.api().get(USAGE).json()
    assert body["assessments"] == {"limit": 10, "used": 2, "reserved": 1, "remaining": 7}
    assert body["storage_bytes"] == {
        "limit": GIGABYTE, "used": 1_000, "reserved": 0, "remaining": GIGABYTE - 1_000,
    }  # fmt: skip
    assert body["tier"] == "ENTERPRISE"
    assert body["period"]["starts_at"].endswith("-01T00:00:00Z")
    agreed(tenant)
    assert adam.api().get(USAGE).json()["assessments"]["limit"] is None


def test_usage_is_the_own_tenants_and_not_the_claimant_sides(zoe: Person, cleo: Person, tenant: Tenant) -> None:
    with held_quota(assessments=1, storage_bytes=0, now=timezone.now()) as hold:
        settle(hold, now=timezone.now())
        assert zoe.api().get(USAGE).json()["assessments"]["used"] == 0
    assert cleo.api().get(USAGE).status_code == 403
    assert cleo.api().get(USAGE, headers={"X-Tenant-ID": "borealis"}).status_code == 403


def test_the_page_shows_an_administrator_what_is_used(adam: Person, ada: Person, tenant: Tenant) -> None:
    agreed(tenant, assessments=2)
    now = timezone.now()
    QuotaCounter.objects.create(resource=QuotaResource.ASSESSMENTS, period=date(2026, 1, 1), used=77)
    with held_quota(assessments=2, storage_bytes=5 * GIGABYTE, now=now) as hold:
        settle(hold, assessments=2, storage_bytes=5 * GIGABYTE, now=now)
    page = adam.browser().get("/desk/usage/").content.decode()
    assert "Assessments: used up." in page and "of 2</span>" in page
    assert "5 GB" in page and "January 2026" in page and ">77<" in page
    assert ada.browser().get("/desk/usage/").status_code == 403


def test_an_operator_agrees_quotas_with_enterprise_alone_and_the_trail_says_so(olga: User, tenant: Tenant) -> None:
    operator = principal_of_operator(olga)
    with pytest.raises(QuotaNotCustom):
        set_custom_quota(actor=operator, tenant=tenant, assessments_per_month=5, storage_gb=None, now=NOON)
    Tenant.objects.update(tier=Tier.ENTERPRISE)
    fresh = Tenant.objects.get()
    set_custom_quota(actor=operator, tenant=fresh, assessments_per_month=5, storage_gb=None, now=NOON)
    event = AuditEvent.objects.get()
    assert event.event == "tenant.quota_changed"
    assert event.after == '{"custom_assessments_per_month":5}'
    assert quotas_of(Tenant.objects.get()).assessments_per_month == 5


def test_the_operators_form_sets_quotas_and_says_where_it_cannot(olga: User, acme: Tenant, client: Any) -> None:
    client.force_login(olga)
    address = reverse("admin:tenancy_tenant_change", args=[acme.id])
    form = {"tier": "PROFESSIONAL", "status": "ACTIVE", "custom_assessments_per_month": "9", "custom_storage_gb": ""}
    page = client.post(address, form)
    assert page.status_code == 200 and "Only tenants of the tier Enterprise" in page.content.decode()
    assert client.post(address, {**form, "tier": "ENTERPRISE"}).status_code == 302
    assert quotas_of(Tenant.objects.get()).assessments_per_month == 9
    assert Scope.OPS in principal_of_operator(olga).scopes
