"""The page that shows an administrator what the tenant has used of its quotas."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.plans import GIGABYTE
from tenancy.quotas import month_of
from tenancy.scope import current_tenant_id
from tenancy.selectors import tenant_of
from tenancy.usage import Share, Usage, past_months, usage_of

# From here on the page says so, as budgets do.
_WARNS_AT = 80
_UNITS = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}


@dataclass(frozen=True)
class Row:
    """One quota in words."""

    name: str
    span: str
    share: Share
    used: str
    limit: str
    remaining: str
    reserved: str
    rule: str
    advice: str

    @property
    def tone(self) -> str:
        if self.share.percent >= 100:
            return "danger"
        return "warn" if self.share.percent >= _WARNS_AT else ""


class UsagePage(TenantView):
    """Assessments of the month and stored videos, and the months before."""

    any_scope = (Scope.ADMIN, Scope.SUPERVISE)

    def get(self, request: HttpRequest) -> HttpResponse:
        now, tenant = timezone.now(), tenant_of(current_tenant_id())
        usage = usage_of(tenant, now=now)
        rows = [_assessments(usage), _storage(usage)]
        rate = settings.RATE_LIMIT_DEFAULT
        context = {
            "tenant": tenant,
            "rows": rows,
            "full": [row for row in rows if row.tone],
            "months": [(month, f"{used:,}") for month, used in past_months(before=month_of(now))],
            "most_rate": f"{usage.most_requests_per_minute:,}",
            "default_rate": f"{rate.count:,} {_UNITS[rate.seconds]}",
        }
        return render(request, "tenancy/usage.html", context)


def _assessments(usage: Usage) -> Row:
    share = usage.assessments
    return Row(
        "Assessments",
        f"{usage.starts_at:%B %Y}",
        share,
        used=f"{share.used:,}",
        limit="" if share.limit is None else f"{share.limit:,}",
        remaining=f"{share.remaining or 0:,}",
        reserved=f"{share.reserved:,}" if share.reserved else "",
        rule="Counts every new claim and every assessment that is asked for again; not the same claim handed in twice, "
        "nor what the platform failed to assess.",
        advice=f"Once they are used up, new claims are refused until {usage.ends_at:%-d %B}, 0:00 UTC.",
    )


def _storage(usage: Usage) -> Row:
    share = usage.storage
    return Row(
        "Stored videos",
        "now",
        share,
        used=_gigabytes(share.used),
        limit="" if share.limit is None else _gigabytes(share.limit),
        remaining=_gigabytes(share.remaining or 0),
        reserved=_gigabytes(share.reserved) if share.reserved else "",
        rule="Counts each stored video once, however many claims it belongs to.",
        advice="Once it is used up, new videos are refused.",
    )


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / GIGABYTE:,.2f} GB".replace(".00 ", " ")
