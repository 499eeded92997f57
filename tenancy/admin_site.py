"""The admin site of the platform's operator, and the bases of the model admins on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import path, reverse

from observability.errors import PermissionRefused
from tenancy.models import User
from tenancy.operations_desk import desk_context
from tenancy.scope import every_tenant
from tenancy.views import SignOutView

if TYPE_CHECKING:  # the class takes its model as a parameter for the type checker only
    AnyModelAdmin = ModelAdmin[Any]
else:
    AnyModelAdmin = ModelAdmin


class OperatorAdminSite(AdminSite):
    """For the platform's operator and superusers. There is one sign-in page, which throttles; this site has none."""

    site_header = "Claimwright operations"
    site_title = "Claimwright"
    index_title = "Operations"
    enable_nav_sidebar = False

    def get_urls(self) -> list[Any]:
        # Leaving is the same everywhere; Django's own would send a stranger who leaves to the index.
        return [
            path("logout/", SignOutView.as_view(), name="logout"),
            path("desk/", self.admin_view(self.desk), name="desk"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Open with the operator's desk: what needs a person now."""
        return super().index(request, {**desk_context(), **(extra_context or {})})

    def desk(self, request: HttpRequest) -> HttpResponse:
        """Return the panels alone, for the page that refreshes itself; 304 when nothing changed."""
        context = desk_context()
        if request.headers.get("If-None-Match") == context["desk_etag"]:
            return HttpResponse(status=304, headers={"ETag": context["desk_etag"]})
        response = render(request, "admin/_desk.html", context)
        response.headers["ETag"] = context["desk_etag"]
        return response

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leave out the tables of django-allauth, which stay empty: identities are `SignOnIdentity` rows."""
        if not getattr(model_or_iterable, "__module__", "").startswith("allauth."):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and (user.is_operator or user.is_superuser)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index", current_app=self.name)
        if request.user.is_authenticated:
            raise PermissionRefused("These pages are for the platform's operator.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), settings.LOGIN_URL)


class ReadOnlyAdmin(AnyModelAdmin):
    """Looking only, for superusers too: these rows are written by services."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(AnyModelAdmin):
    """Saves and deletes by services, each of which is a transaction of its own (Django would wrap them in another)."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        page: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # Django's
        return page

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page: HttpResponse = self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]  # Django's
        return page


class TenantOwnedAdmin(ReadOnlyAdmin):
    """Rows of all tenants, to look at. Every page is made, up to its last byte, inside `every_tenant`, which is logged.

    Subclasses list columns as usual; `tenant` is added in front. An operator sees a model only when
    `tenancy/admin_permissions.py` says so, a superuser always.
    """

    show_full_result_count = False  # counting all tenants' rows is the slowest part of such a page
    list_select_related: ClassVar[Any] = ("tenant",)
    list_filter: ClassVar[Any] = ("tenant",)

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("tenant", *(name for name in super().get_list_display(request) if name != "tenant"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._across_tenants(request, super().changelist_view, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._across_tenants(request, super().changeform_view, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._across_tenants(request, super().history_view, object_id, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._across_tenants(request, super().delete_view, object_id, extra_context)

    def _across_tenants(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        with every_tenant(f"admin {self.opts.label_lower} for {request.user.pk}"):
            return rendered(view(request, *args))


def rendered(response: HttpResponse) -> HttpResponse:
    """Return the page made up to its last byte: its rows are read while it is rendered, so inside the scope."""
    return response.render() if isinstance(response, TemplateResponse) else response
