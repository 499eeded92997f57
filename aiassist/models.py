"""Rows of the opinion engine: kept answers, a tenant's own fraud models, blind labels, and what monitoring has seen."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from aiassist.choices import FraudModelState, ReportCause
from aiassist.types import Outcome, Severity
from tenancy.append_only import AppendOnlyQuerySet, AppendOnlyRow
from tenancy.owned import TenantManager, TenantOwned


class _HistoryManager(TenantManager[Any]):
    queryset_class = AppendOnlyQuerySet


class StoredAnswer(TenantOwned):
    """A valid answer to one exact question about one claim; kept for `AI_ANSWER_TTL`.

    Everything that could make another answer right stands in the key, the tenant and the claim first.
    """

    reference = models.CharField(max_length=64, help_text="Id of the claim.")
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, help_text="The configured model.")
    prompt_version = models.CharField(max_length=40)
    input_hash = models.CharField(max_length=64, help_text="SHA-256 of all that the model was told and shown.")
    served_model = models.CharField(max_length=120)
    content = models.JSONField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference", "provider", "model", "prompt_version", "input_hash"],
                name="stored_answer_once",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="stored_answer_expiry")]

    def __str__(self) -> str:
        return f"{self.provider} {self.served_model} {self.input_hash[:8]}"


class FraudModelVersion(TenantOwned):
    """One training run: the model as plain numbers, its card, and whether the gate let it through."""

    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=FraudModelState)
    document = models.JSONField(help_text="Encoder, form and cut; see aiassist/fraud/scoring.py.")
    card = models.TextField()
    passed = models.BooleanField(help_text="Whether the gate let it through.")
    refusals = models.JSONField(default=list)
    trained_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="fraud_model_number_once"),
            models.UniqueConstraint(
                fields=["tenant"], name="fraud_model_one_active", condition=Q(state=FraudModelState.ACTIVE)
            ),
            models.CheckConstraint(
                name="fraud_model_active_has_passed", condition=~Q(state=FraudModelState.ACTIVE) | Q(passed=True)
            ),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def version(self) -> str:
        """The name that assessments carry."""
        return f"fraud-{self.number}"


class CalibrationCase(TenantOwned):
    """What the AI had said of a randomly drawn claim, and what a person said who saw none of it. Only ever added.

    `assessment_id` is no foreign key: the engine knows no claim file.
    """

    assessment_id = models.UUIDField()
    model_version = models.CharField(max_length=80)
    probabilities = models.JSONField()
    prediction_set = models.JSONField()
    coverage_target = models.FloatField()
    calibration_source = models.CharField(max_length=16)
    true_label = models.CharField(
        max_length=8, choices=[(s, s) for s in Severity], blank=True, help_text="Empty: it cannot be told."
    )
    inclusion_probability = models.FloatField()
    drawn_at = models.DateTimeField()
    labelled_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assessment_id"], name="calibration_case_once"),
            models.CheckConstraint(
                name="calibration_case_share", condition=Q(inclusion_probability__gt=0, inclusion_probability__lte=1)
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "model_version", "true_label", "-labelled_at"], name="calibration_case_newest"
            ),
            models.Index(fields=["tenant", "labelled_at"], name="calibration_case_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.true_label} {self.assessment_id}"


class Observation(TenantOwned):
    """What one assessment measured and predicted, and what a person then decided: figures and codes, no person.

    Written in the commit of the assessment and of the decision; `assessment_id` is no foreign key, as above.
    `repeated` is an opinion after the claim's first, `backfilled` one from before this was kept: neither is a fresh
    claim of the stream that drift is looked for in.
    """

    assessment_id = models.UUIDField()
    observed_at = models.DateTimeField()
    repeated = models.BooleanField(default=False)
    backfilled = models.BooleanField(default=False)
    outcome = models.CharField(max_length=16, choices=[(o, o) for o in Outcome])
    severity = models.CharField(max_length=8, choices=[(s, s) for s in Severity], blank=True)
    probabilities = models.JSONField(default=dict)
    features = models.JSONField(default=dict, help_text="What the severity model read.")
    fraud_risk_score = models.FloatField()
    fraud_flagged = models.BooleanField(help_text="By the tenant's threshold at that time.")
    provider_name = models.CharField(max_length=40)
    provider_model = models.CharField(max_length=120, blank=True)
    model_version = models.CharField(max_length=80)
    degraded = models.BooleanField()
    groups = models.JSONField(default=dict, help_text="Attribute to group, as short codes.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=20, blank=True)
    human_severity = models.CharField(max_length=8, choices=[(s, s) for s in Severity], blank=True)
    fault_overridden = models.BooleanField(default=False)
    fraud_overridden = models.BooleanField(default=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assessment_id"], name="observation_once"),
            models.CheckConstraint(
                name="observation_decision_whole",
                condition=Q(decided_at__isnull=True, decision="", human_severity="")
                | (Q(decided_at__isnull=False) & ~Q(decision="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "observed_at", "id"],
                name="observation_stream",
                condition=Q(repeated=False, backfilled=False),
            ),
            models.Index(
                fields=["tenant", "-decided_at", "-id"],
                name="observation_decided",
                condition=Q(decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.severity or self.outcome} {self.assessment_id}"


class DriftReference(AppendOnlyRow):
    """What claims are held against: the first ones from `started_at` on. The newest row is in force."""

    number = models.PositiveIntegerField()
    model_version = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    set_by = models.CharField(max_length=80)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    objects = _HistoryManager()

    class Meta(AppendOnlyRow.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="drift_reference_number_once")]

    def __str__(self) -> str:
        return f"reference {self.number}"


class DriftLook(AppendOnlyRow):
    """One look at the newest claims. `until` names the last claim that it saw; an episode is one alarm to people."""

    reference = models.ForeignKey(DriftReference, on_delete=models.PROTECT, related_name="looks")
    number = models.PositiveIntegerField()
    until_at = models.DateTimeField()
    until_id = models.UUIDField()
    alpha = models.FloatField()
    level = models.CharField(max_length=12)
    alarm = models.BooleanField()
    calm_looks = models.PositiveSmallIntegerField(help_text="Looks in a row without an alarm, this one included.")
    in_episode = models.BooleanField()
    findings = models.JSONField()
    looked_at = models.DateTimeField()

    objects = _HistoryManager()

    class Meta(AppendOnlyRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reference", "number"], name="drift_look_number_once"),
        ]
        indexes = [models.Index(fields=["tenant", "-looked_at"], name="drift_look_newest")]

    def __str__(self) -> str:
        return f"look {self.number} of reference {self.reference_id}"


class HealthReport(AppendOnlyRow):
    """What monitoring said of the AI at one moment, whole and for good. `run` makes each run one report."""

    run = models.CharField(max_length=64, help_text="The day or the task that it was made for.")
    cause = models.CharField(max_length=12, choices=ReportCause)
    status = models.CharField(max_length=16)
    document = models.JSONField()
    made_at = models.DateTimeField()

    objects = _HistoryManager()

    class Meta(AppendOnlyRow.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "run"], name="health_report_once")]
        indexes = [models.Index(fields=["tenant", "-made_at", "-id"], name="health_report_newest")]

    def __str__(self) -> str:
        return f"{self.status} {self.made_at:%Y-%m-%d}"
