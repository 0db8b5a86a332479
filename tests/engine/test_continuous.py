"""Continuous WebJobs on a real instance."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.support.engine import (
    ACTOR,
    Engine,
    add_job,
    text_of,
    upload,
    wait_copy,
    wait_log,
)
from tests.support.poll import until
from webjobs import dispatch, housekeeping
from webjobs.dispatch import SettingChange
from webjobs.engine import machine
from webjobs.models import Copy, Instance, Slot, WebJob
from webjobs.models.webjob import KEEP_DELETED
from webjobs.states import CopyStatus, JobType

LOOP = "echo started $$\nwhile true; do sleep 0.1; done"
# Tells how often it has begun with the same data.
COUNTING = 'cd "$WEBJOBS_DATA_PATH"; echo x >> kept; echo "times=$(wc -l < kept)"\n' + LOOP


def add_continuous(slot: Slot, files: dict[str, str | bytes] | str, name: str = "daemon") -> WebJob:
    return add_job(slot, files, JobType.CONTINUOUS, name)


def settings(slot: Slot, **values: str) -> None:
    changes = [SettingChange(name, value) for name, value in values.items()]
    dispatch.change_settings(slot, changes, ACTOR)


def test_it_starts_when_it_is_created(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, LOOP)

    copy = wait_copy(job, CopyStatus.RUNNING)
    text = wait_log(copy, "started")

    assert "SYS INFO] Status changed to Starting" in text
    assert "SYS INFO] WebJob singleton setting is False" in text
    assert "SYS INFO] Run script 'run.sh' with script host - 'BashScriptHost'" in text
    assert "SYS INFO] Status changed to Running" in text
    assert copy.started_at
    assert f"started {copy.pid}\n" in text


def test_stop_is_graceful_and_start_brings_it_back(engine: Engine, slot: Slot) -> None:
    job = add_continuous(
        slot,
        'echo started\nwhile [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done\n'
        "sleep 0.5\necho cleaned up",
    )
    wait_log(wait_copy(job, CopyStatus.RUNNING), "started")

    dispatch.stop(job, ACTOR)
    copy = wait_copy(job, CopyStatus.STOPPED)
    text = wait_log(copy, "Status changed to Stopped")
    assert text.index("Status changed to Stopping") < text.index("cleaned up")
    assert copy.exit_code == 0

    dispatch.start(job, ACTOR)
    wait_copy(job, CopyStatus.RUNNING)
    until(lambda: text_of(copy).count("] started") == 2, what="a second start")


def test_a_job_that_takes_no_notice_is_killed_after_its_grace(engine: Engine, slot: Slot) -> None:
    files: dict[str, str | bytes] = {
        "run.sh": "trap '' TERM\n" + LOOP,
        "settings.job": '{"stopping_wait_time": 1}',
    }
    job = add_continuous(slot, files)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "started")
    asked = time.monotonic()

    dispatch.stop(job, ACTOR)

    wait_copy(job, CopyStatus.STOPPED)
    assert 0.9 < time.monotonic() - asked < 6


def test_it_waits_the_restart_time_and_counts_it_down(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, "echo working\nexit 0")

    copy = wait_copy(job, CopyStatus.PENDING_RESTART)

    assert copy.restart_at
    assert timedelta(seconds=55) < copy.restart_at - timezone.now() <= timedelta(seconds=60)
    assert "SYS INFO] Process went down, waiting for 60 seconds" in wait_log(copy, "went down")
    assert copy.crash_looping_since is None


def test_start_skips_the_wait(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, "echo working\nexit 0")
    copy = wait_copy(job, CopyStatus.PENDING_RESTART)

    dispatch.start(job, ACTOR)

    until(lambda: text_of(copy).count("] working") == 2, what="a second start")


def test_fast_failures_in_a_row_are_a_crash_loop_with_the_last_error(
    engine: Engine, slot: Slot
) -> None:
    settings(slot, WEBJOBS_RESTART_TIME="0")
    job = add_continuous(slot, "echo cannot reach the queue >&2\nexit 7")

    def looping() -> Copy | None:
        return Copy.objects.filter(job=job, crash_looping_since__isnull=False).first()

    copy = until(looping, what="crash loop")
    assert copy.fast_failures >= 5
    assert copy.last_error == "cannot reach the queue"
    assert "SYS ERR ] Job failed due to exit code 7" in text_of(copy)
    later = copy.restarts
    until(lambda: Copy.objects.get(pk=copy.pk).restarts > later, what="it is never given up")


def test_a_start_error_is_told_in_the_log_and_on_the_copy(engine: Engine, slot: Slot) -> None:
    from django.core.files.storage import storages

    job = add_continuous(slot, "true", name="first")
    wait_copy(job, CopyStatus.PENDING_RESTART)
    dispatch.replace_package(job, upload({"run.sh": "echo new"}), ACTOR)
    job.refresh_from_db()
    storages["packages"].delete(job.package.storage_name)
    dispatch.start(job, ACTOR)

    def told() -> bool:
        return "Upload it again" in Copy.objects.get(job=job).reason

    until(told, what="the reason")
    wait_log(Copy.objects.get(job=job), "Failed to start job due to:")


def test_a_new_package_replaces_the_running_one(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, LOOP)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "started")

    dispatch.replace_package(job, upload({"run.sh": "echo second\n" + LOOP}), ACTOR)

    text = wait_log(wait_copy(job, CopyStatus.RUNNING), "] second")
    assert "Detected WebJob file/s were updated, refreshing WebJob" in text


def test_a_changed_app_setting_reaches_it_by_a_restart(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, "echo colour=$COLOUR\n" + LOOP)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "colour=\n")

    settings(slot, COLOUR="green")

    wait_log(wait_copy(job, CopyStatus.RUNNING), "colour=green")


def test_an_engine_setting_does_not_restart_it(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, LOOP)
    copy = wait_copy(job, CopyStatus.RUNNING)
    wait_log(copy, "started")

    settings(slot, WEBJOBS_HISTORY_SIZE="7")
    other = add_continuous(slot, LOOP, name="witness")
    wait_log(wait_copy(other, CopyStatus.RUNNING), "started")

    assert text_of(copy).count("] started") == 1


def test_webjobs_stopped_stops_it_and_zero_lets_it_go_on(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, LOOP)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "started")

    settings(slot, WEBJOBS_STOPPED="1")
    assert "WEBJOBS_STOPPED" in wait_copy(job, CopyStatus.STOPPED).reason

    settings(slot, WEBJOBS_STOPPED="0")
    wait_copy(job, CopyStatus.RUNNING)


def test_deleting_it_stops_it_first(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, LOOP)
    copy = wait_copy(job, CopyStatus.RUNNING)
    found = re.search(r"started (\d+)", wait_log(copy, "started"))
    assert found

    dispatch.delete(job, ACTOR)
    WebJob.objects.filter(pk=job.pk).update(deleted_at=timezone.now() - KEEP_DELETED)

    def purged() -> bool:
        housekeeping.purge_deleted(timezone.now())
        return not WebJob.objects.filter(pk=job.pk).exists()

    until(purged, what="the rows are gone")
    import os

    assert not os.path.exists(f"/proc/{found[1]}")


def test_its_environment_has_a_port_and_no_run_id(engine: Engine, slot: Slot) -> None:
    job = add_continuous(slot, "echo id=[$WEBJOBS_RUN_ID] port=$WEBJOBS_PORT\n" + LOOP)

    text = wait_log(wait_copy(job, CopyStatus.RUNNING), "port=")

    assert re.search(r"id=\[\] port=\d+", text)


def test_many_start_at_once_and_all_end_with_the_instance(engine: Engine, slot: Slot) -> None:
    for number in range(30):
        add_continuous(slot, LOOP, name=f"daemon{number}")

    def running() -> bool:
        return Copy.objects.filter(status=CopyStatus.RUNNING).count() == 30

    until(running, seconds=20, what="30 copies run")
    engine.instance.supervisor.close("Instance x was shut down.", kill_now=True)

    def stopped() -> bool:
        return Copy.objects.filter(status=CopyStatus.STOPPED).count() == 30

    until(stopped, seconds=20, what="30 copies stopped")


def test_what_it_left_on_an_instance_that_is_long_gone_is_deleted(
    engine: Engine, slot: Slot
) -> None:
    job = add_continuous(slot, LOOP)
    kept = wait_copy(job, CopyStatus.RUNNING)
    now = timezone.now()
    old = now - timedelta(days=8)
    for name, heartbeat, stopped in (("lost", old, None), ("stopped", now, old)):
        instance = Instance.objects.create(
            key=name, name=name, started_at=old, heartbeat_at=heartbeat, stopped_at=stopped
        )
        Copy.objects.create(job=job, instance=instance, epoch=1, changed_at=old)

    assert housekeeping.forget_copies(now) == 2

    assert Copy.objects.get() == kept


def test_a_deleted_one_that_is_brought_back_runs_again_with_its_data(
    engine: Engine, slot: Slot
) -> None:
    job = add_continuous(slot, COUNTING)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "times=1")
    dispatch.delete(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)
    housekeeping.purge_deleted(timezone.now())

    dispatch.restore(job, ACTOR)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "times=2")


def test_a_new_one_of_the_name_of_a_deleted_one_starts_clean(engine: Engine, slot: Slot) -> None:
    script = 'ls "$WEBJOBS_DATA_PATH"; echo seen; touch "$WEBJOBS_DATA_PATH/left"\n' + LOOP
    job = add_continuous(slot, script)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "started")
    dispatch.delete(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)

    again = add_continuous(slot, script)
    log = wait_log(wait_copy(again, CopyStatus.RUNNING), "started")
    assert "left" not in log


def test_a_worker_that_comes_back_deletes_what_a_deleted_one_left(
    engine: Engine, slot: Slot, data_dir: Path
) -> None:
    job = add_continuous(slot, LOOP, name="gone")
    wait_copy(job, CopyStatus.RUNNING)
    dispatch.delete(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)
    engine.close()
    left = data_dir / "instance"
    assert list(left.rglob("gone"))

    again = Engine(data_dir / "instance").start()
    try:
        wait_copy(add_continuous(slot, LOOP, name="other"), CopyStatus.RUNNING)
        WebJob.objects.filter(pk=job.pk).update(deleted_at=timezone.now() - KEEP_DELETED)
        assert housekeeping.purge_deleted(timezone.now()) == 1
        until(lambda: not list(left.rglob("gone")), what="its files are gone")
    finally:
        again.close()


def test_a_worker_that_was_away_for_long_deletes_what_deleted_ones_left(
    engine: Engine, slot: Slot, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are gone when it comes back, so nothing but their files tells of them. They stay
    for a while, because another database knows other WebJobs."""
    triggered = {name: add_job(slot, "true", name=name) for name in ("ran", "undoable", "lives")}
    for job in triggered.values():
        engine.run(job)
    job = add_continuous(slot, LOOP, name="daemon")
    wait_copy(job, CopyStatus.RUNNING)
    engine.close()
    for one in (job, triggered["ran"]):
        dispatch.delete(one, ACTOR)
        WebJob.objects.filter(pk=one.pk).update(deleted_at=timezone.now() - KEEP_DELETED)
    dispatch.delete(triggered["undoable"], ACTOR)
    assert housekeeping.purge_deleted(timezone.now()) == 2

    left = data_dir / "instance"
    first = Engine(left).start()
    first.close()
    assert list(left.rglob("data/jobs/*/daemon")) and list(left.rglob("data/jobs/*/ran"))
    monkeypatch.setattr(machine, "KEEP_GONE", 0)
    again = Engine(left).start()
    try:
        until(lambda: not list(left.glob("trash/*")), what="it has tidied up")
        assert [list(left.rglob(name)) for name in ("daemon", "ran")] == [[], []]
        assert all(list(left.rglob(name)) for name in ("undoable", "lives"))
    finally:
        again.close()


@pytest.mark.parametrize("began", [False, True], ids=["while it was away", "before"])
def test_a_new_one_of_the_name_has_its_own_data_after_a_restart(
    engine: Engine, slot: Slot, data_dir: Path, began: bool
) -> None:
    job = add_continuous(slot, COUNTING)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "times=1")
    dispatch.delete(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)
    new = add_continuous(slot, COUNTING) if began else None
    if new:
        wait_log(wait_copy(new, CopyStatus.RUNNING), "times=1")
    engine.close()
    new = new or add_continuous(slot, COUNTING)

    again = Engine(data_dir / "instance").start()
    try:
        copy = wait_copy(new, CopyStatus.RUNNING)
        assert ("times=2" in wait_log(copy, "times=2" if began else "times=")) is began
    finally:
        again.close()
