"""One log stream for our own and every library's lines: JSON in production, readable on a terminal, always masked."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from observability.context import current_context
from observability.masking import mask_value, one_line
from observability.tracing import current_trace_id

# Lines of libraries that only repeat what ours say, or that quote raw paths and query strings (`django.server`).
_QUIET: dict[str, int] = {
    "django.request": logging.ERROR,
    "django.server": logging.ERROR,
    "celery.app.trace": logging.ERROR,
    "celery.worker.strategy": logging.WARNING,
    "celery.redirected": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "openai": logging.WARNING,
    "anthropic": logging.WARNING,
    "kombu": logging.ERROR,
    "opentelemetry": logging.ERROR,
}
# Written by us from closed lists or made by us as identifiers: masking them could only destroy them.
_OWN_FIELDS = frozenset(
    {"timestamp", "level", "logger", "request_id", "tenant_id", "job_id", "principal_id", "trace_id"}
)


def configure_logging(*, style: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process through one handler; `style` is ``json`` or ``console``."""
    structlog.configure(
        processors=_OPENING_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_COMMON_PROCESSORS, processors=_closing_processors(style))
    )
    handler.addFilter(_may_be_written)
    _take_over(handler)
    if style == "json":
        sys.excepthook, threading.excepthook = _log_uncaught, _log_uncaught_in_thread


def _closing_processors(style: str) -> list[Processor]:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        # To text first, so that the masker sees it, and so that no renderer prints local variables.
        structlog.processors.format_exc_info,
        mask_event,
        renderer,
    ]


def _may_be_written(record: logging.LogRecord) -> bool:
    """Hold quiet libraries back at the door too: told to by the environment, a model SDK turns its own logger up, and
    its debug lines hold whole prompts."""
    return record.levelno >= max(_QUIET.get(record.name, 0), _QUIET.get(record.name.partition(".")[0], 0))


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python would print it as it is, with whatever the message holds."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("uncaught").critical("uncaught_error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_value is not None and not issubclass(caught.exc_type, SystemExit):
        _log_uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback)


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask everything in the line but the fields that we make ourselves; forged line ends become visible."""
    own = {name: event.pop(name) for name in _OWN_FIELDS if name in event}
    masked = mask_value(dict(event))
    assert isinstance(masked, dict)
    for name, value in masked.items():
        if isinstance(value, str) and name not in ("exception", "stack"):
            masked[name] = one_line(value)
    return {**masked, **own}


def _without_query(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take the query out of what the web server says of a failed request: it holds claim numbers and search words."""
    if str(event.get("logger", "")).startswith("gunicorn") and isinstance(event.get("event"), str):
        event["event"] = _QUERY.sub("?[query]", event["event"])
    return event


def _add_context(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = current_context()
    for name in ("request_id", "tenant_id", "job_id", "principal_id"):
        value = getattr(context, name)
        if value:
            event.setdefault(name, value)
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


_QUERY = re.compile(r"\?\S+")
_COMMON_PROCESSORS: list[Processor] = [
    structlog.stdlib.add_logger_name,
    _without_query,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_context,
]
# One list for the life of the process: loggers keep it from their first line on.
_OPENING_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    *_COMMON_PROCESSORS,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def _take_over(handler: logging.Handler) -> None:
    """Make the handler the only one: libraries that brought their own (gunicorn, Celery) hand their lines up."""
    root = logging.getLogger()
    ours = [known for known in root.handlers if getattr(known, "is_ours", False)]
    for known in ours:
        root.removeHandler(known)
    handler.is_ours = True  # type: ignore[attr-defined]  # marks it for the next call, which replaces it
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in ("gunicorn.error", "gunicorn.access", "django", "django.server", "celery", "celery.task"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
