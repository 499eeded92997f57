"""What the Celery worker process is told: leave logging alone, say that it lives, and end when its parent is gone."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from celery.signals import setup_logging, worker_init, worker_process_shutdown, worker_ready
from django.conf import settings
from prometheus_client.multiprocess import mark_process_dead

from observability.metrics_folder import metrics_folder
from observability.tracing import stop_tracing

# Set by the supervisor (worker.py): file descriptors of two pipes.
LIFELINE_VARIABLE = "CLAIMWRIGHT_LIFELINE_FD"  # its end of file means that the supervisor is gone
STATUS_VARIABLE = "CLAIMWRIGHT_STATUS_FD"  # a byte is written when messages are being consumed
READY = b"r"


def connect_hooks() -> None:
    """Connect to Celery's hooks; in processes that are no Celery worker they are never called."""
    setup_logging.connect(_leave_logging_alone, weak=False)
    worker_init.connect(_watch_lifeline, weak=False)
    worker_ready.connect(_tell_readiness, weak=False)
    worker_process_shutdown.connect(_mark_dead, weak=False)
    worker_process_shutdown.connect(_send_spans, weak=False)


def _leave_logging_alone(**_arguments: Any) -> None:
    """A receiver is all Celery asks for to keep its hands off the root logger."""


def _watch_lifeline(**_arguments: Any) -> None:
    lifeline = os.environ.get(LIFELINE_VARIABLE)
    if lifeline:
        threading.Thread(target=_end_with_parent, args=(int(lifeline),), name="lifeline", daemon=True).start()


def _tell_readiness(**_arguments: Any) -> None:
    status = os.environ.get(STATUS_VARIABLE)
    if status:
        os.write(int(status), READY)


def _end_with_parent(lifeline: int) -> None:
    """Wait for the end of file that comes when the supervisor's end closes, also by SIGKILL."""
    own = os.getpid()
    while os.read(lifeline, 1):
        pass
    if os.getpid() == own:
        os.kill(own, signal.SIGTERM)


def _mark_dead(pid: int | None = None, **_arguments: Any) -> None:
    if pid and metrics_folder() is not None:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library forgot to


def _send_spans(**_arguments: Any) -> None:
    """A recycled pool child leaves without Python's own exit."""
    stop_tracing()
    if settings.SENTRY_DSN:
        from observability.sentry import send_waiting  # noqa: PLC0415  # only where it was started

        send_waiting()
