from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "observability"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.conf import settings  # noqa: PLC0415  # the registry is complete only now

        from observability.celery_hooks import connect_hooks  # noqa: PLC0415
        from observability.desk_panels import register_panels  # noqa: PLC0415
        from observability.gauges import register_gauges  # noqa: PLC0415
        from observability.logging import configure_logging  # noqa: PLC0415

        configure_logging(style=settings.LOG_FORMAT)
        if settings.SENTRY_DSN:
            from observability.sentry import start_sentry  # noqa: PLC0415  # costs 80 ms and memory: only where wanted

            start_sentry()
        connect_hooks()
        register_gauges()
        register_panels()
