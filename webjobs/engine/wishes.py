"""What people want of continuous WebJobs, read again and again for the price of what changed."""

from __future__ import annotations

from typing import Any

from webjobs.models import Slot, WebJob
from webjobs.models.prepared import PreparedRows

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
