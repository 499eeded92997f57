"""Every address of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.landing import start_page
from config.schema_views import RedocView, SchemaView, SwaggerView

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.forbidden"
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"

_api: list[URLPattern | URLResolver] = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SwaggerView.as_view(), name="api-docs"),
    path("redoc", RedocView.as_view(), name="api-redoc"),
    path("", include("tenancy.api_urls")),
    path("", include("aiassist.api_urls")),
    path("", include("claims.api_urls")),
    path("", include("reviews.api_urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start_page, name="home"),
    path("", include("observability.urls")),
    path("", include("tenancy.urls")),
    path("desk/", include("reviews.urls")),
    path("desk/claims/", include("claims.urls")),
    path("desk/monitoring/", include("aiassist.urls")),
    path("desk/costs/", include("tenancy.costs.urls")),
    path("desk/webhooks/", include("tenancy.webhooks.urls")),
    path("operations/incidents/", include("tenancy.incidents.urls")),
    path("api/v1/", include(_api)),
    path("admin/", admin.site.urls),
]
