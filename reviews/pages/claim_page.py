"""Everything the claim page shows, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from claims.choices import QUEUE_RANK, ClaimStatus
from claims.models import Assessment, Claim
from claims.pages.badges import PRIORITY_BADGES, SEVERITY_BADGES, STATUS_BADGES, Badge, severity_badge
from claims.pages.status_page import claim_facts
from claims.selectors import evidence_of, resubmissions_of
from claims.words import due_words, percent_words, span_words
from reviews.choices import DecisionKind
from reviews.forms import FRAUD_CHOICES, FRAUD_SUSPECTED, DecisionForm
from reviews.holds import hold_of
from reviews.models import Decision, ReviewLease
from reviews.pages.assessment_page import assessment_card, evidence_rows
from reviews.pages.history_page import history_rows, history_verdict
from reviews.pages.media import video_url
from reviews.pages.queue_page import reason_rows
from reviews.pages.snippets import snippets_for
from reviews.pages.timeline import timeline_of
from reviews.pages.versions_page import may_reassess, version_panel
from reviews.queue import CLASS_OF_RANK
from reviews.selectors import decisions_of, history_of
from tenancy.choices import Scope
from tenancy.principals import Principal


@dataclass(frozen=True)
class Option:
    """One radio button: whether it is chosen now, and whether it is what the AI suggests."""

    value: str
    label: str
    checked: bool
    suggested: bool = False
    tone: str = ""
    icon: str = ""
    key: str = ""


_HEADLINE = ("Loss", "Place", "Policy", "Plate")
_OUTCOMES = (
    (DecisionKind.APPROVE, "Approve", "ok", "check-circle", "a"),
    (DecisionKind.REJECT, "Reject", "danger", "cross-circle", "r"),
    (DecisionKind.REQUEST_MORE_INFO, "Ask for more", "info", "question", "i"),
)


def claim_context(claim: Claim, *, principal: Principal, form: DecisionForm, now: datetime) -> dict[str, Any]:
    """Return the page's context; the claim has its newest assessment loaded."""
    assessment = claim.assessment
    assert assessment is not None
    evidence, decisions = evidence_of(assessment), decisions_of(claim)
    history = history_of(claim_id=claim.id)
    is_open = claim.status == ClaimStatus.AWAITING_REVIEW
    return {
        "claim": claim,
        "status": STATUS_BADGES[claim.status],
        "priority": PRIORITY_BADGES[CLASS_OF_RANK[claim.queue_rank]],
        "due": due_words(claim.review_due_at, now) if is_open and claim.review_due_at else "",
        "overdue": bool(is_open and claim.review_due_at and claim.review_due_at <= now),
        "waiting": span_words(now - claim.waiting_since) if is_open and claim.waiting_since else "",
        "video_url": video_url(claim.id),
        "facts": claim_facts(claim),
        "headline": [value for label, value in claim_facts(claim) if label in _HEADLINE],
        "parties": list(claim.parties.all()),
        "card": assessment_card(assessment, urgent_threshold=form.fraud_threshold),
        "reasons": reason_rows(claim),
        "evidence": evidence_rows(evidence, claim_id=claim.id, media=claim.media_removed_at is None),
        "timeline": timeline_of(assessment, evidence=evidence, duration_seconds=claim.video.duration_seconds),
        "resubmissions": resubmissions_of(claim),
        "history": history_rows(history, now=now),
        "history_verdict": history_verdict(history),
        "decisions": decisions,
        "verdict": verdict_of(decisions[0] if decisions else None, assessment, form=form),
        "may_decide": is_open and Scope.REVIEW in principal.scopes,
        "may_manage_data": bool(principal.scopes & {Scope.SUPERVISE, Scope.ADMIN}),
        "may_reassess": may_reassess(claim, principal=principal),
        "may_share": Scope.SUPERVISE in principal.scopes,
        "versions": version_panel(claim, assessment, newest_id=assessment.id),
        **hold_context(claim, hold_of(claim, now=now), principal=principal),
        **form_context(form),
    }


def older_context(
    claim: Claim, assessment: Assessment, *, principal: Principal, form: DecisionForm, now: datetime
) -> dict[str, Any]:
    """Return the page's context for an older assessment: to read; only a decision made on it stands beside it."""
    newest_id, newest = claim.assessment_id, claim.assessment
    # On this object alone, nothing is saved: the claim as this version placed it.
    claim.assessment, claim.review_priority = assessment, assessment.review_priority
    claim.queue_rank = QUEUE_RANK[assessment.review_priority]
    context = claim_context(claim, principal=principal, form=form, now=now)
    decided = next((d for d in context["decisions"] if d.assessment_id == assessment.id), None)
    return context | {
        "older": newest.version if newest else None,
        "may_decide": False,
        "may_reassess": False,
        "editable": False,
        "decisions": [decided] if decided else [],
        "verdict": verdict_of(decided, assessment, form=form),
        "versions": version_panel(claim, assessment, newest_id=newest_id),
    }


@dataclass(frozen=True)
class Verdict:
    """What a person decided about the AI's three values; untouched ones are the AI's."""

    severity: Badge
    severity_differs: bool
    fault: str
    fault_differs: bool
    fraud: str
    fraud_differs: bool


def verdict_of(decision: Decision | None, assessment: Assessment, *, form: DecisionForm) -> Verdict | None:
    """Return the values that stand after the decision, None before one."""
    if decision is None:
        return None
    fault = decision.fault_override_pct
    suspected = form.suggested_fraud == FRAUD_SUSPECTED
    fraud = suspected if decision.fraud_override is None else decision.fraud_override
    return Verdict(
        severity=severity_badge(decision.severity_override or assessment.severity),
        severity_differs=bool(decision.severity_override),
        fault=form.suggested_fault if fault is None else percent_words(fault),
        fault_differs=fault is not None,
        fraud="Suspected" if fraud else "Not suspected",
        fraud_differs=decision.fraud_override is not None,
    )


def hold_context(claim: Claim, lease: ReviewLease | None, *, principal: Principal) -> dict[str, Any]:
    """Return who holds the claim, for the page and for the piece of it that refreshes itself."""
    mine = lease is not None and lease.holder_id == principal.user_id
    return {"claim": claim, "lease": lease, "lease_mine": mine}


def form_context(form: DecisionForm) -> dict[str, Any]:
    """Return the form with its radio buttons spelled out."""
    decision, severity, fraud = (str(form[name].value() or "") for name in ("decision", "severity", "fraud"))
    ai_severity = form.assessment.severity
    severities = [
        Option(name, badge.word, severity == name, name == ai_severity, badge.tone, badge.icon)
        for name, badge in SEVERITY_BADGES.items()
    ]
    if not ai_severity:
        severities.append(Option("", "Not judged", severity == "", suggested=True, icon="question"))
    return {
        "form": form,
        "outcomes": [
            Option(v, label, decision == v, tone=tone, icon=icon, key=key) for v, label, tone, icon, key in _OUTCOMES
        ],
        "severities": severities,
        "fraud_choices": [Option(v, word, fraud == v, v == form.suggested_fraud) for v, word in FRAUD_CHOICES],
        "snippets": snippets_for(form.assessment),
    }
