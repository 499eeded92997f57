"""The product's settings with the harness app installed; used by the processes that harnesses start."""

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.flow"]
JOB_MAX_ATTEMPTS = int(os.environ.get("FLOW_MAX_ATTEMPTS", "5"))
