"""Apps without Always On and of small tiers, on a real instance."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support.engine import ACTOR, Engine, add_job, member, text_of, wait_copy, wait_log
from tests.support.poll import until
from webjobs import dispatch, idling
from webjobs.idling import NO_ALWAYS_ON
from webjobs.models import App, Copy, Role, Run, Schedule, Slot
from webjobs.scheduler import Scheduler
from webjobs.states import AppKind, CopyStatus, JobType, RunStatus, Tier

LOOP = 'echo started\nwhile [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done'


@pytest.fixture
def plain(slot: Slot) -> Slot:
    """A slot of an app without Always On."""
    dispatch.set_plan(slot.app, Tier.BASIC, AppKind.WEB, ACTOR, always_on=False)
    return slot


def leave_alone(app: App) -> None:
    App.objects.filter(pk=app.pk).update(last_used_at=timezone.now() - timedelta(hours=1))


def test_a_continuous_webjob_pauses_and_comes_back_with_the_next_use(
    engine: Engine, plain: Slot
) -> None:
    job = add_job(plain, LOOP, JobType.CONTINUOUS, "daemon")
    text = wait_log(wait_copy(job, CopyStatus.RUNNING), "started")
    assert f"SYS WARN] {NO_ALWAYS_ON}" in text

    leave_alone(plain.app)
    copy = wait_copy(job, CopyStatus.STOPPED)
    assert copy.reason == idling.REASON

    client = Client()
    client.force_login(member(plain, "reader", Role.READER))
    asked = timezone.now()
    assert client.get("/apps/demo/webjobs/").status_code == 200
    wait_copy(job, CopyStatus.RUNNING, seconds=5)
    until(lambda: text_of(copy).count("] started") == 2, what="a second start")
    assert text_of(copy).count(NO_ALWAYS_ON) == 1
    assert timezone.now() - asked < timedelta(seconds=10)


def test_an_app_that_is_always_on_says_nothing_and_never_idles(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, LOOP, JobType.CONTINUOUS, "daemon")
    text = wait_log(wait_copy(job, CopyStatus.RUNNING), "started")
    leave_alone(slot.app)
    assert idling.let_idle(timezone.now()) == 0
    assert "Always On" not in text


def test_schedules_pause_and_what_they_missed_is_told(plain: Slot, broker: str) -> None:
    job = add_job(plain, "true", schedule="0 * * * * *")
    start = timezone.now().replace(second=30, microsecond=0)
    Schedule.objects.update(since=start, changed_at=start)
    beat = Scheduler(lambda pks: None)
    beat.step(start)
    App.objects.update(last_used_at=start - timedelta(hours=1))
    idling.let_idle(start + timedelta(seconds=1))

    beat.step(start + timedelta(minutes=30))
    assert not Run.objects.exists()

    idling.wake(plain.app, start + timedelta(minutes=31))
    beat.step(start + timedelta(minutes=31, seconds=2))
    beat.step(start + timedelta(minutes=31, seconds=4))
    missed = Run.objects.get(job=job)
    assert missed.status == RunStatus.MISSED
    assert "while the app was idle" in missed.reason
    beat.step(start + timedelta(minutes=32))
    assert Run.objects.filter(job=job, status=RunStatus.QUEUED).count() == 1


def test_a_free_app_runs_on_one_of_two_instances(
    engine: Engine, slot: Slot, data_dir: Path, settings: Settings
) -> None:
    settings.WEBJOBS_INSTANCE_NAME = "second"
    second = Engine(data_dir / "second").start()
    try:
        job = add_job(slot, LOOP, JobType.CONTINUOUS, "daemon")
        running = Copy.objects.filter(job=job, status=CopyStatus.RUNNING)
        until(lambda: running.count() == 2, what="a copy on each instance")

        dispatch.set_plan(slot.app, Tier.FREE, AppKind.WEB, ACTOR, always_on=False)
        wait_copy(job, CopyStatus.INACTIVE_INSTANCE)
        until(lambda: running.filter(is_leased=True).count() == 1, what="one of them under a lease")

        dispatch.set_plan(slot.app, Tier.PREMIUM, AppKind.WEB, ACTOR, always_on=True)
        until(lambda: running.filter(is_leased=False).count() == 2, what="both again")
    finally:
        second.close()
