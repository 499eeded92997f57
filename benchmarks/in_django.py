"""Importing this makes Django ready, without a database: the engine's packages name rows that only stand beside it."""

import os
import tempfile

import django

from benchmarks.environment import prepare_environment

if "DJANGO_SETTINGS_MODULE" not in os.environ:
    prepare_environment(tempfile.mkdtemp(prefix="claimwright-benchmark-"))
django.setup()
