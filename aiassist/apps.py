from django.apps import AppConfig


class AiassistConfig(AppConfig):
    name = "aiassist"
    verbose_name = "AI assistance"

    def ready(self) -> None:
        from aiassist.gateway.types import PROVIDER_NAMES  # noqa: PLC0415  # the registry is complete only now
        from observability.breakers import register_breaker  # noqa: PLC0415

        for name in PROVIDER_NAMES:
            register_breaker(name)
