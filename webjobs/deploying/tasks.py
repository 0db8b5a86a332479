"""Celery's tasks of source control. Each may arrive zero, one or two times; the row decides."""

from __future__ import annotations

from celery import shared_task

from webjobs.deploying import sync
from webjobs.deployments import DEPLOY, LOOK


@shared_task(name=DEPLOY)
def deploy(deployment_pk: int) -> None:
    """Carry out a deployment, if it waits and no other one of its slot is in progress."""
    sync.deploy(deployment_pk)


@shared_task(name=LOOK)
def look_at_source(source_pk: int) -> None:
    """Look whether a branch has a new commit, if that is due and nobody else does."""
    sync.look(source_pk)
