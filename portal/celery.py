"""The Celery application of web, worker and beat."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, task_prerun

# Messages are JSON, no code travels in them; `manage.py up` says in one line that it is root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
app = Celery("webjobs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def make_it_an_instance(**_: Any) -> None:
    """Only a worker process carries the engine; web and beat stay light."""
    from webjobs.worker import BrokerStep, InstanceStep

    app.steps["worker"].add(InstanceStep)
    app.steps["consumer"].add(BrokerStep)


@task_prerun.connect
def leave_broken_connections(**_: Any) -> None:
    """A database that was away must not spoil the tasks that come after."""
    from django.db import close_old_connections

    close_old_connections()
