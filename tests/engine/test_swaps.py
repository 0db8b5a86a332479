"""Swaps of deployment slots, on a real instance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_copy, wait_log
from tests.support.poll import until
from tests.web.objects import make_instance
from webjobs import dispatch, swapping
from webjobs.dispatch import Refused, SettingChange
from webjobs.models import AppSetting, AuditEntry, Copy, Run, Schedule, Slot, Swap, WebJob
from webjobs.scheduler import Scheduler
from webjobs.states import CopyStatus, JobType, RunStatus, SlotHold, SwapState

TELLS_SLOT = "echo slot=$WEBSITE_SLOT_NAME color=$COLOR\n"
LOOP = TELLS_SLOT + 'while [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done'


@pytest.fixture
def staging(slot: Slot) -> Slot:
    return dispatch.add_slot(slot.app, "staging", ACTOR)


def put(slot: Slot, name: str, value: str, *, stays: bool = False) -> None:
    change = SettingChange(name, value, is_slot_setting=stays)
    dispatch.change_settings(slot, [change], ACTOR)


def values_of(slot: Slot) -> dict[str, str]:
    return {setting.name: setting.value for setting in AppSetting.objects.filter(slot=slot)}


def end_of(swap: Swap, seconds: float = 20) -> Swap:
    def ended() -> bool:
        swap.refresh_from_db()
        return not swap.is_active

    until(ended, seconds=seconds, what="the end of the swap")
    return swap


def slot_of(job: WebJob) -> str:
    return WebJob.objects.get(pk=job.pk).slot.name


def test_the_case_of_the_article(engine: Engine, slot: Slot, staging: Slot) -> None:
    put(staging, "WEBJOB_STOPPED", "1", stays=True)
    live = add_job(slot, LOOP, JobType.CONTINUOUS, "worker")
    fresh = add_job(staging, LOOP, JobType.CONTINUOUS, "worker")
    wait_log(wait_copy(live, CopyStatus.RUNNING), "slot=production")
    wait_copy(fresh, CopyStatus.STOPPED)

    swap = end_of(dispatch.swap_slots(staging, slot, ACTOR))

    assert swap.state == SwapState.SUCCEEDED, swap.reason
    assert (slot_of(live), slot_of(fresh)) == ("staging", "production")
    wait_log(wait_copy(fresh, CopyStatus.RUNNING), "slot=production")
    until(
        lambda: Copy.objects.filter(job=live, reason__contains="WEBJOBS_STOPPED").exists(),
        what="staging's WebJob says why it stays stopped",
    )
    assert values_of(staging) == {"WEBJOB_STOPPED": "1"}
    assert text_of(Copy.objects.get(job=live)).count("slot=") == 1


def test_jobs_move_with_their_history_and_settings_unless_marked(
    engine: Engine, slot: Slot, staging: Slot
) -> None:
    put(slot, "COLOR", "blue")
    put(slot, "DB", "live", stays=True)
    put(staging, "COLOR", "green")
    put(staging, "db", "test")
    put(staging, "ONLY", "here")
    old, new = add_job(slot, TELLS_SLOT, name="report"), add_job(staging, TELLS_SLOT, name="report")
    run = engine.run(old)
    assert "slot=production color=blue" in text_of(run)

    swap = end_of(dispatch.swap_slots(staging, slot, ACTOR))

    assert swap.state == SwapState.SUCCEEDED
    assert values_of(slot) == {"COLOR": "green", "DB": "live", "ONLY": "here"}
    assert values_of(staging) == {"COLOR": "blue", "db": "test"}
    assert Run.objects.get(pk=run.pk).job == old
    assert slot_of(old) == "staging"
    new.refresh_from_db()
    assert "slot=production color=green" in text_of(engine.run(new))
    actions = AuditEntry.objects.filter(action__startswith="slot.swap").values_list("action")
    assert {action for (action,) in actions} == {"slot.swap.start", "slot.swap"}


def test_a_run_in_progress_is_waited_for_and_queued_ones_go_on_in_the_new_slot(
    engine: Engine, slot: Slot, staging: Slot, tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    busy = add_job(slot, f"while [ ! -e {gate} ]; do sleep 0.05; done", name="busy")
    other = add_job(slot, TELLS_SLOT, name="other")
    running = engine.wait_running(dispatch.run_now(busy, ACTOR))
    swap = dispatch.swap_slots(slot, staging, ACTOR)

    waiting = dispatch.run_now(other, ACTOR)
    with pytest.raises(Refused):
        dispatch.run_now(other, ACTOR)
    with pytest.raises(Refused, match="under way"):
        dispatch.swap_slots(slot, staging, ACTOR)
    swap.refresh_from_db()
    assert (waiting.lane, swap.state) == (None, SwapState.WAITING)

    gate.touch()
    assert end_of(swap).state == SwapState.SUCCEEDED
    assert engine.wait(running).status == RunStatus.SUCCESS
    assert "slot=staging" in text_of(engine.wait(waiting))


def test_it_gives_up_in_words_when_a_run_takes_too_long(
    engine: Engine, slot: Slot, staging: Slot, settings: Settings
) -> None:
    settings.WEBJOBS_SWAP_PATIENCE = 1
    daemon = add_job(slot, LOOP, JobType.CONTINUOUS, "daemon")
    copy = wait_copy(daemon, CopyStatus.RUNNING)
    run = engine.wait_running(dispatch.run_now(add_job(slot, "sleep 60", name="long"), ACTOR))

    swap = end_of(dispatch.swap_slots(slot, staging, ACTOR))

    assert swap.state == SwapState.FAILED
    assert f"Run {run.number} of long was still in progress" in swap.reason
    assert not Slot.objects.exclude(hold=SlotHold.NONE).exists()
    again = Copy.objects.get(pk=copy.pk)
    assert (again.status, again.started_at) == (CopyStatus.RUNNING, copy.started_at)
    assert slot_of(daemon) == "production"


def test_files_of_the_data_path_stay_with_the_slot(
    engine: Engine, slot: Slot, staging: Slot
) -> None:
    script = (
        'cat "$WEBJOBS_DATA_PATH/mark" 2>&1; echo $WEBSITE_SLOT_NAME > "$WEBJOBS_DATA_PATH/mark"'
    )
    old, new = add_job(slot, script, name="report"), add_job(staging, script, name="report")
    for job in (old, new):
        engine.run(job)

    end_of(dispatch.swap_slots(staging, slot, ACTOR))

    for job, name in ((new, "production"), (old, "staging")):
        job.refresh_from_db()
        assert f"INFO] {name}" in text_of(engine.run(job))


def test_no_occurrence_is_lost_or_fired_twice_over_a_swap(slot: Slot, staging: Slot) -> None:
    job = add_job(slot, "true", schedule="0 * * * * *")
    blocker = dispatch.run_now(add_job(slot, "true", name="blocker"), ACTOR)
    Run.objects.filter(pk=blocker.pk).update(status=RunStatus.RUNNING)
    start = timezone.now().replace(second=30, microsecond=0) + timedelta(minutes=1)
    Schedule.objects.update(since=start, changed_at=start)
    fired: list[int] = []
    beats = [Scheduler(fired.extend), Scheduler(fired.extend)]

    def step(minutes: float) -> None:
        for beat in beats:
            beat.step(start + timedelta(minutes=minutes))

    step(0)
    swap = dispatch.swap_slots(slot, staging, ACTOR)
    step(1)
    waiting = Run.objects.get(job=job)
    assert (waiting.status, waiting.lane, fired) == (RunStatus.QUEUED, None, [])

    Run.objects.filter(pk=blocker.pk).update(status=RunStatus.SUCCESS, lane=None)
    swapping.advance_all(start)
    swap.refresh_from_db()
    assert swap.state == SwapState.SUCCEEDED
    Run.objects.filter(pk=waiting.pk).update(status=RunStatus.SUCCESS, lane=None)
    for minutes in (1.5, 2, 2.1, 3):
        step(minutes)
        Run.objects.filter(job=job).update(status=RunStatus.SUCCESS, lane=None)

    moments = Run.objects.filter(job=job).values_list("scheduled_for", flat=True)
    first = start + timedelta(seconds=30)
    assert set(moments) == {first + timedelta(minutes=minute) for minute in range(3)}
    assert len(moments) == 3
    assert slot_of(job) == "staging"


def test_what_was_claimed_before_is_waited_for_and_nothing_is_claimed_after(
    slot: Slot, staging: Slot
) -> None:
    runs = [dispatch.run_now(add_job(slot, "true", name=name), ACTOR) for name in ("one", "two")]
    instance = make_instance()
    assert runs[0].claim(instance, timezone.now())
    swap = dispatch.swap_slots(slot, staging, ACTOR)
    assert not runs[1].claim(instance, timezone.now())
    swapping.advance_all(timezone.now())
    swap.refresh_from_db()
    assert swap.state == SwapState.WAITING
    assert Run.objects.get(pk=runs[0].pk).lane == 0


def test_never_two_processes_of_one_singleton(
    engine: Engine, slot: Slot, staging: Slot, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    script = (
        f"mkdir {lock} && echo alone in $WEBSITE_SLOT_NAME || echo NOT ALONE\n"
        'while [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done\n'
        f"sleep 0.3; rmdir {lock}"
    )
    files: dict[str, str | bytes] = {"run.sh": script, "settings.job": '{"is_singleton": true}'}
    job = add_job(slot, files, JobType.CONTINUOUS, "single")
    wait_log(wait_copy(job, CopyStatus.RUNNING), "alone in production")

    end_of(dispatch.swap_slots(slot, staging, ACTOR))
    copy = wait_copy(job, CopyStatus.RUNNING)
    assert "NOT ALONE" not in wait_log(copy, "alone in staging")

    end_of(dispatch.swap_slots(slot, staging, ACTOR))
    until(lambda: text_of(copy).count("alone in production") == 2, what="it is back")
    assert "NOT ALONE" not in text_of(copy)


def test_a_failure_in_the_exchange_leaves_all_as_it_was_and_the_next_step_ends_it(
    engine: Engine, slot: Slot, staging: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(slot, "COLOR", "blue")
    job = add_job(slot, LOOP, JobType.CONTINUOUS, "daemon")
    wait_copy(job, CopyStatus.RUNNING)
    failures: list[int] = []
    settle: Callable[..., None] = swapping._settle

    def fail(*args: object) -> None:
        if len(failures) < 2:
            failures.append(len(values_of(staging)))
            raise RuntimeError("the process dies here")
        settle(*args)

    monkeypatch.setattr(swapping, "_settle", fail)
    swap = dispatch.swap_slots(slot, staging, ACTOR)
    until(lambda: failures, what="the first failure")
    assert failures[0] == 1  # Everything had moved, but for nobody else.
    assert end_of(swap).state == SwapState.SUCCEEDED
    assert len(failures) == 2
    assert values_of(staging) == {"COLOR": "blue"}
    assert values_of(slot) == {}


def test_a_worker_that_is_gone_does_not_hold_it_up(
    broker: str, slot: Slot, staging: Slot, data_dir: Path
) -> None:
    engine = Engine(data_dir / "instance").start()
    job = add_job(slot, LOOP, JobType.CONTINUOUS, "daemon")
    wait_copy(job, CopyStatus.RUNNING)
    engine.close()

    swap = dispatch.swap_slots(slot, staging, ACTOR)

    swap.refresh_from_db()
    assert swap.state == SwapState.SUCCEEDED
    assert slot_of(job) == "staging"


def test_what_nobody_carries_out_ends_at_its_deadline(slot: Slot, staging: Slot) -> None:
    job = add_job(slot, "true")
    run = dispatch.run_now(job, ACTOR)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    swap = dispatch.swap_slots(slot, staging, ACTOR)

    swapping.advance_all(timezone.now())
    swap.refresh_from_db()
    assert swap.is_active
    swapping.advance_all(timezone.now() + timedelta(seconds=400))
    swap.refresh_from_db()
    assert swap.state == SwapState.FAILED
