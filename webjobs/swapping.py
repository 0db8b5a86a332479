"""Swaps of two slots, brought about step by step from rows alone.

A swap waits for the runs that are in progress, then for the continuous WebJobs to stop, and then
exchanges everything in one transaction. Each step may be taken by anybody, any number of times:
whoever dies over one has changed nothing, and the next one goes on. A step that takes too long
ends the swap, and then everything is as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F

from webjobs import endings
from webjobs.messages import nudge_workers
from webjobs.models import AppSetting, AuditEntry, Copy, Instance, Run, Schedule, Slot, Swap, WebJob
from webjobs.models.setting import EngineSettings, lenient_engine_settings, settings_of
from webjobs.models.swap import HELD_REASON
from webjobs.reasons import gettext_noop
from webjobs.states import RUN_EXECUTING, CopyStatus, SwapState

# Beyond the longest time that a WebJob has to end, for instances that are busy or just starting.
STOPPING_RESERVE = timedelta(seconds=60)
# No person can give a slot such a name.
_PARKING = ".swap"
AS_IT_WAS = gettext_noop("Nothing was swapped; everything goes on as it was.")
_BROKEN = gettext_noop("The exchange failed; the worker's own log tells why.")

logger = logging.getLogger(__name__)


class _NotYet(Exception):
    """Something began to run after the last look; nothing was exchanged."""


def patience() -> timedelta:
    """How long a swap waits for runs in progress."""
    return timedelta(seconds=settings.WEBJOBS_SWAP_PATIENCE)


def advance_all(now: datetime) -> None:
    """Take the next step of every swap that is under way."""
    for swap in Swap.objects.active():
        advance(swap, now)


def advance(swap: Swap, now: datetime) -> None:
    """Take the steps of `swap` that can be taken now."""
    if len(swap.slots) < 2:
        _fail(swap, now, gettext_noop("One of the slots was deleted."))
    if swap.state == SwapState.WAITING:
        if running := executing(swap.slots):
            _give_up_late(swap, now, _still_in_progress(running))
        else:
            with transaction.atomic():
                swap.begin_stopping(now + _longest_grace(swap.slots) + STOPPING_RESERVE)
                transaction.on_commit(nudge_workers)
    if swap.state == SwapState.STOPPING:
        if alive := _not_stopped(swap.slots, now):
            text = gettext_noop("%(job)s on instance %(instance)s did not stop in time.")
            _give_up_late(swap, now, text % {"job": alive[0], "instance": alive[1]})
        else:
            try:
                _exchange(swap, now)
            except _NotYet:
                swap.refresh_from_db()
                _give_up_late(swap, now, gettext_noop("A run began that should not have."))
            except OperationalError:
                raise  # The database is away or busy: the next step tries again.
            except Exception:
                logger.exception("The exchange of %s failed and was rolled back", swap)
                swap.refresh_from_db()
                _give_up_late(swap, now, _BROKEN)


def executing(slots: Collection[int]) -> list[Run]:
    """The runs in progress in these slots, with their WebJobs."""
    runs = Run.objects.filter(status__in=sorted(RUN_EXECUTING), job__slot__in=slots)
    return list(runs.select_related("job").order_by("number"))


def _still_in_progress(runs: list[Run]) -> str:
    first = runs[0]
    text = gettext_noop(
        "Run %(number)d of %(job)s was still in progress. Stop it, or wait for its end, and swap "
        "again."
    )
    if len(runs) > 1:
        text = gettext_noop(
            "Run %(number)d of %(job)s, with %(count)d more, was still in progress. Stop it, or "
            "wait for its end, and swap again."
        )
    return text % {"number": first.number, "job": first.job.name, "count": len(runs) - 1}


def _longest_grace(slots: Collection[int]) -> timedelta:
    jobs = WebJob.objects.continuous().filter(slot__in=slots)
    return timedelta(seconds=max((job.grace for job in jobs), default=0))


def _not_stopped(slots: Collection[int], now: datetime) -> tuple[str, str] | None:
    """A continuous WebJob and a live instance whose supervisor has not said that it is stopped
    there and stays so until the swap has ended."""
    jobs = dict(
        WebJob.objects.continuous()
        .filter(slot__in=slots, deleted_at=None)
        .values_list("pk", "name")
    )
    live = dict(Instance.objects.live(now).values_list("pk", "name"))
    said = set(
        Copy.objects.filter(
            job__in=jobs,
            instance__in=live,
            epoch=F("instance__epoch"),
            status=CopyStatus.STOPPED,
            reason=HELD_REASON,
        ).values_list("job_id", "instance_id")
    )
    silent = ((job, instance) for job in jobs for instance in live if (job, instance) not in said)
    return next(((jobs[job], live[instance]) for job, instance in silent), None)


def _give_up_late(swap: Swap, now: datetime, why: str) -> None:
    if now >= swap.deadline:
        _fail(swap, now, why)


def _fail(swap: Swap, now: datetime, why: str) -> None:
    fail(swap, now, f"{why} {AS_IT_WAS}")


def fail(swap: Swap, now: datetime, reason: str) -> bool:
    """Give a swap up; false when it had ended."""
    with transaction.atomic():
        won = swap.fail(now, reason)
        if won:
            _record(swap, "slot.swap.fail", reason=reason)
            transaction.on_commit(nudge_workers)
    if won:
        endings.start_waiting(now)
    return won


def _record(swap: Swap, action: str, **details: object) -> None:
    AuditEntry.objects.create(
        user=swap.created_by,
        user_name=swap.by_name,
        action=action,
        app=swap.app,
        target=f"{swap.app.name}/{swap.source_name} with {swap.target_name}"[:300],
        details=details,
    )


def _exchange(swap: Swap, now: datetime) -> None:
    with transaction.atomic():
        if not swap.succeed(now, ""):
            return
        slots = list(Slot.objects.select_for_update(no_key=True).filter(pk__in=swap.slots))
        locked = WebJob.objects.select_for_update(no_key=True, of=("self",))
        jobs = list(locked.living().filter(slot__in=slots).order_by("pk").select_related("slot"))
        if executing(swap.slots):
            raise _NotYet
        source, target = sorted(slots, key=lambda slot: slot.pk != swap.source_id)
        before = {slot.pk: lenient_engine_settings(settings_of(slot)) for slot in slots}
        moved = _exchange_settings(source, target)
        _exchange_jobs(source, target, jobs)
        Slot.objects.filter(pk__in=swap.slots).update(
            settings_revision=F("settings_revision") + 1,
            environment_revision=F("environment_revision") + 1,
        )
        for old, new in ((source, target), (target, source)):
            mine = [job.pk for job in jobs if job.slot_id == old.pk]
            _settle(mine, before[old.pk], lenient_engine_settings(settings_of(new)), now)
        text = gettext_noop("%(jobs)s and %(settings)s changed places.")
        reason = text % {"jobs": _some(len(jobs), "WebJob"), "settings": _some(moved, "setting")}
        Swap.objects.filter(pk=swap.pk).update(reason=reason)
        swap.reason = reason
        names = {slot.name: [f"{job.type}/{job.name}" for job in jobs if job.slot_id == slot.pk]
                 for slot in slots}  # fmt: skip
        _record(swap, "slot.swap", settings=moved, moved_from=names)
        transaction.on_commit(nudge_workers)
    endings.start_waiting(now)


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def sticky_names(slots: Collection[int]) -> set[str]:
    """In lower case, the settings that stay where they are, as soon as one of `slots` marks them:
    as on Azure, the mark belongs to the name."""
    marked = AppSetting.objects.filter(slot__in=slots, is_slot_setting=True)
    return {name.lower() for name in marked.values_list("name", flat=True)}


def _exchange_settings(source: Slot, target: Slot) -> int:
    """How many settings have moved."""
    sticky = sticky_names([source.pk, target.pk])
    rows = AppSetting.objects.filter(slot__in=[source, target])
    moving: dict[int, list[int]] = {source.pk: [], target.pk: []}
    for pk, slot, name in rows.values_list("pk", "slot_id", "name"):
        if name.lower() not in sticky:
            moving[slot].append(pk)
    _move(AppSetting, moving[source.pk], moving[target.pk], source, target)
    return sum(map(len, moving.values()))


def _exchange_jobs(source: Slot, target: Slot, jobs: list[WebJob]) -> None:
    leaving = [job.pk for job in jobs if job.slot_id == source.pk]
    coming = [job.pk for job in jobs if job.slot_id == target.pk]
    _move(WebJob, leaving, coming, source, target)
    WebJob.objects.filter(pk__in=[*leaving, *coming]).update(revision=F("revision") + 1)


def _move(
    model: type[AppSetting] | type[WebJob],
    leaving: list[int],
    coming: list[int],
    source: Slot,
    target: Slot,
) -> None:
    """Let rows change slots although names are unique in each: the first ones by way of a slot
    that nobody outside of this transaction ever sees."""
    rows = model._default_manager
    parking = Slot.objects.create(app_id=source.app_id, name=_PARKING)
    rows.filter(pk__in=leaving).update(slot=parking)
    rows.filter(pk__in=coming).update(slot=source)
    rows.filter(pk__in=leaving).update(slot=target)
    Slot.objects.filter(pk=parking.pk).delete()


def _settle(jobs: list[int], was: EngineSettings, engine: EngineSettings, now: datetime) -> None:
    """What the settings of the new slot mean for schedules and for runs that wait.

    A schedule goes on from its last occurrence. Only what another zone, or a time in which it was
    off, would have fired is no debt.
    """
    is_other = (was.zone, was.schedules_disabled) != (engine.zone, engine.schedules_disabled)
    since = {"since": now} if is_other else {}
    Schedule.objects.filter(job__in=jobs).update(changed_at=now, **since)
    if engine.stopped:
        reason = gettext_noop(
            "Its WebJob came by a swap into a slot that is stopped: WEBJOBS_STOPPED is 1."
        )
        for run in Run.objects.queued().filter(job__in=jobs):
            endings.cancel(run, now, reason)
