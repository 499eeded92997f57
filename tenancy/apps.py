from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "tenancy"
    verbose_name = "Tenants and access"

    def ready(self) -> None:
        from observability import metrics  # noqa: PLC0415  # as below
        from observability.incidents.guard import timeline_triggers  # noqa: PLC0415
        from tenancy import model_checks  # noqa: F401, PLC0415  # registers the check of tenants' models
        from tenancy.audit_guard import audit_triggers  # noqa: PLC0415
        from tenancy.costs.operating import register_spending  # noqa: PLC0415
        from tenancy.erasure_guard import erasure_triggers  # noqa: PLC0415
        from tenancy.guards import register_guard  # noqa: PLC0415
        from tenancy.incidents.actions import register_tenancy_actions  # noqa: PLC0415  # models are complete only now
        from tenancy.ledger_guard import ledger_triggers  # noqa: PLC0415
        from tenancy.webhooks.catalogue import PlatformEvent, register_event_types  # noqa: PLC0415

        metrics.begin_at_zero(metrics.SIGN_INS, metrics.SIGN_IN_OUTCOMES)
        metrics.begin_at_zero(metrics.AUTHENTICATION_FAILURES, ["invalid_credential", "token_expired"])
        metrics.begin_at_zero(metrics.REFUSED_ACCESS, ["tenant_mismatch"])
        metrics.begin_at_zero(metrics.QUOTA_REFUSALS, ["assessments", "storage"])
        metrics.begin_at_zero(metrics.WEBHOOK_DELIVERIES, ["delivered", "failed", "cancelled"])
        register_guard("audit trail", audit_triggers)
        register_guard("cost ledger", ledger_triggers)
        register_guard("erasure journal", erasure_triggers)
        register_guard("incident timeline", timeline_triggers)  # the floor below cannot register with this one
        register_tenancy_actions()
        register_event_types({PlatformEvent.PING: "Somebody tries the webhook out; sent when asked for, whoever asks."})
        register_spending()
