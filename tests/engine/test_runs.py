"""Triggered runs on a real instance: their ends, their words, their logs."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_log
from webjobs import dispatch, housekeeping, logs
from webjobs.dispatch import Refused, SettingChange
from webjobs.models import Instance, Log, Run, Slot, WebJob
from webjobs.models.webjob import KEEP_DELETED
from webjobs.runner.settings_job import JobSettings
from webjobs.states import RunStatus, Stream


def lines_of(run: Run) -> list[str]:
    """The log's lines without their time and instance."""
    return [re.sub(r"^\[[^>]*> \w{6}: ", "[", line) for line in text_of(run).splitlines()]


def test_a_run_that_succeeds_has_azures_lines_in_azures_order(engine: Engine, slot: Slot) -> None:
    run = engine.run(add_job(slot, "echo hello\nsleep 0.2\necho oops >&2"))

    assert run.status == RunStatus.SUCCESS
    assert run.exit_code == 0
    assert lines_of(run) == [
        "[SYS INFO] Status changed to Initializing",
        "[SYS INFO] Run script 'run.sh' with script host - 'BashScriptHost'",
        "[SYS INFO] Status changed to Running",
        "[INFO] hello",
        "[ERR ] oops",
        "[SYS INFO] Status changed to Success",
    ]
    assert run.started_at and run.ended_at and run.queued_at <= run.started_at < run.ended_at
    assert run.lane is None


def test_a_run_that_fails_tells_its_exit_code(engine: Engine, slot: Slot) -> None:
    run = engine.run(add_job(slot, "exit 3"))

    assert (run.status, run.exit_code) == (RunStatus.FAILED, 3)
    assert "code 3" in run.reason
    assert lines_of(run)[-2:] == [
        "[SYS INFO] Status changed to Failed",
        "[SYS ERR ] Job failed due to exit code 3",
    ]


def test_a_run_killed_by_a_signal_fails_in_words(engine: Engine, slot: Slot) -> None:
    run = engine.run(add_job(slot, "kill -SEGV $$"))

    assert (run.status, run.exit_code) == (RunStatus.FAILED, None)
    assert "SIGSEGV" in run.reason


def test_arguments_reach_the_script_unharmed(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, 'for a in "$@"; do echo "<$a>"; done; echo $WEBJOBS_COMMAND_ARGUMENTS')

    run = engine.run(job, 'one \'two three\' "a;b" {\\"x\\":1} 50%+é')

    assert [line for line in lines_of(run) if "<" in line] == [
        "[INFO] <one>",
        "[INFO] <two three>",
        "[INFO] <a;b>",
        '[INFO] <{"x":1}>',
        "[INFO] <50%+é>",
    ]
    assert run.arguments.startswith("one 'two")


def test_a_run_in_progress_knows_its_process(engine: Engine, slot: Slot) -> None:
    run = dispatch.run_now(add_job(slot, "echo I am $$\nsleep 30"), ACTOR)

    assert f"I am {engine.wait_running(run).pid}\n" in wait_log(run, "I am")
    dispatch.stop_run(run, ACTOR)
    engine.wait(run)


def test_arguments_that_cannot_be_read_are_refused(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, "true")
    with pytest.raises(Refused, match="quot"):
        dispatch.run_now(job, ACTOR, arguments="'open")
    assert not Run.objects.exists()


def test_a_second_run_is_refused_in_azures_words(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, "sleep 30")
    first = dispatch.run_now(job, ACTOR)

    with pytest.raises(Refused) as refusal:
        dispatch.run_now(job, ACTOR)

    assert refusal.value.message == "Cannot start a new run since job is already running."
    assert refusal.value.status == 409
    dispatch.stop_run(engine.wait_running(first), ACTOR)
    assert engine.wait(first).status == RunStatus.ABORTED
    assert engine.run(add_job(slot, "true", name="other")).status == RunStatus.SUCCESS


def test_stop_gives_notice_and_names_who_asked(engine: Engine, slot: Slot) -> None:
    script = """
trap 'test -s "$WEBJOBS_SHUTDOWN_FILE" && echo saw the file; exit 0' TERM
echo ready
while true; do sleep 0.05; done
"""
    run = dispatch.run_now(add_job(slot, script), ACTOR)
    wait_log(run, "ready")

    dispatch.stop_run(run, ACTOR)
    engine.wait(run)

    assert run.status == RunStatus.ABORTED
    assert "Stopped by tester." in run.reason
    assert "saw the file" in text_of(run)


def test_a_run_that_ignores_term_is_killed_after_its_grace(engine: Engine, slot: Slot) -> None:
    job = add_job(
        slot,
        {
            "run.sh": "trap '' TERM\necho ready\nwhile true; do sleep 0.1; done",
            "settings.job": '{"stopping_wait_time": 1}',
        },
    )
    run = dispatch.run_now(job, ACTOR)
    wait_log(run, "ready")
    asked = timezone.now()

    dispatch.stop_run(run, ACTOR)
    engine.wait(run)

    assert run.status == RunStatus.ABORTED
    assert run.ended_at and timedelta(seconds=0.9) < run.ended_at - asked < timedelta(seconds=5)


def test_the_idle_timeout_names_its_setting(engine: Engine, slot: Slot) -> None:
    dispatch.change_settings(slot, [SettingChange("WEBJOBS_IDLE_TIMEOUT", "1")], ACTOR)
    run = engine.run(add_job(slot, "sleep 60"))

    assert run.status == RunStatus.FAILED
    assert "WEBJOBS_IDLE_TIMEOUT" in run.reason
    assert "WEBJOBS_IDLE_TIMEOUT" in text_of(run)


def test_the_maximum_run_time_ends_a_busy_run(engine: Engine, slot: Slot) -> None:
    dispatch.change_settings(slot, [SettingChange("WEBJOBS_MAX_RUN_TIME", "1")], ACTOR)
    run = engine.run(add_job(slot, "while true; do echo .; sleep 0.05; done"))

    assert run.status == RunStatus.FAILED
    assert "WEBJOBS_MAX_RUN_TIME" in run.reason


def test_a_missing_interpreter_ends_the_run_at_once(
    engine: Engine, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job(slot, {"run.php": "<?php echo 1;"})
    monkeypatch.setattr(engine.instance.machine, "_search_path", "/nonexistent")

    run = engine.run(job)

    assert run.status == RunStatus.FAILED
    assert "PHP" in run.reason and "apt install php-cli" in run.reason
    assert "apt install php-cli" in text_of(run)


def test_a_package_that_vanished_fails_the_run_in_words(engine: Engine, slot: Slot) -> None:
    from django.core.files.storage import storages

    job = add_job(slot, "true")
    storages["packages"].delete(job.package.storage_name)

    run = engine.run(job)

    assert run.status == RunStatus.FAILED
    assert "Upload it again" in run.reason


def test_a_large_binary_output_is_kept_byte_for_byte(engine: Engine, slot: Slot) -> None:
    script = """
import hashlib, os, sys
digest = hashlib.sha256()
for _ in range(160):
    block = os.urandom(65536)
    digest.update(block)
    sys.stdout.buffer.write(block)
sys.stdout.flush()
sys.stderr.write(digest.hexdigest())
"""
    run = engine.run(add_job(slot, {"run.py": script}))
    log = Log.objects.get(run=run)

    stored = hashlib.sha256()
    for piece in logs.raw(log, Stream.OUT):
        stored.update(piece)
    assert b"".join(logs.raw(log, Stream.ERR)).decode() == stored.hexdigest()
    assert log.is_complete


def test_a_grandchild_that_keeps_the_pipe_neither_blocks_nor_survives(
    engine: Engine, slot: Slot
) -> None:
    script = "(trap '' TERM HUP; setsid sleep 300 & echo child $!) ; echo done"
    run = engine.run(add_job(slot, script), seconds=10)

    assert run.status == RunStatus.SUCCESS
    found = re.search(r"child (\d+)", text_of(run))
    assert found
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(int(found[1]), 0)


def test_a_job_that_deletes_its_working_directory_runs_again(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, 'rm -rf "$WEBJOBS_PATH"; echo gone')

    assert engine.run(job).status == RunStatus.SUCCESS
    assert engine.run(job).status == RunStatus.SUCCESS


def test_secret_settings_are_masked_in_the_output(engine: Engine, slot: Slot) -> None:
    secret = SettingChange("API_KEY", "s3cr3t-value", is_secret=True)
    dispatch.change_settings(slot, [secret, SettingChange("PLAIN", "visible")], ACTOR)

    run = engine.run(add_job(slot, "echo key=$API_KEY plain=$APPSETTING_PLAIN"))

    assert "key=*** plain=visible" in text_of(run)


def test_nothing_of_the_portals_environment_reaches_a_job(
    engine: Engine, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "portal-secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://portal-database")

    text = text_of(engine.run(add_job(slot, "env; tr '\\0' '\\n' < /proc/$PPID/environ")))

    assert "WEBJOBS_NAME=job" in text
    for hidden in ("portal-secret", "portal-database", "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV"):
        assert hidden not in text


def test_webjobs_stopped_ends_runs_refuses_new_ones_and_lets_go_again(
    engine: Engine, slot: Slot
) -> None:
    job = add_job(slot, "sleep 30")
    run = engine.wait_running(dispatch.run_now(job, ACTOR))

    dispatch.change_settings(slot, [SettingChange("WEBJOB_STOPPED", "1")], ACTOR)
    assert engine.wait(run).status == RunStatus.ABORTED
    assert "WEBJOBS_STOPPED" in run.reason
    with pytest.raises(Refused, match='WebJobs are currently in "stopped" state.'):
        dispatch.run_now(job, ACTOR)

    dispatch.change_settings(slot, [SettingChange("WEBJOB_STOPPED", "0")], ACTOR)
    again = engine.wait_running(dispatch.run_now(job, ACTOR))
    dispatch.stop_run(again, ACTOR)
    engine.wait(again)


def test_deleting_a_webjob_ends_its_run_before_its_rows_go(engine: Engine, slot: Slot) -> None:
    job = add_job(slot, "sleep 30")
    run = engine.wait_running(dispatch.run_now(job, ACTOR))

    dispatch.delete(job, ACTOR)
    WebJob.objects.filter(pk=job.pk).update(deleted_at=timezone.now() - KEEP_DELETED)
    housekeeping.purge_deleted(timezone.now())
    assert Run.objects.filter(pk=run.pk).exists()

    engine.wait(run)
    housekeeping.purge_deleted(timezone.now())
    assert not Run.objects.filter(pk=run.pk).exists()


def test_a_run_of_a_lost_instance_is_aborted_in_words(engine: Engine, slot: Slot) -> None:
    now = timezone.now()
    long_ago = now - timedelta(seconds=31)
    other = Instance.objects.create(
        key="ab" * 16, name="far", started_at=long_ago, heartbeat_at=long_ago
    )
    job = add_job(slot, "true")
    run = Run.objects.create(
        job=job, number=1, lane=0, trigger="manual", trigger_text="x", queued_at=long_ago
    )
    assert run.claim(other, long_ago)
    assert Instance.declare_lost(other.pk, other.epoch, other.beats, now)

    assert housekeeping.abort_orphans(now) == 1

    run.refresh_from_db()
    assert run.status == RunStatus.ABORTED
    assert "Instance far was lost" in run.reason
    assert not run.finish(other, RunStatus.SUCCESS, now, reason="late")
    assert engine.run(job).status == RunStatus.SUCCESS


def test_a_message_delivered_twice_executes_once(engine: Engine, slot: Slot) -> None:
    run = engine.run(add_job(slot, "echo once"))

    engine.instance.executor.execute(run.pk)

    assert text_of(run).count("once") == 1


def test_the_history_is_trimmed_but_never_a_run_in_progress(engine: Engine, slot: Slot) -> None:
    dispatch.change_settings(slot, [SettingChange("WEBJOBS_HISTORY_SIZE", "2")], ACTOR)
    job = add_job(slot, 'test "$1" = wait && sleep 30; true')
    dispatch.set_settings_job(job, JobSettings(concurrency="parallel"), ACTOR)
    old = engine.wait_running(dispatch.run_now(job, ACTOR, arguments="wait"))
    newer = [engine.run(job) for _ in range(3)]

    housekeeping.trim_histories()

    left = set(Run.objects.filter(job=job).values_list("pk", flat=True))
    assert left == {old.pk, newer[1].pk, newer[2].pk}
    dispatch.stop_run(old, ACTOR)
    engine.wait(old)


def test_closing_the_instance_aborts_its_runs(engine: Engine, slot: Slot) -> None:
    run = engine.wait_running(dispatch.run_now(add_job(slot, "sleep 60"), ACTOR))

    engine.instance.executor.close("Instance x was shut down.")

    engine.wait(run)
    assert run.status == RunStatus.ABORTED
    assert "shut down" in run.reason
