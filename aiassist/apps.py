from functools import partial

from django.apps import AppConfig


class AiassistConfig(AppConfig):
    name = "aiassist"
    verbose_name = "AI assistance"

    def ready(self) -> None:
        from aiassist.gateway.config import is_configured  # noqa: PLC0415  # the registry is complete only now
        from aiassist.gateway.types import PROVIDER_NAMES, REMEMBERED_ANSWER, RULES_ANSWER  # noqa: PLC0415
        from aiassist.gauges import begin_counting, register_gauges  # noqa: PLC0415
        from aiassist.monitoring.guard import health_triggers  # noqa: PLC0415
        from aiassist.monitoring.operating import register_operating  # noqa: PLC0415
        from observability.breakers import register_breaker  # noqa: PLC0415
        from observability.degradation import Part  # noqa: PLC0415
        from observability.fallbacks import Fallback, FallbackKind, register_fallback  # noqa: PLC0415
        from tenancy.guards import register_guard  # noqa: PLC0415

        for name in PROVIDER_NAMES:
            register_breaker(name, part=Part.MODEL, in_use=partial(is_configured, name))
        register_fallback(
            Fallback(
                RULES_ANSWER, FallbackKind.FUNCTION, Part.MODEL, "Measurements and rules answer in the models' place."
            )
        )
        register_fallback(
            Fallback(
                REMEMBERED_ANSWER,
                FallbackKind.CACHED,
                Part.MODEL,
                "The answer to the same question about the same claim is taken from before.",
            )
        )
        register_guard("model health", health_triggers)
        begin_counting()
        register_gauges()
        register_operating()
