"""What an address names, through the one access helper."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from webjobs import access
from webjobs.api.documents import Loaded, load, runs_with_parts
from webjobs.models import Role, Run, Slot, WebJob


def jobs_of(slot: Slot, type: str | None = None) -> QuerySet[WebJob]:
    """The WebJobs of `slot`: continuous after triggered ones, each by name."""
    jobs = WebJob.objects.living().filter(slot=slot)
    jobs = jobs.filter(type=type.lower()) if type else jobs
    return jobs.order_by("-type", "name")


def job_for(
    request: HttpRequest, app: str, slot: str, type: str, name: str, role: Role = Role.READER
) -> WebJob:
    return access.webjob_for(request, app, slot, type.lower(), name, role)


def loaded_for(request: HttpRequest, app: str, slot: str, type: str, name: str) -> Loaded:
    job = job_for(request, app, slot, type, name)
    return reload(job)


def reload(job: WebJob) -> Loaded:
    """The WebJob as it is now; raises Http404 when it has gone meanwhile."""
    loaded = load(WebJob.objects.living().filter(pk=job.pk), job.slot)
    if not loaded:
        raise Http404("No such WebJob.")
    return loaded[0]


def number_of(text: str) -> int:
    """A run's id as a number; raises Http404."""
    if not text.isdecimal() or len(text) > 18:
        raise Http404("No such run.")
    return int(text)


def run_of(job: WebJob, id: str) -> Run:
    run = runs_with_parts(Run.objects.filter(job=job, number=number_of(id))).first()
    if run is None:
        raise Http404("No such run.")
    run.job = job
    return run
