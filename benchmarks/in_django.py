"""Importing this makes Django ready, without a database: the engine's packages name rows that only stand beside it."""

import os
import tempfile

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="claimwright-benchmark-"))
os.environ.setdefault("SECRET_KEY", "benchmark-only-" + "0" * 50)
django.setup()
