from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "tenancy"
    verbose_name = "Tenants and access"

    def ready(self) -> None:
        from tenancy import model_checks  # noqa: F401, PLC0415  # registers the check of tenants' models
        from tenancy.webhooks.catalogue import PlatformEvent, register_event_types  # noqa: PLC0415

        register_event_types({PlatformEvent.PING: "Somebody tries the webhook out; sent when asked for, whoever asks."})
