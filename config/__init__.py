"""Composition root. Nobody imports it; Celery's app is loaded here so that tasks find it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
