"""The Celery application: only a wake-up service, the truth of every job is its row (observability/jobs.py)."""

from __future__ import annotations

import os

from celery import Celery

from observability.broker import install_transport

install_transport()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("claimwright")
# "Current" holds for this thread only: a request thread or a timer would publish through a default application that
# knows nothing of our broker.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
