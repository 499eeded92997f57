"""The WSGI entry point of the web process."""

import os

import django
from django.core.wsgi import get_wsgi_application

# gunicorn's own word for "cannot start": it ends with it. After any other it starts the process again, for ever.
_CANNOT_START = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    django.setup(set_prefix=False)
    from config.checks import refuse_unsafe_start

    refuse_unsafe_start()
except SystemExit as refusal:  # its one line is written
    raise SystemExit(_CANNOT_START) from refusal
application = get_wsgi_application()
