"""Addresses of the pages of an app's slot."""

from __future__ import annotations

from django.urls import reverse

from webjobs.models import Run, Slot, WebJob


def slot_url(slot: Slot, page: str, /, **parts: str | int) -> str:
    """The page `page` of `slot`; production's addresses do not name the slot."""
    where: dict[str, str | int] = {"app": slot.app.name}
    if not slot.is_production:
        where["slot"] = slot.name
    return reverse(page, kwargs=where | parts)


def job_url(job: WebJob, page: str, /, **parts: str | int) -> str:
    """The page `page` of a WebJob."""
    return slot_url(job.slot, page, type=job.type, name=job.name, **parts)


def run_url(run: Run, page: str = "run-details") -> str:
    """The page `page` of a run."""
    return slot_url(run.job.slot, page, name=run.job.name, number=run.number)
