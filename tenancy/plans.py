"""What a tier includes: assessments, storage, and how fast the tenant's clients may go."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from tenancy.choices import Tier
from tenancy.ratelimits.window import Rate

# Decimal, as storage is sold; 10 GB are 10,000,000,000 bytes.
GIGABYTE = 10**9
_MINUTE = 60


@dataclass(frozen=True)
class Plan:
    """A tier's quotas (None: no limit) and its clients' pace, in multiples of `RATE_LIMIT_DEFAULT`.

    `pace` binds all keys and tokens of the tenant together, and is the most that one key can be given.
    """

    assessments_per_month: int | None
    storage_bytes: int | None
    pace: int


PLANS = {
    Tier.FREE: Plan(1_000, 10 * GIGABYTE, pace=10),
    Tier.BASIC: Plan(10_000, 50 * GIGABYTE, pace=20),
    Tier.PROFESSIONAL: Plan(100_000, 500 * GIGABYTE, pace=100),
    Tier.ENTERPRISE: Plan(None, None, pace=1_000),
}


def tenant_rate(tier: Tier) -> Rate:
    """Return what all clients of a tenant may send together."""
    default: Rate = settings.RATE_LIMIT_DEFAULT
    return Rate(default.count * PLANS[tier].pace, default.seconds)


def most_per_minute(tier: Tier) -> int:
    """Return the most requests a minute that one key of such a tenant can be given."""
    whole = tenant_rate(tier)
    return max(1, whole.count * _MINUTE // whole.seconds)


def key_rate(requests_per_minute: int | None, tier: Tier | None) -> Rate:
    """Return the limit of a key: what its administrator set, if the tier still allows it, else the default."""
    default: Rate = settings.RATE_LIMIT_DEFAULT
    if requests_per_minute is None or tier is None:
        return default
    return Rate(min(requests_per_minute, most_per_minute(tier)), _MINUTE)
