"""The product's settings, with a worker whose pool child ends after each job."""

from config.settings import *  # noqa: F403  # all of them

CELERY_WORKER_MAX_TASKS_PER_CHILD = 1
