"""What each tier includes: one table, from the smallest tier up."""

from __future__ import annotations

from enum import StrEnum

from observability.errors import PermissionRefused
from tenancy.choices import Tier


class Feature(StrEnum):
    WEBHOOKS = "webhooks"
    EXTERNAL_MODELS = "external_models"
    BULK = "bulk"
    SINGLE_SIGN_ON = "single_sign_on"
    WHAT_IF = "what_if"
    CUSTOM_THRESHOLDS = "custom_thresholds"
    CUSTOM_QUOTAS = "custom_quotas"


class FeatureNotIncluded(PermissionRefused):
    code = "tier_required"
    message = "The tenant's tier does not include this."


_BASIC = frozenset({Feature.WEBHOOKS, Feature.EXTERNAL_MODELS, Feature.BULK})
_PROFESSIONAL = _BASIC | {Feature.SINGLE_SIGN_ON, Feature.WHAT_IF, Feature.CUSTOM_THRESHOLDS}
FEATURES_BY_TIER: dict[Tier, frozenset[Feature]] = {
    Tier.FREE: frozenset(),
    Tier.BASIC: _BASIC,
    Tier.PROFESSIONAL: _PROFESSIONAL,
    Tier.ENTERPRISE: _PROFESSIONAL | {Feature.CUSTOM_QUOTAS},
}


def includes(tier: str, feature: Feature) -> bool:
    """Whether the tier includes the feature."""
    return feature in FEATURES_BY_TIER[Tier(tier)]


def require_feature(tier: str, feature: Feature) -> None:
    """Raise FeatureNotIncluded unless the tier includes the feature."""
    if not includes(tier, feature):
        raise FeatureNotIncluded


def tiers_with(feature: Feature) -> list[Tier]:
    """Return the tiers that include the feature."""
    return [tier for tier, features in FEATURES_BY_TIER.items() if feature in features]
