"""Sentry, only where a DSN is set, and nothing personal in it.

Its defaults send local variables, source lines and exception messages; an SSN in a local variable left twice, an
e-mail address in a message once (measured). The first two are switched off, all the rest passes our masker.
"""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from observability.context import current_context
from observability.masking import mask_value

_FLUSH_SECONDS = 2.0
# Structure of an event that is ours or Sentry's and holds no text of people.
_KEPT = ("event_id", "timestamp", "start_timestamp", "platform", "level", "sdk", "release", "environment", "type")


def start_sentry(*, transport: Transport | None = None) -> bool:
    """Start Sentry if a DSN is set; return whether it was."""
    if not settings.SENTRY_DSN:
        return False
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.VERSION,
        traces_sample_rate=settings.SENTRY_TRACES_SAMPLE_RATE,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        # Integrations of model libraries carry prompts; only these two are wanted.
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(transaction_style="url", middleware_spans=False, signals_spans=False),
            CeleryIntegration(),
        ],
        before_send=mask_sentry_event,
        before_send_transaction=mask_sentry_event,
        before_breadcrumb=_drop_breadcrumb,
        transport=transport,
    )
    return True


def send_waiting() -> None:
    """Send what waits; for the last moment of a process that skips Python's own exit."""
    sentry_sdk.flush(timeout=_FLUSH_SECONDS)


def mask_sentry_event(event: Event, _hint: Hint) -> Event:
    """Return the event masked, without the person, the query string, bodies, cookies and local variables."""
    kept: dict[str, Any] = {name: value for name, value in event.items() if name in _KEPT}
    rest: dict[str, Any] = {name: value for name, value in event.items() if name not in _KEPT}
    for name in ("user", "breadcrumbs", "extra", "server_name", "modules"):
        rest.pop(name, None)
    request = rest.pop("request", None)
    if isinstance(request, dict):
        rest["request"] = {"method": request.get("method", "")}
    for frame in _frames(rest):
        for name in ("vars", "pre_context", "context_line", "post_context"):
            frame.pop(name, None)
    masked = mask_value(rest)
    assert isinstance(masked, dict)
    context = current_context()
    masked["tags"] = {
        **(masked.get("tags") or {}),
        **{name: value for name, value in vars(context).items() if value and name != "principal_id"},
    }
    return {**masked, **kept}  # type: ignore[typeddict-item]  # the same keys, masked values


def _frames(event: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [*_values(event.get("exception")), *_values(event.get("threads"))]
    traces = [group.get("stacktrace") or {} for group in groups] + [event.get("stacktrace") or {}]
    return [frame for trace in traces for frame in trace.get("frames") or []]


def _values(holder: object) -> list[dict[str, Any]]:
    values = holder.get("values") if isinstance(holder, dict) else None
    return [value for value in values or [] if isinstance(value, dict)]


def _drop_breadcrumb(_crumb: dict[str, Any], _hint: dict[str, Any]) -> None:
    """Breadcrumbs repeat log lines before they are masked and queries with their values: none is kept."""
    return
