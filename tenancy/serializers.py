"""Bodies of the tenancy API: what comes in, checked field by field, and what goes out, field by field."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from observability.breakers import BreakerFacts
from observability.choices import BreakerState, JobState
from observability.models import Job
from tenancy.audit_verification import AuditReport, ProblemKind
from tenancy.choices import Scope, TenantStatus, Tier
from tenancy.inputs import AwareDateTimeField, StrictSerializer, TextField
from tenancy.models import ApiKey, Tenant
from tenancy.policy import shown_settings
from tenancy.usage import Share, Usage

# What a tenant's key can hold; `ops` belongs to the platform's operator.
_KEY_SCOPES = [(scope.value, scope.label) for scope in Scope if scope != Scope.OPS]
# What the column holds; how much of it a tenant may use depends on its tier.
_MOST_PACE = 2_147_483_647
_PACE_HELP = "Null: the default rate. At most what `GET /tenant/usage` says."


class ApiKeyRequest(StrictSerializer):
    name = TextField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=_KEY_SCOPES), allow_empty=False, max_length=len(_KEY_SCOPES)
    )
    expires_at = AwareDateTimeField(required=False, allow_null=True, default=None)
    user_id = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="A member with the role CLIENT whose key this is; without it the key is the caller's own.",
    )
    requests_per_minute = serializers.IntegerField(
        min_value=1, max_value=_MOST_PACE, required=False, allow_null=True, default=None, help_text=_PACE_HELP
    )


class ApiKeyChange(StrictSerializer):
    requests_per_minute = serializers.IntegerField(
        min_value=1, max_value=_MOST_PACE, allow_null=True, help_text=_PACE_HELP
    )


class NoBody(StrictSerializer):
    """A request that says everything by its address."""


class KeyHolder(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class ApiKeyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The visible beginning of the secret.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_KEY_SCOPES))
    user = KeyHolder()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    requests_per_minute = serializers.IntegerField(allow_null=True, help_text="Null: the default rate.")
    rotated_from = serializers.UUIDField(allow_null=True)


class IssuedKeyAnswer(ApiKeyAnswer):
    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null when the answer is replayed for an Idempotency-Key."
    )


class TenantChange(StrictSerializer):
    name = TextField(max_length=120, required=False)
    tier = serializers.ChoiceField(choices=Tier.choices, required=False, help_text="The platform operator's alone.")
    status = serializers.ChoiceField(
        choices=TenantStatus.choices, required=False, help_text="The platform operator's alone."
    )
    settings = serializers.DictField(
        required=False, help_text="Settings to change; null puts a default back, settings not named stay."
    )


class TenantSettings(serializers.Serializer[Any]):
    external_providers_allowed = serializers.BooleanField()
    low_priority_without_model = serializers.BooleanField()
    fraud_urgent_threshold = serializers.FloatField()
    blind_label_share = serializers.FloatField(help_text="Of the decided claims; drawn for a second, blind label.")
    review_hours_urgent = serializers.IntegerField()
    review_hours_standard = serializers.IntegerField()
    review_hours_low = serializers.IntegerField()
    waiting_bound_hours_standard = serializers.IntegerField()
    waiting_bound_hours_low = serializers.IntegerField()
    retention_days_video = serializers.IntegerField(
        allow_null=True, help_text="Days after the decision; null keeps video and pictures."
    )
    retention_days_personal_data = serializers.IntegerField(
        allow_null=True, help_text="Days after the decision; null keeps what was told."
    )
    jurisdiction = serializers.CharField(allow_null=True)
    sso_required = serializers.BooleanField(help_text="Passwords open this tenant no more; needs its own provider.")
    sso_new_people = serializers.BooleanField(help_text="The tenant's provider brings people in as clients.")
    monitored_groups = serializers.ListField(
        child=serializers.CharField(),
        help_text="Metadata fields that name a claim's group; decisions are compared by them, no model sees them.",
    )


class TenantAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.ChoiceField(choices=Tier.choices)
    status = serializers.ChoiceField(choices=TenantStatus.choices)
    settings = TenantSettings(allow_null=True, help_text="Null for the role CLIENT.")
    created_at = serializers.DateTimeField()


class UsagePeriod(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="When the assessments are counted from nothing again.")


class QuotaShare(serializers.Serializer[Any]):
    limit = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    used = serializers.IntegerField()
    reserved = serializers.IntegerField(help_text="Held by uploads under way.")
    remaining = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")


class UsageAnswer(serializers.Serializer[Any]):
    tier = serializers.ChoiceField(choices=Tier.choices)
    period = UsagePeriod()
    assessments = QuotaShare(help_text="In the present month (UTC).")
    storage_bytes = QuotaShare(help_text="Each stored video once.")
    requests_per_minute = serializers.IntegerField(help_text="Of all keys together; the most that one can be given.")


class TaskAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=JobState.choices)
    progress_percent = serializers.IntegerField(min_value=0, max_value=100)
    result = serializers.DictField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="The code of the failure, when the task is over.")


class AuditHeadAnswer(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    hash = serializers.CharField(help_text="Kept elsewhere, it proves a later rewrite of the whole trail.")


class AuditProblemAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in ProblemKind])
    seq = serializers.IntegerField(allow_null=True)
    event_id = serializers.CharField(allow_null=True)
    seal = serializers.IntegerField(allow_null=True, help_text="Number of the seal that is wrong or shows it.")
    detail = serializers.CharField()


class AuditVerification(serializers.Serializer[Any]):
    ok = serializers.BooleanField(help_text="No problem, and the append-only guard is whole.")
    events = serializers.IntegerField(help_text="Sealed events that were read in order.")
    awaiting_seal = serializers.IntegerField()
    seals = serializers.IntegerField()
    signed_by = serializers.CharField(allow_null=True, help_text="Id of the key whose signature is on the last seal.")
    head = AuditHeadAnswer()
    problem = AuditProblemAnswer(allow_null=True)
    missing_triggers = serializers.ListField(child=serializers.CharField())


class CheckpointTenant(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()


class ConsistencyAnswer(serializers.Serializer[Any]):
    since = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField(), help_text="RFC 6962 consistency proof.")


class AuditCheckpoint(serializers.Serializer[Any]):
    format = serializers.CharField()
    tenant = CheckpointTenant()
    size = serializers.IntegerField(help_text="Leaves of the tree: events.")
    root = serializers.CharField(help_text="RFC 6962 root of them.")  # type: ignore[assignment]  # a field, as declared
    seal = serializers.IntegerField()
    seal_hash = serializers.CharField()
    sealed_at = serializers.DateTimeField()
    note = serializers.CharField(help_text="The text that is signed.")
    key_id = serializers.CharField(allow_null=True)
    signature = serializers.CharField(allow_null=True, help_text="Ed25519 over the note; null where no key is set.")
    public_key = serializers.CharField(allow_null=True, help_text="To be compared with the one you were given.")
    consistency = ConsistencyAnswer(required=False, help_text="With `since`.")


class ProvenEvent(serializers.Serializer[Any]):
    format = serializers.IntegerField()
    id = serializers.UUIDField()
    tenant = serializers.UUIDField()
    event = serializers.CharField()
    actor_type = serializers.CharField()
    actor_id = serializers.CharField()
    actor_name = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    at = serializers.CharField()
    before = serializers.CharField(help_text="The stored text, whose bytes are hashed.")
    after = serializers.CharField(help_text="The stored text, whose bytes are hashed.")
    reason = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)


class AuditProof(serializers.Serializer[Any]):
    event = ProvenEvent()
    seq = serializers.IntegerField(help_text="Place in the trail from 1; the leaf's index from 0 is one less.")
    previous_hash = serializers.CharField()
    hash = serializers.CharField()
    leaf_hash = serializers.CharField()
    tree_size = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField(), help_text="RFC 6962 audit path, from the leaf up.")
    root = serializers.CharField()  # type: ignore[assignment]  # a field, as declared
    checkpoint = AuditCheckpoint()


class BreakerAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=BreakerState.choices)
    forced_open = serializers.BooleanField(help_text="Held open by a person until a reset.")
    calls = serializers.IntegerField(help_text="Calls in the sliding window.")
    failures = serializers.IntegerField(help_text="Those that found the service ailing; refusals are not counted.")
    slow_calls = serializers.IntegerField()
    opened_at = serializers.DateTimeField(allow_null=True)
    probe_due_at = serializers.DateTimeField(allow_null=True, help_text="When one call may be tried.")
    changed_at = serializers.DateTimeField(help_text="When it entered its state.")
    changed_by = serializers.CharField(allow_null=True, help_text="Id of who reset or forced it; null: itself.")


def breaker_data(facts: BreakerFacts) -> dict[str, Any]:
    """Return a breaker as operators see it."""
    return {
        "name": facts.name,
        "state": facts.state,
        "forced_open": facts.forced_open,
        "calls": facts.window.calls,
        "failures": facts.window.failures,
        "slow_calls": facts.window.slow,
        "opened_at": facts.opened_at,
        "probe_due_at": facts.probe_due_at,
        "changed_at": facts.changed_at,
        "changed_by": facts.changed_by or None,
    }


def api_key_data(key: ApiKey) -> dict[str, Any]:
    """Return a key as it is shown; the secret is not known any more."""
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "user": {"id": str(key.user_id), "name": str(key.user)},
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "requests_per_minute": key.requests_per_minute,
        "rotated_from": str(key.rotated_from_id) if key.rotated_from_id else None,
    }


def tenant_data(tenant: Tenant, *, redacted: bool) -> dict[str, Any]:
    """Return a tenant; `redacted` leaves out the settings: they tell how to stay under thresholds."""
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "name": tenant.name,
        "tier": tenant.tier,
        "status": tenant.status,
        "settings": None if redacted else shown_settings(tenant.settings),
        "created_at": tenant.created_at,
    }


def usage_data(usage: Usage) -> dict[str, Any]:
    """Return a tenant's usage."""
    return {
        "tier": usage.tier,
        "period": {"starts_at": usage.starts_at, "ends_at": usage.ends_at},
        "assessments": _share_data(usage.assessments),
        "storage_bytes": _share_data(usage.storage),
        "requests_per_minute": usage.most_requests_per_minute,
    }


def _share_data(share: Share) -> dict[str, Any]:
    return {"limit": share.limit, "used": share.used, "reserved": share.reserved, "remaining": share.remaining}


def task_data(job: Job) -> dict[str, Any]:
    """Return a job as a task. What an attempt left behind (a trace, perhaps) is not the tenant's to read."""
    over = job.state in (JobState.FAILED, JobState.DEAD)
    return {
        "id": str(job.id),
        "kind": job.kind,
        "status": job.state,
        "progress_percent": job.progress_percent,
        "result": job.result,
        "error": job.error_code or None if over else None,
    }


def verification_data(report: AuditReport) -> dict[str, Any]:
    """Return the state of a trail."""
    problem = report.problem
    return {
        "ok": report.ok,
        "events": report.events,
        "awaiting_seal": report.awaiting_seal,
        "seals": report.seals,
        "signed_by": report.signed_by or None,
        "head": {"seq": report.head_seq, "hash": report.head_hash},
        "problem": problem and asdict(problem),
        "missing_triggers": report.missing_triggers,
    }
