"""What runbooks can do on this floor: look at the doors, end access, prove the trails."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from observability.errors import NotFound
from observability.incidents.actions import Action, ActionCall, ActionResult, register_action
from observability.request_minutes import request_sums
from tenancy.audit import TenancyAction
from tenancy.audit_verification import AuditReport, verify_audit
from tenancy.choices import ActorType
from tenancy.models import AuditEvent, Tenant, User
from tenancy.permissions import OPERATOR_SCOPES
from tenancy.principals import Principal
from tenancy.scope import every_tenant
from tenancy.sessions import end_person_access, end_tenant_access

_DOOR_EVENTS = (
    TenancyAction.MEMBER_SIGNED_IN,
    TenancyAction.SECOND_FACTOR_REFUSED,
    TenancyAction.TOKENS_REUSED,
    TenancyAction.API_KEY_CREATED,
    TenancyAction.SECOND_FACTOR_OFF,
    TenancyAction.MEMBER_ADDED,
    TenancyAction.MEMBER_CHANGED,
)
# An attack makes hundreds of tries; a few people who mistype make a handful.
_QUIET_MINUTES, _QUIET_TRIES = 2, 5


def register_tenancy_actions() -> None:
    for action in (
        Action("check_access", "Looks what happened at the doors of all tenants.", check_access, looks=True),
        Action("check_doors", "Looks whether anybody is being turned away at the doors.", check_doors, looks=True),
        Action("end_person_access", "Ends all sessions, tokens and keys of one person.", end_access_of_person),
        Action("end_tenant_access", "Ends all keys and tokens of one tenant.", end_access_of_tenant),
        Action("verify_audit", "Proves or disproves the audit trails.", verify_trails, looks=True),
    ):
        register_action(action)


def check_access(call: ActionCall) -> ActionResult:
    """Count what the trails tell since an hour before the trouble, and who was turned away in the last hour."""
    since = call.began_at - timedelta(hours=1)
    with every_tenant("an incident's runbook looks at the doors"):
        events = AuditEvent.objects.filter(event__in=[str(action) for action in _DOOR_EVENTS], at__gte=since)
        counted = Counter(events.values_list("event", flat=True))
    away = request_sums(minutes=60, now=call.now).unauthorised
    lines = [f"{action}: {counted[str(action)]}" for action in _DOOR_EVENTS]
    reused = counted[str(TenancyAction.TOKENS_REUSED)]
    return ActionResult(away == 0 and not reused, "\n".join([f"turned away in the last hour: {away}", *lines]))


def check_doors(call: ActionCall) -> ActionResult:
    """Well when hardly anybody was turned away in the last minutes and no token was used twice."""
    away = request_sums(minutes=_QUIET_MINUTES, now=call.now).unauthorised
    since = call.now - timedelta(minutes=_QUIET_MINUTES)
    with every_tenant("an incident's runbook looks at the doors"):
        reused = AuditEvent.objects.filter(event=str(TenancyAction.TOKENS_REUSED), at__gte=since).count()
    words = f"in {_QUIET_MINUTES} min: {away} turned away, {reused} tokens used twice"
    return ActionResult(away <= _QUIET_TRIES and not reused, words)


def end_access_of_person(call: ActionCall) -> ActionResult:
    user = User.objects.filter(username=call.target).first()
    if user is None:
        raise NotFound("There is no such person.")
    ended = end_person_access(actor=_principal(call), user=user, now=call.now, reason="incident")
    return ActionResult(ok=True, output=_counts(ended))


def end_access_of_tenant(call: ActionCall) -> ActionResult:
    tenant = Tenant.objects.filter(slug=call.target).first()
    if tenant is None:
        raise NotFound("There is no such tenant.")
    ended = end_tenant_access(actor=_principal(call), tenant=tenant, now=call.now, reason="incident")
    return ActionResult(ok=True, output=_counts(ended))


def verify_trails(call: ActionCall) -> ActionResult:
    """Verify the trail of the incident's tenant, else of all tenants."""
    tenants = Tenant.objects.order_by("slug")
    if call.tenant_ref:
        tenants = tenants.filter(id=call.tenant_ref)
    reports = [verify_audit(tenant) for tenant in tenants]
    whole = all(report.ok for report in reports)
    return ActionResult(whole, "\n".join(_trail_line(report) for report in reports) or "there is no tenant")


def _trail_line(report: AuditReport) -> str:
    if report.ok:
        return f"{report.tenant}: {report.events} events, whole"
    if report.missing_triggers:
        return f"{report.tenant}: guard missing ({', '.join(report.missing_triggers)})"
    assert report.problem is not None
    return f"{report.tenant}: {report.problem.kind} at {report.problem.seq}"


def _counts(ended: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in ended.items()) + " ended"


def _principal(call: ActionCall) -> Principal:
    """Return who runs the step as the acting party of the trail."""
    return Principal(ActorType.HUMAN, call.actor.id, call.actor.name, None, None, OPERATOR_SCOPES)
