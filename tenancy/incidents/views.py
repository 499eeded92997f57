"""Pages of incidents for the platform's operator; what they do is what the API does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from observability.errors import Conflict, InvalidInput, PlatformError
from observability.incidents import services
from observability.incidents.actors import Actor
from observability.incidents.choices import OPEN_STATUSES, IncidentKind, IncidentSeverity, IncidentStatus, StepState
from observability.incidents.models import Incident
from observability.incidents.report import as_markdown, report_on
from observability.incidents.runbooks import runbook_for, runbooks
from observability.incidents.selectors import incident_of, incidents
from tenancy.base_views import OperatorView
from tenancy.cursors import page_of
from tenancy.incidents.api import NEWEST_FIRST, actor_of
from tenancy.incidents.doing import do_step
from tenancy.incidents.serializers import IncidentRequest, ReportRequest
from tenancy.incidents.shown import report_context, shown_events, shown_incident, shown_steps, timeline_tag
from tenancy.scope import every_tenant

_ROWS = 25
_REFUSALS = (InvalidInput, Conflict)


class IncidentsPage(OperatorView):
    """What is open, what was, and a form to open one by hand."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "incidents/list.html", self._context(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        given = {name: request.POST.get(name, "") for name in ("kind", "subject", "title", "text")}
        form = IncidentRequest(data=given | {"severity": request.POST.get("severity") or None})
        if not form.is_valid():
            context = self._context(request) | {"given": given, "trouble": "Say what it is about, and what is wrong."}
            return render(request, "incidents/list.html", context, status=400)
        wanted = form.validated_data | {"kind": IncidentKind(form.validated_data["kind"])}
        opened = services.open_incident(actor=actor_of(self.principal), now=timezone.now(), **wanted)
        if not opened.is_new:
            messages.warning(request, "There is one about the same already.")
        return redirect("incidents:one", number=opened.incident.number)

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        now, cursor = timezone.now(), request.GET.get("cursor") or None
        is_open = incidents().filter(status__in=OPEN_STATUSES).order_by("severity", "opened_at")
        over = incidents().exclude(status__in=OPEN_STATUSES)
        with every_tenant("incidents belong to no tenant"):
            page = page_of(over, order=NEWEST_FIRST, limit=_ROWS, cursor=cursor, filters={"page": "over"})
        return {
            "open": [shown_incident(row, now=now) for row in is_open],
            "over": [shown_incident(row, now=now) for row in page.items],
            "next_cursor": page.next_cursor,
            "cursor": cursor,
            "books": list(runbooks().values()),
            "severities": IncidentSeverity.choices,
        }


def _acknowledge(number: int, actor: Actor, _note: str) -> str:
    services.acknowledge_incident(number=number, actor=actor, now=timezone.now())
    return "You took it on. Nobody else is called."


def _mitigate(number: int, actor: Actor, note: str) -> str:
    services.mitigate_incident(number=number, actor=actor, now=timezone.now(), text=note)
    return "Kept as gone for now."


def _resolve(number: int, actor: Actor, note: str) -> str:
    services.resolve_incident(number=number, actor=actor, now=timezone.now(), text=note)
    return "It is over. Write the report while you remember."


def _close(number: int, actor: Actor, _note: str) -> str:
    services.close_incident(number=number, actor=actor, now=timezone.now())
    return "The incident is closed."


_CHANGES: dict[str, Callable[[int, Actor, str], str]] = {
    "acknowledge": _acknowledge,
    "mitigate": _mitigate,
    "resolve": _resolve,
    "close": _close,
}


class IncidentPage(OperatorView):
    """One incident: its runbook as a checklist beside the timeline."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        incident = incident_of(number)
        book = runbook_for(IncidentKind(incident.kind))
        context = _head(incident) | {"steps": shown_steps(incident), "book": book} | _timeline(incident)
        context["left"] = sum(step.row.state in (StepState.PENDING, StepState.FAILED) for step in context["steps"])
        return render(request, "incidents/one.html", context)

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        change = _CHANGES.get(request.POST.get("action", ""))
        if change is None:
            raise InvalidInput("Unknown action.")
        try:
            messages.success(request, change(number, actor_of(self.principal), request.POST.get("note", "").strip()))
        except _REFUSALS as refusal:
            messages.warning(request, refusal.message)
        return redirect("incidents:one", number=number)


class TimelinePart(OperatorView):
    """The head and the timeline alone, for the page that refreshes itself; 304 when nothing happened."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        incident = incident_of(number)
        tag = timeline_tag(incident)
        if request.headers.get("If-None-Match") == tag:
            return HttpResponse(status=304, headers={"ETag": tag})
        context = _head(incident) | _timeline(incident)
        response = render(request, "incidents/_timeline.html", context)
        response.headers["ETag"] = tag
        return response


class StepForm(OperatorView):
    """Runs a step, ticks it off or skips it, and comes back to the checklist."""

    def post(self, request: HttpRequest, number: int, position: int) -> HttpResponse:
        given = {name: request.POST.get(name, "").strip() for name in ("target", "note")}
        do = request.POST.get("do") or None
        try:
            step = do_step(
                number=number, position=position, actor=actor_of(self.principal), now=timezone.now(), do=do, **given
            )
        except _REFUSALS as refusal:
            messages.warning(request, _words(refusal))
        else:
            if step.state == StepState.FAILED:
                messages.warning(request, f"Step {position} did not succeed; what it found is beside it.")
        return redirect(f"{request.path.rsplit('/steps/', 1)[0]}/#step-{position}")


class ReportPage(OperatorView):
    """What happened, computed; what it came from and what is to be done, written."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        return render(request, "incidents/report.html", self._context(number))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        form = ReportRequest(data={name: request.POST.get(name, "") for name in ("cause", "follow_ups")})
        if not form.is_valid():
            context = self._context(number) | {"trouble": "Say what it came from."}
            return render(request, "incidents/report.html", context, status=400)
        try:
            actor, now = actor_of(self.principal), timezone.now()
            services.write_report(number=number, actor=actor, now=now, **form.validated_data)
            messages.success(request, "The report is kept.")
        except Conflict as refusal:
            messages.warning(request, refusal.message)
        return redirect("incidents:report", number=number)

    def _context(self, number: int) -> dict[str, Any]:
        incident = incident_of(number)
        facts = report_context(report_on(incident, now=timezone.now()))
        return _head(incident) | facts | {"may_write": incident.status == IncidentStatus.RESOLVED}


class ReportFile(OperatorView):
    """The report as a Markdown file."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        incident = incident_of(number)
        text = as_markdown(report_on(incident, now=timezone.now()))
        names = {"Content-Disposition": f'attachment; filename="{incident}.md"'}
        return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=names)


def _head(incident: Incident) -> dict[str, Any]:
    return {"one": shown_incident(incident, now=timezone.now()), "incident": incident}


def _timeline(incident: Incident) -> dict[str, Any]:
    return {"events": shown_events(incident), "timeline_tag": timeline_tag(incident)}


def _words(refusal: PlatformError) -> str:
    return " ".join([refusal.message, *(problem.detail for problem in refusal.problems)])
