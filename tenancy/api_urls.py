"""API addresses of keys, tenant, tasks, audit and operations."""

from django.urls import URLPattern, path

from tenancy import api, operations

app_name = "api_tenancy"
urlpatterns: list[URLPattern] = [
    path("api-keys", api.ApiKeysView.as_view(), name="api-keys"),
    path("api-keys/<uuid:key_id>", api.ApiKeyView.as_view(), name="api-key"),
    path("api-keys/<uuid:key_id>/rotate", api.ApiKeyRotationView.as_view(), name="api-key-rotation"),
    path("tenant", api.TenantView.as_view(), name="tenant"),
    path("tasks/<uuid:task_id>", api.TaskView.as_view(), name="task"),
    path("audit/verify", api.AuditVerificationView.as_view(), name="audit-verification"),
    path("circuit-breakers", operations.BreakersView.as_view(), name="circuit-breakers"),
    path("circuit-breakers/<str:name>", operations.BreakerView.as_view(), name="circuit-breaker"),
    path("circuit-breakers/<str:name>/reset", operations.BreakerResetView.as_view(), name="circuit-breaker-reset"),
]
