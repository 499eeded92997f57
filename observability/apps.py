from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "observability"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.conf import settings  # noqa: PLC0415  # the registry is complete only now

        from observability.alerts.channels.registry import CHANNELS  # noqa: PLC0415
        from observability.alerts.telling import register_telling  # noqa: PLC0415
        from observability.alerts.watchers import register_watchers  # noqa: PLC0415
        from observability.breakers import register_breaker  # noqa: PLC0415
        from observability.celery_hooks import connect_hooks  # noqa: PLC0415
        from observability.database_calls import watch_connections  # noqa: PLC0415
        from observability.desk_panels import register_panels  # noqa: PLC0415
        from observability.gauges import begin_counting, register_gauges  # noqa: PLC0415
        from observability.incidents import checks  # noqa: F401, PLC0415  # registers the check of runbooks
        from observability.incidents.calling import register_calling  # noqa: PLC0415
        from observability.incidents.detection import connect_alerts  # noqa: PLC0415
        from observability.incidents.floor_actions import register_floor_actions  # noqa: PLC0415
        from observability.incidents.panel import register_incidents_panel  # noqa: PLC0415
        from observability.logging import configure_logging  # noqa: PLC0415
        from observability.managers import register_managers  # noqa: PLC0415
        from observability.request_panel import register_requests_panel  # noqa: PLC0415

        configure_logging(style=settings.LOG_FORMAT)
        if settings.SENTRY_DSN:
            from observability.sentry import start_sentry  # noqa: PLC0415  # costs 80 ms and memory: only where wanted

            start_sentry()
        connect_hooks()
        watch_connections()
        begin_counting()
        register_managers()
        register_gauges()
        register_panels()
        register_requests_panel()
        register_floor_actions()
        connect_alerts()
        register_calling()
        register_incidents_panel()
        register_telling()
        register_watchers()
        for channel in CHANNELS.values():
            register_breaker(channel.breaker, in_use=channel.is_set_up)
