"""The product's settings with the harness app installed; used by the processes that harnesses start."""

import os

from config.settings import *  # noqa: F403
from config.settings import CELERY_TASK_DEFAULT_QUEUE, DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.flow"]
JOB_RETRY_DEFAULT = (int(os.environ.get("FLOW_MAX_ATTEMPTS", "5")), 2.0, 60.0, 1.0)
JOB_LONGEST_SECONDS = int(os.environ.get("FLOW_LONGEST_SECONDS", "3600"))
CELERY_TASK_TIME_LIMIT = JOB_LONGEST_SECONDS + 2
# Several harnesses share one broker.
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("FLOW_QUEUE", CELERY_TASK_DEFAULT_QUEUE)
if os.environ.get("SQLITE_REOPEN"):
    DATABASES["default"]["CONN_MAX_AGE"] = 0
