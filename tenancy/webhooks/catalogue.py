"""The types of events that webhooks tell of. Each floor adds its own when its app starts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class EventType(StrEnum):
    """Base of every floor's event types."""


Known = TypeVar("Known", bound=EventType)


class PlatformEvent(EventType):
    PING = "webhook.ping"


_descriptions: dict[str, str] = {}


def register_event_types(described: Mapping[Known, str]) -> None:
    """Make event types known that endpoints may ask for; called once when the owner's app starts."""
    _descriptions.update({str(event): words for event, words in described.items()})


def event_types() -> dict[str, str]:
    """Return the known types by name, each with what it tells."""
    return dict(sorted(_descriptions.items()))
