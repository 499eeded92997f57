"""The WSGI entry point of the web process."""

import os

import django
from django.core.wsgi import get_wsgi_application

from config.checks import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)
refuse_unsafe_start()
application = get_wsgi_application()
