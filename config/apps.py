from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The composition root is an app only so that commands which span the floors are found."""

    name = "config"
    verbose_name = "Claimwright"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  # registers the deployment checks
