"""The switches that a tenant's administrator may set, typed, with their limits and defaults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from observability.errors import FieldProblem, InvalidInput, NotFound
from tenancy.models import Tenant
from tenancy.tiers import Feature, includes

# What the tier "custom thresholds" is about.
THRESHOLDS = frozenset({"fraud_urgent_threshold"})
# ISO 3166-1 alpha-2, with a part of the country behind it where traffic law differs (ISO 3166-2: US-CA).
_JURISDICTION = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII)
# What a claim's metadata calls it; the platform's own groups (camera, light …) are monitored anyway.
_GROUP_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_MOST_GROUPS = 6
_MAX_HOURS = 24 * 90
# A century: whoever means "for ever" says null.
_MAX_DAYS = 36_525


@dataclass(frozen=True)
class TenantPolicy:
    """What one tenant has decided; hours are elapsed hours.

    `blind_label_share` of the decided claims is drawn for a second, blind label: the AI's promises are measured by it.
    Video (with its pictures) and personal data are removed so many days after the decision; None keeps them.
    The waiting bounds are when a claim moves up one class, so that nothing starves behind urgent work. `sso_required`
    closes the tenant to passwords, `sso_new_people` lets its identity provider bring people in as clients.
    `monitored_groups` names what a claim's metadata tells of its group (channel, language …): decisions are compared
    between groups, no model sees them.
    """

    external_providers_allowed: bool = True
    low_priority_without_model: bool = False
    fraud_urgent_threshold: float = 0.6
    review_hours_urgent: int = 4
    review_hours_standard: int = 24
    review_hours_low: int = 72
    waiting_bound_hours_standard: int = 48
    waiting_bound_hours_low: int = 120
    jurisdiction: str | None = None
    blind_label_share: float = 0.05
    retention_days_video: int | None = None
    retention_days_personal_data: int | None = None
    sso_required: bool = False
    sso_new_people: bool = False
    monitored_groups: Sequence[str] = ()


def tenant_policy(tenant_id: UUID) -> TenantPolicy:
    """Return the policy in force: what the tenant set, else the default, as far as its tier goes. Raises NotFound."""
    found = Tenant.objects.filter(id=tenant_id).values_list("settings", "tier").first()
    if found is None:
        raise NotFound("There is no such tenant.")
    policy = policy_from(found[0])
    if includes(found[1], Feature.EXTERNAL_MODELS):
        return policy
    return replace(policy, external_providers_allowed=False)


def policy_from(settings: Mapping[str, Any]) -> TenantPolicy:
    """Return the policy of stored settings; one that this version no longer knows is left out."""
    return TenantPolicy(**{name: value for name, value in settings.items() if name in _RULES})


def changed_settings(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the changes (null puts a default back); raises InvalidInput naming each bad one."""
    problems = [problem for name, value in changes.items() if (problem := _problem(name, value)) is not None]
    if problems:
        raise InvalidInput(problems=problems)
    merged = {**settings, **changes}
    return {name: value for name, value in sorted(merged.items()) if value is not None}


def shown_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting with its value in force."""
    return asdict(policy_from(settings))


def _problem(name: str, value: Any) -> FieldProblem | None:
    pointer = f"/settings/{name[:80]}"
    if name not in _RULES:
        return FieldProblem(pointer, "unknown_field", f"Known settings: {', '.join(sorted(_RULES))}.")
    accepts, expected = _RULES[name]
    if value is None or accepts(value):
        return None
    return FieldProblem(pointer, "invalid", expected)


def _is_hours(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_HOURS


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_DAYS


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_group_names(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _MOST_GROUPS
        and all(isinstance(name, str) and _GROUP_NAME.fullmatch(name) for name in value)
        and len(set(value)) == len(value)
    )


def _is_jurisdiction(value: Any) -> bool:
    return isinstance(value, str) and _JURISDICTION.fullmatch(value) is not None


_HOURS = (_is_hours, f"A whole number of hours from 1 to {_MAX_HOURS}.")
_DAYS = (_is_days, f"A whole number of days from 1 to {_MAX_DAYS}, or null to keep it.")
_SWITCH = (_is_switch, "true or false.")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "external_providers_allowed": _SWITCH,
    "low_priority_without_model": _SWITCH,
    "fraud_urgent_threshold": (_is_share, "A number from 0 to 1."),
    "blind_label_share": (_is_share, "A number from 0 to 1."),
    "review_hours_urgent": _HOURS,
    "review_hours_standard": _HOURS,
    "review_hours_low": _HOURS,
    "waiting_bound_hours_standard": _HOURS,
    "waiting_bound_hours_low": _HOURS,
    "retention_days_video": _DAYS,
    "retention_days_personal_data": _DAYS,
    "sso_required": _SWITCH,
    "sso_new_people": _SWITCH,
    "monitored_groups": (
        _is_group_names,
        f"At most {_MOST_GROUPS} names of metadata fields: lower-case letters, digits, underscores.",
    ),
    "jurisdiction": (_is_jurisdiction, "A country code such as DE, or with its part such as US-CA."),
}
