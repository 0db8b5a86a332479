"""Concurrency and retries with real processes, as settings.job asks for them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.dispatch import SettingChange
from webjobs.models import Run, Slot, WebJob
from webjobs.states import RunStatus

# Says that it is there and goes on when the file that its first argument names is there.
WAIT = 'echo ready\nwhile [ ! -e "$1" ]; do sleep 0.05; done\n'
# Fails until it was started as often as its first argument says.
COUNT = """
count=$(($(cat "$WEBJOBS_DATA_PATH/count" 2>/dev/null || echo 0) + 1))
echo $count > "$WEBJOBS_DATA_PATH/count"
echo this is start $count
test $count -ge "$1"
"""


def job_with(slot: Slot, script: str, **policy: object) -> WebJob:
    return add_job(slot, {"run.sh": script, "settings.job": json.dumps(policy)})


def next_attempt(engine: Engine, run: Run, *, seconds: float = 30) -> Run:
    """The ended retry of `run`, which has ended."""
    found = run.next_attempt
    assert found, f"no retry; {run.reason}"
    return engine.wait(found, seconds=seconds)


def test_queued_runs_execute_one_after_the_other_in_their_order(
    engine: Engine, slot: Slot, tmp_path: Path
) -> None:
    job = job_with(slot, WAIT, concurrency="queue", queue_limit=3)
    go = tmp_path / "go"
    runs = [dispatch.run_now(job, ACTOR, arguments=str(go)) for _ in range(4)]
    wait_log(runs[0], "ready")
    assert list(Run.objects.ready()) == []
    assert Run.objects.queued().count() == 3

    go.touch()

    ended = [engine.wait(run) for run in runs]
    assert [run.status for run in ended] == [RunStatus.SUCCESS] * 4
    for before, after in zip(ended, ended[1:], strict=False):
        assert before.ended_at and after.started_at and before.ended_at <= after.started_at


def test_parallel_runs_overlap_in_folders_of_their_own(
    engine: Engine, slot: Slot, tmp_path: Path
) -> None:
    script = f'echo "$2" > mine\n{WAIT}echo "mine is $(cat mine)"\n'
    job = job_with(slot, script, concurrency="parallel", max_parallel=3)
    go = tmp_path / "go"
    runs = [dispatch.run_now(job, ACTOR, arguments=f"{go} number-{n}") for n in range(3)]
    for run in runs:
        wait_log(run, "ready")

    go.touch()

    for number, run in enumerate(runs):
        assert engine.wait(run).status == RunStatus.SUCCESS
        assert f"mine is number-{number}" in text_of(run)


def test_parallel_runs_in_place_share_the_folder(
    engine: Engine, slot: Slot, tmp_path: Path
) -> None:
    script = f'touch "$2"\n{WAIT}ls\n'
    job = job_with(slot, script, concurrency="parallel", is_in_place=True)
    go = tmp_path / "go"
    runs = [dispatch.run_now(job, ACTOR, arguments=f"{go} file-{n}") for n in range(2)]
    for run in runs:
        wait_log(run, "ready")

    go.touch()

    for run in runs:
        assert engine.wait(run).status == RunStatus.SUCCESS
        assert "file-0" in text_of(run) and "file-1" in text_of(run)


def test_a_run_that_fails_is_tried_again_until_it_succeeds(engine: Engine, slot: Slot) -> None:
    job = job_with(slot, COUNT, retry_attempts=5, retry_delay=1)

    first = engine.run(job, "3")
    second = next_attempt(engine, first)
    third = next_attempt(engine, second)

    assert [run.status for run in (first, second, third)] == ["Failed", "Failed", "Success"]
    assert [run.attempt for run in (first, second, third)] == [1, 2, 3]
    assert "this is start 3" in text_of(third)
    assert third.next_attempt is None
    assert "Retry 2 of 5 at" in second.reason
    for before, after in ((first, second), (second, third)):
        assert before.ended_at and after.started_at
        waited = after.started_at - before.ended_at
        assert timedelta(seconds=1) <= waited < timedelta(seconds=4)


def test_the_last_attempt_is_the_last(engine: Engine, slot: Slot) -> None:
    job = job_with(slot, "exit 3", retry_attempts=2, retry_delay=0)

    last = next_attempt(engine, next_attempt(engine, engine.run(job)))

    assert (last.status, last.exit_code, last.next_attempt) == (RunStatus.FAILED, 3, None)
    assert Run.objects.filter(job=job).count() == 3


def test_a_timeout_counts_as_a_failure(engine: Engine, slot: Slot) -> None:
    dispatch.change_settings(slot, [SettingChange("WEBJOBS_MAX_RUN_TIME", "1")], ACTOR)
    job = job_with(slot, "while true; do sleep 0.1; done", retry_attempts=1, retry_on=["failure"])

    run = engine.run(job)

    assert run.status == RunStatus.FAILED
    assert run.next_attempt and run.next_attempt.status == RunStatus.QUEUED


def test_what_cannot_be_started_is_tried_again_too(engine: Engine, slot: Slot) -> None:
    from django.core.files.storage import storages

    job = job_with(slot, "true", retry_attempts=1, retry_delay=0)
    storages["packages"].delete(job.package.storage_name)

    run = engine.run(job)

    assert run.status == RunStatus.FAILED
    assert next_attempt(engine, run).status == RunStatus.FAILED


def test_a_stopped_run_is_not_tried_again(engine: Engine, slot: Slot) -> None:
    job = job_with(slot, "trap 'exit 9' TERM\necho ready\nsleep 60 & wait", retry_attempts=1)
    run = dispatch.run_now(job, ACTOR)
    wait_log(run, "ready")

    dispatch.stop_run(run, ACTOR)

    assert engine.wait(run).status == RunStatus.ABORTED
    assert run.next_attempt is None


def test_the_end_of_its_worker_counts_as_lost(engine: Engine, slot: Slot) -> None:
    job = job_with(slot, "sleep 60", retry_attempts=1, retry_delay=600, retry_on=["lost"])
    run = engine.wait_running(dispatch.run_now(job, ACTOR))

    engine.instance.executor.close("Instance x was shut down.")

    engine.wait(run)
    assert run.status == RunStatus.ABORTED
    assert "Instance x was shut down." in run.reason and "Retry 1 of 1 at" in run.reason
    assert run.next_attempt and run.next_attempt.status == RunStatus.QUEUED


def test_a_retry_waits_for_the_lane_like_everybody(
    engine: Engine, slot: Slot, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    job = job_with(slot, f'test "$1" != fail || exit 1\n{WAIT}', retry_attempts=1, retry_delay=1)
    failed = engine.run(job, "fail")
    retry = failed.next_attempt
    assert retry and retry.not_before
    other = dispatch.run_now(job, ACTOR, arguments=str(go))
    wait_log(other, "ready")
    overdue = retry.not_before + timedelta(seconds=1.5)
    until(lambda: timezone.now() > overdue, what="every look at what is due has come")
    retry.refresh_from_db()
    assert (retry.status, retry.lane) == (RunStatus.QUEUED, None)

    go.touch()

    engine.wait(other)
    engine.wait(retry)
    assert other.ended_at and retry.started_at and other.ended_at <= retry.started_at
