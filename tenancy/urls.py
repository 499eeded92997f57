"""Sign-in, sign-out, the choice of the tenant, and the operator's view of the system's health."""

from django.urls import URLPattern, path

from tenancy.operations import HealthDetailedView
from tenancy.usage_page import UsagePage
from tenancy.views import ChooseTenantView, SignInView, SignOutView

urlpatterns: list[URLPattern] = [
    path("health/detailed", HealthDetailedView.as_view(), name="health-detailed"),
    path("desk/usage/", UsagePage.as_view(), name="usage"),
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("tenant/<uuid:tenant_id>/choose/", ChooseTenantView.as_view(), name="choose-tenant"),
]
