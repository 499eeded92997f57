"""The product's settings with an app whose one page and one job do nothing but fail, full of planted secrets."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.canary"]
ROOT_URLCONF = "tests.canary.urls"
JOB_MAX_ATTEMPTS = 1
