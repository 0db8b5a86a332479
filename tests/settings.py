"""The portal's settings with a data directory that lives as long as the test process.

`DATABASE_URL` chooses the database, as in production; every other variable of the portal that the
shell may carry is left out, so that tests see the defaults.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_PORTAL_VARIABLES = (
    "ADMIN_PASSWORD ADMIN_USERNAME ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS DEBUG HOST INSTANCE_NAME "
    "INTERPRETERS LOST_AFTER PACKAGES_STORAGE PORT REDIS_URL SECRET_KEY TRUST_PROXY"
)
for _name in _PORTAL_VARIABLES.split():
    os.environ.pop(_name, None)
# Short: the broker's socket lies in it, and a socket's path has at most 100 characters.
_data_dir = Path(tempfile.mkdtemp(prefix="webjobs-test-"))
_owner = os.getpid()
os.environ["DATA_DIR"] = str(_data_dir)


def _remove() -> None:
    # Forked children inherit the hook and must leave their parent's files alone.
    if os.getpid() == _owner:
        shutil.rmtree(_data_dir, ignore_errors=True)


atexit.register(_remove)

# Playwright's event loop runs in the test's own thread, which Django takes for an async one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, STORAGES  # noqa: E402

# A file: threads and child processes open the same database, in WAL mode as in production.
if DATABASES["default"]["ENGINE"] == "portal.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": _data_dir / "test.sqlite3"}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# The default hasher is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
