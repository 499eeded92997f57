"""Named refusals around webhooks."""

from __future__ import annotations

from observability.errors import Conflict, InvalidInput, PlatformError


class UnknownEventType(InvalidInput):
    code = "unknown_event_type"
    message = "There are no such events."


class WebhookExists(Conflict):
    code = "webhook_exists"
    message = "This address is a webhook already."


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"
    message = "A tenant has at most 20 webhooks."


class StaleWebhook(Conflict):
    code = "stale"
    message = "The webhook was changed in the meantime."


class WebhookDisabled(Conflict):
    code = "webhook_disabled"
    message = "Enable the webhook first."


class DeliveryOpen(Conflict):
    code = "delivery_open"
    message = "This event is on its way to the webhook already."


class SecretUnreadable(PlatformError):
    """The server's SECRET_KEY is another one than when the secret was made: the webhook needs a new secret."""

    code = "secret_unreadable"
    message = "The signing secret cannot be read any more."
