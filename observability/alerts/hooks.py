"""What else happens in the commit in which an alert opens, becomes graver, is acknowledged or ends.

Owners register their function when their app starts. It runs in the raiser's transaction, so it only writes rows; what
it raises rolls everything back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from observability.alerts.models import Alert

Hook = Callable[[Alert, datetime], None]

_opened: list[Hook] = []
_escalated: list[Hook] = []
_acknowledged: list[Hook] = []
_resolved: list[Hook] = []


def on_alert_opened(hook: Hook) -> None:
    """Have `hook(alert, now)` called when an alert opens; not again for raises that find it open."""
    _add(_opened, hook)


def on_alert_escalated(hook: Hook) -> None:
    """Have `hook(alert, now)` called when an open alert is raised with a graver severity, which it has then."""
    _add(_escalated, hook)


def on_alert_acknowledged(hook: Hook) -> None:
    """Have `hook(alert, now)` called when a person takes an alert on."""
    _add(_acknowledged, hook)


def on_alert_resolved(hook: Hook) -> None:
    """Have `hook(alert, now)` called when an alert ends, by itself or by a person (`alert.resolved_by`)."""
    _add(_resolved, hook)


def tell_opened(alert: Alert, now: datetime) -> None:
    _call(_opened, alert, now)


def tell_escalated(alert: Alert, now: datetime) -> None:
    _call(_escalated, alert, now)


def tell_acknowledged(alert: Alert, now: datetime) -> None:
    _call(_acknowledged, alert, now)


def tell_resolved(alert: Alert, now: datetime) -> None:
    _call(_resolved, alert, now)


def _add(hooks: list[Hook], hook: Hook) -> None:
    if hook not in hooks:  # an app may start twice in one process
        hooks.append(hook)


def _call(hooks: list[Hook], alert: Alert, now: datetime) -> None:
    for hook in hooks:
        hook(alert, now)
