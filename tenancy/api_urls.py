"""API addresses of keys, tenant, costs, tasks, audit and operations."""

from django.urls import URLPattern, path

from tenancy import api, operations, operations_desk, token_api
from tenancy.alerting.urls import urlpatterns as alerting
from tenancy.costs import api as costs
from tenancy.dead_letters import api as dead_letters
from tenancy.incidents import api as incidents
from tenancy.webhooks import api as webhooks

app_name = "api_tenancy"
urlpatterns: list[URLPattern] = [
    path("token", token_api.TokenView.as_view(), name="token"),
    path("token/refresh", token_api.TokenRefreshView.as_view(), name="token-refresh"),
    path("token/revoke", token_api.TokenRevokeView.as_view(), name="token-revoke"),
    path("api-keys", api.ApiKeysView.as_view(), name="api-keys"),
    path("api-keys/<uuid:key_id>", api.ApiKeyView.as_view(), name="api-key"),
    path("api-keys/<uuid:key_id>/rotate", api.ApiKeyRotationView.as_view(), name="api-key-rotation"),
    path("tenant", api.TenantView.as_view(), name="tenant"),
    path("tenant/usage", api.TenantUsageView.as_view(), name="tenant-usage"),
    path("tasks/<uuid:task_id>", api.TaskView.as_view(), name="task"),
    path("audit/verify", api.AuditVerificationView.as_view(), name="audit-verification"),
    path("costs", costs.CostsView.as_view(), name="costs"),
    path("costs/estimate", costs.CostEstimateView.as_view(), name="costs-estimate"),
    path("budgets", costs.BudgetsView.as_view(), name="budgets"),
    path("budgets/<uuid:budget_id>", costs.BudgetView.as_view(), name="budget"),
    path("webhooks", webhooks.WebhooksView.as_view(), name="webhooks"),
    path("webhooks/event-types", webhooks.EventTypesView.as_view(), name="webhook-event-types"),
    path("webhooks/<uuid:webhook_id>", webhooks.WebhookView.as_view(), name="webhook"),
    path("webhooks/<uuid:webhook_id>/rotate", webhooks.RotationView.as_view(), name="webhook-rotation"),
    path("webhooks/<uuid:webhook_id>/ping", webhooks.PingView.as_view(), name="webhook-ping"),
    path("webhooks/<uuid:webhook_id>/deliveries", webhooks.DeliveriesView.as_view(), name="webhook-deliveries"),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>",
        webhooks.DeliveryView.as_view(),
        name="webhook-delivery",
    ),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver",
        webhooks.RedeliveryView.as_view(),
        name="webhook-redelivery",
    ),
    path("audit/checkpoint", api.AuditCheckpointView.as_view(), name="audit-checkpoint"),
    path("audit/events/<uuid:event_id>/proof", api.AuditProofView.as_view(), name="audit-proof"),
    path("operations/desk", operations_desk.OperationsDeskView.as_view(), name="operations-desk"),
    path("dlq/jobs", dead_letters.DeadLettersView.as_view(), name="dead-letters"),
    path("dlq/cleanup", dead_letters.CleanupView.as_view(), name="dead-letters-cleanup"),
    path("dlq/<uuid:job_id>/retry", dead_letters.RetryView.as_view(), name="dead-letter-retry"),
    path("dlq/<uuid:job_id>/resolve", dead_letters.ResolutionView.as_view(), name="dead-letter-resolution"),
    path("circuit-breakers", operations.BreakersView.as_view(), name="circuit-breakers"),
    path("circuit-breakers/<str:name>", operations.BreakerView.as_view(), name="circuit-breaker"),
    path("circuit-breakers/<str:name>/reset", operations.BreakerResetView.as_view(), name="circuit-breaker-reset"),
    path("incidents", incidents.IncidentsView.as_view(), name="incidents"),
    path("incidents/runbooks", incidents.RunbooksView.as_view(), name="incident-runbooks"),
    path("incidents/<int:number>", incidents.IncidentView.as_view(), name="incident"),
    path("incidents/<int:number>/acknowledge", incidents.AcknowledgeView.as_view(), name="incident-acknowledge"),
    path("incidents/<int:number>/steps/<int:position>", incidents.StepView.as_view(), name="incident-step"),
    path("incidents/<int:number>/mitigate", incidents.MitigateView.as_view(), name="incident-mitigate"),
    path("incidents/<int:number>/resolve", incidents.ResolveView.as_view(), name="incident-resolve"),
    path("incidents/<int:number>/close", incidents.CloseView.as_view(), name="incident-close"),
    path("incidents/<int:number>/report", incidents.ReportView.as_view(), name="incident-report"),
    *alerting,
]
