"""Django's settings; everything that may differ between machines comes from `portal.config`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from portal import config

BASE_DIR = config.BASE_DIR
try:
    CONFIG = config.read(os.environ)
except config.ConfigError as error:
    sys.exit(f"Cannot start: {error}")

SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
SCM_DOMAIN = CONFIG.scm_domain
ALLOWED_HOSTS = [*CONFIG.allowed_hosts, *([f".{SCM_DOMAIN}"] if SCM_DOMAIN else [])]
CSRF_TRUSTED_ORIGINS = CONFIG.trusted_origins

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "csp",
    "webjobs",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.wire.no_length_of_nothing",
    "webjobs.api.hosts.scm_hosts",
    "portal.wire.tidy_address",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webjobs.views.strays.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "webjobs.views.strays.StrayMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": dj_database_url.parse(CONFIG.database_url, conn_max_age=600)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "portal.sqlite"
    # Writers queue at BEGIN instead of failing half-way; readers never wait (WAL). Each thread has
    # a connection, and each connection its own cache of pages: SQLite's 2 MB are enough.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA busy_timeout=20000;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A network that swallows packets must not hold a worker as long as TCP would wait.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    } | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "apps"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
# A choice of language stays with the browser; without one the browser's own language counts.
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "webjobs" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = CONFIG.data_dir / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
PACKAGES_DIR: Path = CONFIG.packages_dir
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "portal.static.StaticStorage"
    },
    "packages": {
        "BACKEND": "portal.folder.PackageFolder",
        "OPTIONS": {"location": PACKAGES_DIR, "base_url": None},
    },
}
if CONFIG.bucket:
    from portal import s3

    STORAGES["packages"] = s3.storage(CONFIG.bucket)
FILE_UPLOAD_TEMP_DIR = CONFIG.data_dir / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
if CONFIG.trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
# The embedded default serves plain HTTP on loopback, where these four cannot be on.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

CELERY_BROKER_URL = CONFIG.redis_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "webjobs"
# The row is the truth and the message a hint: acknowledge early, keep nothing back.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What a busy worker cannot begin is for others, and each message costs more than to find the run
# among the rows that wait, as a thread does after every run.
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_POOL = "portal.pool:TaskPool"
CELERY_WORKER_CONCURRENCY = CONFIG.worker_threads
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# There are none: all are acknowledged early. Without it Celery warns whenever the broker goes.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# Whoever sends a hint does not wait for a broker that is away; the workers try for ever. What a
# worker has taken is not noted with the broker as well: a lost hint is found again from the rows.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "ack_emulation": False,
}
# Celery would close a thread's connection before and after every task, and to open it again costs
# as much as a whole query; portal.celery closes those that do not work any more.
CELERY_DB_REUSE_MAX = sys.maxsize
# Tasks above the module that Celery looks for by itself.
CELERY_IMPORTS = ["webjobs.deploying.tasks"]
CELERY_BEAT_SCHEDULER = "webjobs.beat:WebJobScheduler"
CELERY_TIMEZONE = "UTC"

UNAVAILABLE = 503
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "faults": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != UNAVAILABLE,
        },
        "in words": {"()": "webjobs.outages.InWords"},
    },
    "formatters": {
        "plain": {
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            "datefmt": "%H:%M:%S",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "webjobs": {"level": "DEBUG" if DEBUG else "INFO"},
        "celery": {"level": "WARNING"},
        # What tells of tasks that failed, of the connection to the broker, and of a failed start.
        "celery.app.trace": {"filters": ["in words"]},
        "celery.worker.consumer.consumer": {"filters": ["in words"]},
        "celery.worker.worker": {"filters": ["in words"]},
        # Refusals are answers; what the portal itself did wrong is not.
        "django.request": {"level": "ERROR", "filters": ["faults"]},
    },
}

WEBJOBS_MAX_UPLOAD = CONFIG.max_upload
WEBJOBS_RUN_LOG_LIMIT = CONFIG.run_log_limit
WEBJOBS_CONTINUOUS_LOG_LIMIT = CONFIG.continuous_log_limit
WEBJOBS_INTERPRETERS = CONFIG.interpreters
WEBJOBS_INSTANCE_NAME = CONFIG.instance_name
WEBJOBS_LOST_AFTER = CONFIG.lost_after
WEBJOBS_IDLE_AFTER = CONFIG.idle_after
WEBJOBS_SWAP_PATIENCE = CONFIG.swap_patience
WEBJOBS_DATA_DIR = CONFIG.data_dir
WEBJOBS_SOURCE_PATHS = CONFIG.source_paths
