"""Pages of model health: drift, bias, and the reports that were made."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from aiassist.models import HealthReport
from aiassist.monitoring.bias import FEWEST_DECIDED
from aiassist.monitoring.drift import REFERENCE_CLAIMS, WINDOW_CLAIMS
from aiassist.monitoring.health import HealthStatus, about_bias, bias_data, bias_of, drift_data, drift_state
from aiassist.monitoring.health_plots import (
    ROW_HEIGHT,
    ROWS_TOP,
    Badge,
    accuracy_rows,
    feature_bars,
    impact_plots,
    level_badge,
    share_words,
    trend_of,
)
from aiassist.monitoring.looks import TooFewClaims, accept_newest_claims
from aiassist.monitoring.watching import request_report
from aiassist.monitoring.window import start_of_window
from observability.errors import InvalidInput, NotFound
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.permissions import require_scope

_LOOK_BACKS = ((30, "30 days"), (180, "6 months"), (730, "2 years"))
_MOST_BARS, _MOST_REPORTS = 12, 60
_LONGEST_REASON = 500
_STATUS_BADGES = {
    HealthStatus.NOT_ENOUGH_DATA: Badge("quiet", "question", "Not enough yet"),
    HealthStatus.HEALTHY: Badge("ok", "check-circle", "Healthy"),
    HealthStatus.WATCH: Badge("warn", "clock", "Watch"),
    HealthStatus.UNHEALTHY: Badge("danger", "urgent", "Unhealthy"),
}


class DriftPage(TenantView):
    """Whether claims still look like the reference's, drawn and in words; an administrator accepts a new normal."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest) -> HttpResponse:
        data = drift_data(drift_state(now=timezone.now()))
        findings = data["findings"]
        bars = feature_bars(findings["features"][:_MOST_BARS]) if findings else []
        context = {
            "drift": data,
            "badge": level_badge(data["level"]),
            "bars": bars,
            "bars_height": ROWS_TOP + len(bars) * ROW_HEIGHT,
            "more": max(len(findings["features"]) - _MOST_BARS, 0) if findings else 0,
            "shares": _shares(findings) if findings else [],
            "trend": trend_of(data["trend"]),
            "percent": round(data["reference"]["claims"] / REFERENCE_CLAIMS * 100) if data["reference"] else 0,
            "needed": REFERENCE_CLAIMS,
            "window": WINDOW_CLAIMS,
            "may_change": Scope.ADMIN in self.principal.scopes,
        }
        return render(request, "monitoring/drift.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        require_scope(self.principal, Scope.ADMIN)
        reason = request.POST.get("reason", "").strip()
        if not reason or len(reason) > _LONGEST_REASON:
            raise InvalidInput("Say why, in at most 500 characters.")
        try:
            made = accept_newest_claims(actor=self.principal, reason=reason, now=timezone.now())
        except TooFewClaims as refusal:
            messages.warning(request, refusal.message)
        else:
            messages.success(request, f"Reference {made.number} is in force: claims are held against the newest ones.")
        return redirect("monitoring:drift")


class BiasPage(TenantView):
    """Groups against the 80 % rule, and where the AI is corrected more often."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest) -> HttpResponse:
        now, days = timezone.now(), request.GET.get("days")
        report = bias_of(start=start_of_window(days, now=now), end=now)
        context = {
            "report": report,
            "plots": impact_plots(report.impacts),
            "accuracies": accuracy_rows(report.accuracies),
            "alarms": sorted({f"{found.attribute} {found.group}" for found in report.disparate}),
            "advice": about_bias(bias_data(report)),
            "fewest": FEWEST_DECIDED,
            "look_backs": [(str(length), words, str(length) == (days or "180")) for length, words in _LOOK_BACKS],
        }
        return render(request, "monitoring/bias.html", context)


class HealthReportsPage(TenantView):
    """The reports, newest first; an administrator has one made."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = HealthReport.objects.order_by("-made_at", "-id")[:_MOST_REPORTS]
        reports = [(report, _STATUS_BADGES[HealthStatus(report.status)]) for report in rows]
        context = {"reports": reports, "may_change": Scope.ADMIN in self.principal.scopes}
        return render(request, "monitoring/reports.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        request_report(actor=self.principal, now=timezone.now())
        messages.success(request, "The report is being made; it is here in a moment.")
        return redirect("monitoring:reports")


class HealthReportPage(TenantView):
    """One report as it was made."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest, report_id: UUID) -> HttpResponse:
        report = HealthReport.objects.filter(id=report_id).first()
        if report is None:
            raise NotFound
        findings = report.document["drift"]["findings"]
        context = {
            "report": report,
            "document": report.document,
            "badge": _STATUS_BADGES[HealthStatus(report.status)],
            "drift_badge": level_badge(report.document["drift"]["level"]),
            "bias_badge": _alarm_badge("Below the rule", alarm=report.document["bias"]["alarm"]),
            "coverage_badge": _alarm_badge("Below target", alarm=report.document["calibration"]["alarm"]),
            "shares": _shares(findings) if findings else [],
        }
        return render(request, "monitoring/report.html", context)


def _alarm_badge(words: str, *, alarm: bool) -> Badge:
    return Badge("danger", "urgent", words) if alarm else Badge("ok", "check-circle", "No alarm")


def _shares(findings: dict[str, dict[str, object]]) -> list[tuple[str, str, str, Badge]]:
    """Return name, figure, change and verdict of what is asked of all claims of the window."""
    names = (("predictions", "Severities given"), ("agreement", "People agree"), ("service", "Without a vision model"))
    rows = []
    for key, name in names:
        figure, change = share_words(findings[key])
        if key == "predictions" and findings[key]["value"] is not None:
            change = "of claims lie in other classes"
        rows.append((name, figure, change, level_badge(str(findings[key]["level"]))))
    return rows
