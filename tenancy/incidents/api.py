"""Incidents over HTTP, for the platform's operator; what is asked for twice happens once."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.incidents import services
from observability.incidents.actors import Actor
from observability.incidents.choices import IncidentKind, IncidentSeverity, IncidentStatus
from observability.incidents.report import report_on
from observability.incidents.runbooks import runbooks
from observability.incidents.selectors import incident_of, incidents
from tenancy.base_api import OperationsAPIView, created
from tenancy.cursors import OrderColumn, page_of
from tenancy.incidents import serializers as bodies
from tenancy.incidents.doing import do_step
from tenancy.incidents.filters import IncidentFilter
from tenancy.listing import apply_filters, list_parameters, refuse_parameters
from tenancy.openapi import listed
from tenancy.principals import Principal
from tenancy.scope import every_tenant
from tenancy.serializers import NoBody

NEWEST_FIRST = (OrderColumn("opened_at", descending=True), OrderColumn("number", descending=True))
_FILTERS = [
    OpenApiParameter("status", str, enum=IncidentStatus.values),
    OpenApiParameter("severity", str, enum=IncidentSeverity.values),
    OpenApiParameter("kind", str, enum=IncidentKind.values),
    OpenApiParameter("open", str, enum=["true", "false"], description="Whether it is not over yet."),
]


def actor_of(principal: Principal) -> Actor:
    """Return the principal as who acts on an incident."""
    return Actor(principal.id, principal.name)


class _IncidentView(OperationsAPIView):
    @property
    def actor(self) -> Actor:
        return actor_of(self.principal)


class IncidentsView(_IncidentView):
    """`GET|POST /incidents`"""

    @extend_schema(operation_id="incidents_list", parameters=_FILTERS, responses=listed(bodies.IncidentAnswer))
    def get(self, request: Request) -> Response:
        """List incidents, newest first."""
        wanted = list_parameters(request, allowed=("status", "severity", "kind", "open"))
        rows = apply_filters(IncidentFilter, queryset=incidents(), filters=wanted.filters)
        with every_tenant("incidents belong to no tenant"):
            page = page_of(rows, order=NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        return Response({"items": [bodies.incident_data(i) for i in page.items], "next_cursor": page.next_cursor})

    @extend_schema(
        operation_id="incidents_open",
        request=bodies.IncidentRequest,
        responses={200: bodies.IncidentDetailAnswer, 201: bodies.IncidentDetailAnswer},
    )
    def post(self, request: Request) -> Response:
        """Open an incident by hand; 200 with the open one when there is one about the same kind and subject."""
        refuse_parameters(request)
        wanted = bodies.IncidentRequest.checked(request.data)
        wanted["kind"] = IncidentKind(wanted["kind"])
        opened = services.open_incident(actor=self.actor, now=timezone.now(), **wanted)
        data = bodies.incident_detail(opened.incident)
        if not opened.is_new:
            return Response(data)
        return created(data, location=reverse("api_tenancy:incident", kwargs={"number": opened.incident.number}))


class RunbooksView(_IncidentView):
    """`GET /incidents/runbooks`"""

    @extend_schema(operation_id="incidents_runbooks", responses=bodies.RunbooksAnswer)
    def get(self, request: Request) -> Response:
        """List the runbooks as the next incidents get them."""
        refuse_parameters(request)
        return Response({"items": [bodies.runbook_data(book) for book in runbooks().values()]})


class IncidentView(_IncidentView):
    """`GET /incidents/{id}`"""

    @extend_schema(operation_id="incidents_retrieve", responses=bodies.IncidentDetailAnswer)
    def get(self, request: Request, number: int) -> Response:
        """Show an incident with its runbook's steps and its timeline."""
        refuse_parameters(request)
        return Response(bodies.incident_detail(incident_of(number)))


class AcknowledgeView(_IncidentView):
    """`POST /incidents/{id}/acknowledge`"""

    @extend_schema(operation_id="incidents_acknowledge", request=None, responses=bodies.IncidentDetailAnswer)
    def post(self, request: Request, number: int) -> Response:
        """Take it on: nobody else is called any more."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        incident = services.acknowledge_incident(number=number, actor=self.actor, now=timezone.now())
        return Response(bodies.incident_detail(incident))


class StepView(_IncidentView):
    """`POST /incidents/{id}/steps/{n}`"""

    @extend_schema(operation_id="incidents_step", request=bodies.StepRequest, responses=bodies.IncidentStepAnswer)
    def post(self, request: Request, number: int, position: int) -> Response:
        """Run a step, tick it off, or skip it. 409 `step_taken` when somebody else was first."""
        refuse_parameters(request)
        wanted = bodies.StepRequest.checked(request.data)
        step = do_step(number=number, position=position, actor=self.actor, now=timezone.now(), **wanted)
        return Response(bodies.step_data(step))


class MitigateView(_IncidentView):
    """`POST /incidents/{id}/mitigate`"""

    @extend_schema(operation_id="incidents_mitigate", request=bodies.NoteRequest, responses=bodies.IncidentDetailAnswer)
    def post(self, request: Request, number: int) -> Response:
        """Say that the trouble is gone for now."""
        refuse_parameters(request)
        note = bodies.NoteRequest.checked(request.data)["note"]
        incident = services.mitigate_incident(number=number, actor=self.actor, now=timezone.now(), text=note)
        return Response(bodies.incident_detail(incident))


class ResolveView(_IncidentView):
    """`POST /incidents/{id}/resolve`"""

    @extend_schema(operation_id="incidents_resolve", request=bodies.NoteRequest, responses=bodies.IncidentDetailAnswer)
    def post(self, request: Request, number: int) -> Response:
        """Say that it is over. Steps that are still to do stay so, and the report tells."""
        refuse_parameters(request)
        note = bodies.NoteRequest.checked(request.data)["note"]
        incident = services.resolve_incident(number=number, actor=self.actor, now=timezone.now(), text=note)
        return Response(bodies.incident_detail(incident))


class CloseView(_IncidentView):
    """`POST /incidents/{id}/close`"""

    @extend_schema(operation_id="incidents_close", request=None, responses=bodies.IncidentDetailAnswer)
    def post(self, request: Request, number: int) -> Response:
        """Close it for good; a P1 or P2 needs its report's cause first (409 `report_missing`)."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        incident = services.close_incident(number=number, actor=self.actor, now=timezone.now())
        return Response(bodies.incident_detail(incident))


class ReportView(_IncidentView):
    """`GET|PUT /incidents/{id}/report`"""

    @extend_schema(operation_id="incidents_report", responses=bodies.IncidentReportAnswer)
    def get(self, request: Request, number: int) -> Response:
        """Show what happened, computed from the rows, with people's words and the whole as Markdown."""
        refuse_parameters(request)
        return Response(bodies.report_data(report_on(incident_of(number), now=timezone.now())))

    @extend_schema(
        operation_id="incidents_report_write", request=bodies.ReportRequest, responses=bodies.IncidentReportAnswer
    )
    def put(self, request: Request, number: int) -> Response:
        """Write what it came from and what is to be done, once it is resolved and until it is closed."""
        refuse_parameters(request)
        words = bodies.ReportRequest.checked(request.data)
        now = timezone.now()
        incident = services.write_report(number=number, actor=self.actor, now=now, **words)
        return Response(bodies.report_data(report_on(incident, now=now)))
