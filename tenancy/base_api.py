"""The base of every API view: authenticates, checks the scope for the verb, and works inside the tenant's scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability.context import work_context
from observability.errors import NotAuthenticated, PermissionRefused
from tenancy.choices import Scope
from tenancy.costs.metering import requests
from tenancy.errors import RateLimited
from tenancy.principals import Principal
from tenancy.ratelimits.limiter import Allowance, Bucket, count_request
from tenancy.scope import tenant_scope

# What the answer depends on beside the address: any credential, and the tenant that is chosen.
_VARY = ("Authorization", "Cookie", "X-API-Key", "X-Tenant-ID")
# Whatever starts costly work, by its address, so that no such view can forget it.
_RUNS = "api/v1/run/"
_ANSWERS = ("application/json", "application/problem+json")


class JSONAnswers(DefaultContentNegotiation):
    """JSON for everybody who takes it or the problem type; 406 for who takes neither."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.headers.get("Accept", "").strip()
        if wanted and request._request.get_preferred_type(list(_ANSWERS)) is None:
            raise NotAcceptable
        return next(iter(renderers)), _ANSWERS[0]


class ScopedAPIView(APIView):
    """An API view with a scope table: `scopes` maps a verb to the scopes of which one is needed."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {}
    rate_bucket: ClassVar[Bucket] = Bucket.DEFAULT
    _allowance: Allowance | None = None
    content_negotiation_class = JSONAnswers

    @property
    def principal(self) -> Principal:
        """Return the acting party (authentication has run)."""
        assert isinstance(self.request.auth, Principal)
        return self.request.auth

    def scopes_for(self, method: str) -> tuple[Scope, ...]:
        return self.scopes.get("GET" if method == "HEAD" else method, ())

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as stack:
            self._entered = stack
            response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, _VARY)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check in this order: credential (401), rate (429), verb (405), scope (403), wanted media type (406).

        Refused requests count too. DRF's own order tells a stranger about media types and a colleague 403 for a verb
        that does not exist.
        """
        self.format_kwarg = None
        self.perform_authentication(request)
        if not isinstance(request.auth, Principal):
            raise NotAuthenticated
        self.check_throttles(request)
        if (request.method or "").lower() not in self.http_method_names or not self._answers_verb(request):
            self.http_method_not_allowed(request)
        self.check_permissions(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self._entered.enter_context(work_context(principal_id=self.principal.id))

    def check_throttles(self, request: Request) -> None:
        """Count the request against the limits of its client; raises RateLimited."""
        session = isinstance(request.successful_authenticator, SessionAuthentication)
        match = request._request.resolver_match
        runs = match is not None and match.route.startswith(_RUNS)
        bucket = Bucket.RUN if runs else self.rate_bucket
        self._allowance = count_request(self.principal, session=session, bucket=bucket)
        if self._allowance is not None and not self._allowance.granted:
            raise RateLimited(retry_after_seconds=self._allowance.wait_seconds)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._allowance is not None:
            for name, value in self._allowance.headers().items():
                response.headers[name] = value
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Answer with the allowed verbs only; DRF's own answer would tell about the code."""
        return Response(status=204)

    def _answers_verb(self, request: Request) -> bool:
        return hasattr(self, (request.method or "").lower())


class TenantAPIView(ScopedAPIView):
    """A view on one tenant's data: everything after authentication runs inside the credential's tenant."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        tenant_id = self.principal.tenant_id
        if tenant_id is None:
            raise PermissionRefused("This needs a member of a tenant.")
        self._entered.enter_context(tenant_scope(tenant_id))
        if not isinstance(request.successful_authenticator, SessionAuthentication):
            requests.count(tenant_id)


class OperationsAPIView(ScopedAPIView):
    """A view for the platform's operator."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = dict.fromkeys(
        ("GET", "POST", "PUT", "PATCH", "DELETE"), (Scope.OPS,)
    )


def created(data: Mapping[str, object], *, location: str, status: int = 201) -> Response:
    """Return an answer for something new, with its address."""
    return Response(data, status=status, headers={"Location": location})
