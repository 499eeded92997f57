"""The base of every reviewer page: signs people in, checks the scope, works inside the tenant's scope."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from observability import metrics
from observability.errors import PermissionRefused
from tenancy.choices import Scope
from tenancy.errors import RateLimited
from tenancy.form_limits import CounterAway, count_attempt
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.ratelimits.limiter import require_request
from tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)


class TenantView(View):
    """A page about one tenant's data. `any_scope` names the scopes of which one is needed."""

    any_scope: ClassVar[tuple[Scope, ...]] = (Scope.REVIEW,)
    principal: Principal

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        principal: Principal | None = getattr(request, "principal", None)
        if principal is None:
            return _refuse_or_sign_in(request)
        require_scope(principal, *self.any_scope)
        if principal.tenant_id is None:
            raise PermissionRefused("This page belongs to a tenant; you are signed in as the platform's operator.")
        self.principal = principal
        _count(request, principal)
        with ExitStack() as stack:
            stack.enter_context(tenant_scope(principal.tenant_id))
            response = super().dispatch(request, *args, **kwargs)
            render = getattr(response, "render", None)
            # A TemplateResponse is rendered here, while the tenant's rows can still be read.
            if callable(render) and not getattr(response, "is_rendered", True):
                response = render()
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response


class OperatorView(View):
    """A page about the platform, for its operator; it belongs to no tenant and enters none."""

    principal: Principal

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        principal: Principal | None = getattr(request, "principal", None)
        if principal is None:
            return _refuse_or_sign_in(request)
        require_scope(principal, Scope.OPS)
        self.principal = principal
        _count(request, principal)
        response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response


def _count(request: HttpRequest, principal: Principal) -> None:
    """Count the page or form of this person; raises RateLimited."""
    if request.method != "POST":
        require_request(principal, session=True)
        return
    try:
        wait = count_attempt(group="form", value=principal.id, rate=settings.RATE_LIMIT_SESSION)
    except CounterAway as error:  # people go on working
        log.warning("form_limits_away", error=str(error))
        metrics.RATE_LIMITED.labels(bucket="form", outcome="not_counted").inc()
        return
    metrics.RATE_LIMITED.labels(bucket="form", outcome="granted" if wait is None else "refused").inc()
    if wait is not None:
        raise RateLimited(retry_after_seconds=wait)


def _refuse_or_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send a stranger to the sign-in page; someone who is signed in but belongs nowhere is told so."""
    if request.user.is_authenticated:
        raise getattr(request, "tenant_refusal", None) or PermissionRefused("You are not a member of any tenant.")
    if getattr(request, "htmx", False):
        # A part of a page cannot be replaced by the sign-in page, so the whole page goes there, and back to the page.
        page = getattr(request.htmx, "current_url_abs_path", None) or "/"  # type: ignore[attr-defined]  # its middleware
        return HttpResponseClientRedirect(redirect_to_login(page).url)
    return redirect_to_login(request.get_full_path())
