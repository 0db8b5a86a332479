"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from portal.draining import drained

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = drained(get_wsgi_application())
