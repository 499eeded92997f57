"""Pages of the monitoring: does the AI keep its promise, and what a tenant's own fraud model is worth."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from aiassist.assessment.tenant_conformal import FEWEST_PER_CLASS
from aiassist.fraud.selectors import fraud_model_versions
from aiassist.fraud.services import activate_fraud_model, retire_fraud_model
from aiassist.monitoring.coverage import FEWEST_LABELS, CoverageState
from aiassist.monitoring.plots import rows_plot, time_plot
from aiassist.monitoring.selectors import CalibrationState, calibration_state
from aiassist.monitoring.window import start_of_window
from aiassist.types import Severity
from observability.errors import Conflict, InvalidInput, NotFound
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.permissions import require_scope

_LOOK_BACKS = ((30, "30 days"), (180, "6 months"), (730, "2 years"))


class CalibrationPage(TenantView):
    """Live coverage against blind labels, drawn and in words."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest) -> HttpResponse:
        now, days = timezone.now(), request.GET.get("days")
        state = calibration_state(start=start_of_window(days, now=now), end=now)
        named = [("All", state.report.overall)]
        named += [(label.value.title(), state.report.classes[label]) for label in Severity]
        context = {
            "state": state,
            "rows": rows_plot(named),
            "time": time_plot(state.report.months),
            "months": rows_plot(list(state.report.months.items())).marks if state.report.months else [],
            "sources": _sources(state),
            "look_backs": [(str(length), words, str(length) == (days or "180")) for length, words in _LOOK_BACKS],
            "fewest": FEWEST_LABELS,
            "needed": FEWEST_PER_CLASS,
            "broken": [name for name, found in named if found.state is CoverageState.BELOW_TARGET],
        }
        return render(request, "monitoring/calibration.html", context)


class FraudModelPage(TenantView):
    """The tenant's fraud models with their cards; an administrator puts one into use or takes it out."""

    any_scope = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"versions": fraud_model_versions(), "may_change": Scope.ADMIN in self.principal.scopes}
        return render(request, "monitoring/fraud_model.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        require_scope(self.principal, Scope.ADMIN)
        try:
            messages.success(request, self._change(request))
        except (Conflict, NotFound) as refusal:
            messages.warning(request, refusal.message)
        return redirect("monitoring:fraud-model")

    def _change(self, request: HttpRequest) -> str:
        action, number = request.POST.get("action"), request.POST.get("number", "")
        if action == "retire":
            retire_fraud_model(actor=self.principal, now=timezone.now())
            return "The scorecard stands alone again."
        if action == "activate" and number.isascii() and number.isdigit() and len(number) <= 6:
            version = activate_fraud_model(actor=self.principal, number=int(number), now=timezone.now())
            return f"{version} scores claims from now on."
        raise InvalidInput("Unknown action.")


def _sources(state: CalibrationState) -> list[tuple[str, int, int, str]]:
    """Return each class with its cases, how full its quota is in percent, and what it allows itself."""
    allowed = state.in_force.allowed_misses if state.in_force else None
    return [
        (
            label.value.title(),
            state.cases[label],
            min(round(state.cases[label] / FEWEST_PER_CLASS * 100), 100),
            "–" if allowed is None else f"{max(allowed[label], 0.0) * 100:.1f} %",
        )
        for label in Severity
    ]
