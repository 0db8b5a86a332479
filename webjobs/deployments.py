"""Hints to whoever deploys from source control, and what brings its rows back to the truth."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webjobs import outages
from webjobs.models import Deployment, SourceConnection
from webjobs.reasons import gettext_noop
from webjobs.states import DEPLOYMENT_ACTIVE, DeploymentStatus

DEPLOY = "webjobs.deploy"
LOOK = "webjobs.look_at_source"
BATCH = 20
# A hint that was sent is not sent again so soon.
HINT_AGAIN = timedelta(seconds=15)
# So many deployments of a slot are kept.
KEPT = 100
LOST = gettext_noop("The worker that deployed was lost. What was deployed until then stays.")


def enqueue(deployment_pk: int) -> None:
    """Hint to any worker that a deployment waits; without it the next clean-up finds it."""
    _send(DEPLOY, deployment_pk)


def _send(task: str, pk: int) -> None:
    try:
        current_app.send_task(task, (pk,), retry=False, ignore_result=True)
    except (OperationalError, RedisError) as error:
        outages.broker.gone(error)
    else:
        outages.broker.back()


def enqueue_due(now: datetime) -> None:
    """Take back what lost workers had begun, and hint to what waits or is due to be looked at."""
    for deployment in Deployment.objects.lost(now).defer("log")[:BATCH]:
        deployment.take_back(now, LOST)
    waiting = Deployment.objects.filter(
        status=DeploymentStatus.PENDING, requested_at__lt=now - HINT_AGAIN
    )
    for pk in waiting.order_by("pk").values_list("pk", flat=True)[:BATCH]:
        enqueue(pk)
    due = SourceConnection.objects.to_poll(now).order_by("next_poll_at")
    for pk in due.values_list("pk", flat=True)[:BATCH]:
        _send(LOOK, pk)


def trim(slot_pk: int) -> int:
    """Forget the oldest deployments of a slot beyond KEPT; returns how many."""
    of_slot = Deployment.objects.filter(slot=slot_pk)
    last_kept = of_slot.values_list("pk", flat=True)[KEPT - 1 : KEPT]
    if not last_kept:
        return 0
    old = of_slot.filter(pk__lt=last_kept[0]).exclude(status__in=sorted(DEPLOYMENT_ACTIVE))
    return old.delete()[0]
