from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = "Reviews"

    def ready(self) -> None:
        from observability import metrics  # noqa: PLC0415  # models are complete only now
        from reviews.audit_check import decision_problems  # noqa: PLC0415
        from reviews.choices import REVIEW_EVENTS, DecisionKind  # noqa: PLC0415
        from reviews.gauges import register_gauges  # noqa: PLC0415
        from tenancy.audit_verification import register_audit_cross_check  # noqa: PLC0415
        from tenancy.webhooks.catalogue import register_event_types  # noqa: PLC0415

        register_gauges()
        register_event_types(REVIEW_EVENTS)
        register_audit_cross_check("decisions", decision_problems)
        metrics.begin_at_zero(metrics.DECISIONS, DecisionKind.values)
