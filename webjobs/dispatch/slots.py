"""Deployment slots: adding, deleting and swapping them; the plan of an app."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs import endings, idling, swapping
from webjobs.dispatch.asking import Actor, Refused, path_of, record
from webjobs.models import (
    App,
    AppSetting,
    PackageVersion,
    Run,
    Schedule,
    Slot,
    Swap,
    WebJob,
)
from webjobs.models.fields import SecretUnreadable
from webjobs.states import AppKind, RunStatus, SlotHold, Tier
from webjobs.tasks import nudge_workers

SLOT_EXISTS = gettext_noop("A slot named %(name)s exists already. Choose another name.")
IS_PRODUCTION = gettext_noop("The production slot cannot be deleted; it lives as long as its app.")
SAME_SLOT = gettext_noop("Choose two different slots.")
IN_SWAP = gettext_noop("A swap of slots of this app is under way. Wait for its end.")
SWAP_ENDED = gettext_noop("The swap has ended already.")
UNREADABLE = gettext_noop("The settings of the slot %(name)s cannot be decrypted. %(error)s")
PLAN_CHANGED = gettext_noop("Somebody else has changed this meanwhile, so nothing was applied.")
NO_ALWAYS_ON = gettext_noop("Always on requires a basic or higher App Service plan")

# What a copy of a WebJob takes over from it.
_COPIED = (
    "name", "type", "package_id", "script", "is_singleton", "is_in_place", "stopping_wait_time",
    "concurrency", "max_parallel", "queue_limit", "retry_attempts", "retry_delay", "retry_on",
    "extra_settings",
)  # fmt: skip


def add_slot(
    app: App, name: str, actor: Actor, *, source: Slot | None = None, with_jobs: bool = False
) -> Slot:
    """A new slot with credentials of its own: empty, or with the settings of `source`.

    With its WebJobs too if asked for: continuous ones are stopped and schedules are off there, so
    that nothing runs twice until somebody wants it. Raises Refused.
    """
    try:
        with transaction.atomic():
            slot = Slot.objects.create(app=app, name=name)
            copied = _copy_settings(source, slot) if source else 0
            jobs = _copy_jobs(source, slot, actor) if source and with_jobs else 0
            record(
                actor, "slot.add", slot, "",
                source=source.name if source else None, settings=copied, webjobs=jobs,
            )  # fmt: skip
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("slot-exists", SLOT_EXISTS, name=name) from None
    return slot


def _copy_settings(source: Slot, slot: Slot) -> int:
    try:
        found = list(AppSetting.objects.filter(slot=source))
    except SecretUnreadable as error:
        raise Refused("unreadable", UNREADABLE, name=source.name, error=error) from error
    for setting in found:
        setting.pk, setting.slot, setting._state.adding = None, slot, True
        setting.save(force_insert=True)
    return len(found)


def _copy_jobs(source: Slot, slot: Slot, actor: Actor) -> int:
    jobs = WebJob.objects.living().filter(slot=source).select_related("schedule")
    for job in jobs:
        values = {field: getattr(job, field) for field in _COPIED}
        copy = WebJob.objects.create(slot=slot, is_stopped=job.is_continuous, **values)
        PackageVersion.note(
            copy, created_at=timezone.now(), created_by=actor.user, by_name=actor.name[:150]
        )
        if schedule := getattr(job, "schedule", None):
            Schedule.objects.create(
                job=copy,
                expression=schedule.expression,
                time_zone=schedule.time_zone,
                is_enabled=False,
            )
    return len(jobs)


@transaction.atomic
def delete_slot(slot: Slot, actor: Actor) -> None:
    """Let a slot vanish at once with its WebJobs, whose processes are stopped first; then their
    history and the settings go. Raises Refused for production, and while it is swapped."""
    if slot.is_production:
        raise Refused("production", IS_PRODUCTION)
    now = timezone.now()
    gone = Slot.objects.living().filter(pk=slot.pk, hold=SlotHold.NONE)
    if not gone.update(deleted_at=now):
        raise Refused("in-swap", IN_SWAP)
    jobs = WebJob.objects.living().filter(slot=slot)
    names = [path_of(job) for job in jobs]
    text = gettext_noop("The slot %(slot)s was deleted by %(name)s.")
    reason = text % {"slot": slot.name, "name": actor.name}
    for job in jobs.select_for_update(no_key=True).order_by("pk"):
        job.request_delete(now)
        for run in Run.objects.active().filter(job=job):
            run.request_stop(now, reason)
            endings.cancel(run, now, reason)
    Schedule.objects.filter(job__slot=slot).update(changed_at=now)
    record(actor, "slot.delete", slot, "", webjobs=names)
    transaction.on_commit(nudge_workers)


def swap_slots(source: Slot, target: Slot, actor: Actor) -> Swap:
    """Begin to exchange the WebJobs and settings of two slots of one app.

    From now on no run starts there; the rest follows by itself, and the Swap tells how it ends.
    Raises Refused while another swap of the app is under way.
    """
    if source.pk == target.pk or source.app_id != target.app_id:
        raise Refused("same-slot", SAME_SLOT, 400)
    try:
        with transaction.atomic():
            swap = _insert_swap(source, target, actor)
            _hold(swap)
            record(actor, "slot.swap.start", source, "", swapped_with=target.name)
            # Without any worker nothing runs, and nobody else would go on.
            transaction.on_commit(partial(_go_on, swap), robust=True)
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("in-swap", IN_SWAP) from None
    return swap


def _insert_swap(source: Slot, target: Slot, actor: Actor) -> Swap:
    now = timezone.now()
    return Swap.objects.create(
        app_id=source.app_id,
        source=source,
        target=target,
        source_name=source.name,
        target_name=target.name,
        started_at=now,
        deadline=now + swapping.patience(),
        created_by=actor.user,
        by_name=actor.name[:150],
    )


def _hold(swap: Swap) -> None:
    """Let nothing start any more: who starts runs looks at the slot after locking the WebJob."""
    slots = Slot.objects.living().filter(pk__in=swap.slots)
    if slots.update(hold=SlotHold.RUNS) < len(swap.slots):
        raise Refused("gone", gettext_noop("One of the slots is being deleted."), 404)
    locked = WebJob.objects.select_for_update(no_key=True).filter(slot__in=swap.slots)
    jobs = [job.pk for job in locked.order_by("pk").only("pk")]
    Run.objects.filter(job__in=jobs, status=RunStatus.QUEUED).update(lane=None)


def _go_on(swap: Swap) -> None:
    swapping.advance(swap, timezone.now())


def cancel_swap(swap: Swap, actor: Actor) -> None:
    """Give up a swap that has not exchanged anything yet. Raises Refused when it is too late."""
    cancelled = gettext_noop("Cancelled by %(name)s.") % {"name": actor.name}
    reason = f"{cancelled} {swapping.AS_IT_WAS}"
    while not swapping.fail(swap, timezone.now(), reason):
        # Perhaps it only went on to its next state.
        swap.refresh_from_db()
        if not swap.is_active:
            raise Refused("swap-ended", SWAP_ENDED)


@transaction.atomic
def set_plan(
    app: App,
    tier: Tier,
    kind: AppKind,
    actor: Actor,
    *,
    always_on: bool,
    seen: dict[str, Any] | None = None,
) -> None:
    """Change what the app emulates; WebJobs follow at once. Raises Refused for Always On where
    the tier has none, and `changed` when the columns are no longer as `seen`."""
    if always_on and not tier.has_always_on:
        raise Refused("always-on", NO_ALWAYS_ON, 400)
    now = timezone.now()
    there = App.objects.filter(pk=app.pk, **(seen or {}))
    has_won = there.update(tier=tier, kind=kind, always_on=always_on)
    app.refresh_from_db()
    if not has_won:
        raise Refused("changed", PLAN_CHANGED)
    idling.wake(app, now)
    record(actor, "app.plan", app, "", tier=tier, kind=kind, always_on=always_on)
    transaction.on_commit(nudge_workers)
