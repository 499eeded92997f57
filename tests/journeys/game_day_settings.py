"""The product's settings with watchers that look each second, and a release that may be broken."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, MIDDLEWARE

ALERT_SWEEP_SECONDS = 1.0
ALERT_QUIET_SECONDS = 4
REQUEST_MINUTES_WRITE_SECONDS = 0.5
# A process that has SQLite's file open goes on reading it when it is taken away: each request opens it anew here.
DATABASES["default"]["CONN_MAX_AGE"] = 0
if os.environ.get("RELEASE") == "broken":
    MIDDLEWARE = [*MIDDLEWARE, "tests.journeys.broken_release.broken_middleware"]
