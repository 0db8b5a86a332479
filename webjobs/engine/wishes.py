"""What people want of continuous WebJobs, read again and again for the price of what changed."""

from __future__ import annotations

from typing import Any

from webjobs import idling
from webjobs.models import EngineSettings, Slot, WebJob
from webjobs.models.prepared import PreparedRows
from webjobs.models.swap import HELD_REASON
from webjobs.reasons import gettext_noop
from webjobs.states import SlotHold

NO_LONGER = gettext_noop("The WebJob no longer exists.")

# Everything that a supervisor acts on; the rest of a WebJob changes only together with these.
_STAMP = (
    "pk", "revision", "is_stopped", "start_requested_at", "deleted_at", "is_singleton",
    "slot", "slot__settings_revision", "slot__environment_revision", "slot__hold",
    "slot__app__tier", "slot__app__always_on", "slot__app__is_idle",
)  # fmt: skip
_STAMPS = PreparedRows(lambda: WebJob.objects.continuous().order_by().values_list(*_STAMP))


class Wishes:
    """Remembers what it has handed out. Each call may raise django.db.Error."""

    def __init__(self) -> None:
        self._stamps: dict[int, tuple[Any, ...]] = {}

    def changed(self) -> dict[int, WebJob | None]:
        """The continuous WebJobs that are new or changed since the last call, by their primary
        key, with all that a start asks for; None for those that are gone."""
        stamps = {row[0]: row for row in _STAMPS.all()}
        changed = [pk for pk, stamp in stamps.items() if self._stamps.get(pk) != stamp]
        found: dict[int, WebJob | None] = dict.fromkeys(self._stamps.keys() - stamps.keys())
        if changed:
            jobs = WebJob.objects.filter(pk__in=changed).select_related("package", "schedule")
            found.update((job.pk, job) for job in _with_slots(list(jobs)))
        # Only now: what could not be read is new the next time.
        self._stamps = stamps
        return found

    def forget(self) -> None:
        """Hand out everything again."""
        self._stamps = dict.fromkeys(self._stamps, ())


def _with_slots(jobs: list[WebJob]) -> list[WebJob]:
    """Jobs of a slot share it: to read one means to decrypt its passwords."""
    slots = Slot.objects.select_related("app").in_bulk({job.slot_id for job in jobs})
    for job in jobs:
        job.slot = slots[job.slot_id]
    return jobs


def why_unwanted(job: WebJob, settings: EngineSettings, closing: str | None) -> str | None:
    """Why it shall not run, in words; `closing` says why this instance takes nothing new."""
    if job.slot.hold == SlotHold.ALL:
        # Above all else, because the swap goes on when everybody has said so.
        return HELD_REASON
    if job.deleted_at is not None:
        return gettext_noop("The WebJob was deleted.")
    if job.is_stopped:
        return gettext_noop("It was stopped by an operator.")
    if settings.stopped:
        return gettext_noop("WEBJOBS_STOPPED is set to 1, which stops every WebJob of the app.")
    if job.slot.app.is_idle:
        return idling.REASON
    return closing
