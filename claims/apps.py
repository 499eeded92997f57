from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        from claims.choices import CLAIM_EVENTS  # noqa: PLC0415  # models are complete only now
        from tenancy.webhooks.catalogue import register_event_types  # noqa: PLC0415

        register_event_types(CLAIM_EVENTS)
