from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        from claims.choices import CLAIM_EVENTS  # noqa: PLC0415  # models are complete only now
        from claims.counting import begin_counting  # noqa: PLC0415
        from claims.storage import UPLOAD_REFUSED  # noqa: PLC0415
        from observability.degradation import Part  # noqa: PLC0415
        from observability.fallbacks import Fallback, FallbackKind, register_fallback  # noqa: PLC0415
        from tenancy.webhooks.catalogue import register_event_types  # noqa: PLC0415

        register_event_types(CLAIM_EVENTS)
        register_fallback(
            Fallback(
                UPLOAD_REFUSED,
                FallbackKind.STATIC,
                Part.STORAGE,
                "An upload is refused at once with the time to come back; nothing of it is kept.",
            )
        )
        begin_counting()
        from claims.incident_effects import register_effects  # noqa: PLC0415
        from tenancy.webhooks.catalogue import register_event_types  # noqa: PLC0415

        register_event_types(CLAIM_EVENTS)
        register_effects()
