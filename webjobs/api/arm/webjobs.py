"""WebJobs of both types, and the runs of the triggered ones."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.arm.properties import job_properties, run_properties
from webjobs.api.arm.resources import Site, page, page_size, resource, site_for
from webjobs.api.arm.surface import endpoint
from webjobs.api.documents import Documents, Loaded, load
from webjobs.api.finding import job_for, jobs_of, loaded_for, number_of, run_of
from webjobs.api.history import wanted
from webjobs.api.starting import start_run
from webjobs.models import Role, Run, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.states import JobType

# The collection that holds WebJobs of both types.
BOTH = "webjobs"


def _after(jobs: QuerySet[WebJob], token: str | None) -> QuerySet[WebJob]:
    """By name, behind the name and type in `token`."""
    named = jobs.annotate(lower_name=Lower("name")).order_by("lower_name", "type")
    if not token:
        return named
    name, _, type = token.partition("/")
    return named.filter(Q(lower_name__gt=name) | Q(lower_name=name, type__gt=type))


def _list(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION, type: str = ""
) -> HttpResponse:
    site = site_for(request, sub, rg, app, slot)
    size = page_size(request)
    jobs = _after(jobs_of(site.slot, type or None), _token(request))
    loaded = load(jobs[: size + 1], site.slot)
    documents = Documents(request, site.slot)
    shown = loaded[:size]
    value = [_resource(site, type, documents, one) for one in shown]
    token = f"{shown[-1].job.name.lower()}/{shown[-1].job.type}" if len(loaded) > size else None
    return page(request, value, token)


def _token(request: HttpRequest) -> str | None:
    token = request.GET.get("$skiptoken", "")
    return None if "\0" in token else token


def _resource(site: Site, type: str, documents: Documents, loaded: Loaded) -> dict[str, Any]:
    collection = f"{type.lower()}{BOTH}"
    return resource(site, collection, [loaded.job.name], job_properties(documents, loaded))


def _get(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, slot: str = PRODUCTION,
    type: str = "",
) -> HttpResponse:  # fmt: skip
    site = site_for(request, sub, rg, app, slot)
    loaded = _find(request, app, slot, type, name)
    return answer(_resource(site, type, Documents(request, site.slot), loaded))


def _find(request: HttpRequest, app: str, slot: str, type: str, name: str) -> Loaded:
    """Of two WebJobs with one name the triggered one comes first."""
    if type:
        return loaded_for(request, app, slot, type, name)
    try:
        return loaded_for(request, app, slot, JobType.TRIGGERED, name)
    except Http404:
        return loaded_for(request, app, slot, JobType.CONTINUOUS, name)


def _delete(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, type: str,
    slot: str = PRODUCTION,
) -> HttpResponse:  # fmt: skip
    """200, or 204 for what is not there; the app itself must be."""
    slot_for(request, app, slot, Role.CONTRIBUTOR)
    try:
        job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    except Http404:
        return empty(204)
    dispatch.delete(job, actor_of(request))
    return empty()


def _run(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """200 without a body, as the clients insist; the run is in `Location`."""
    job = job_for(request, app, slot, JobType.TRIGGERED, name, Role.OPERATOR)
    run = start_run(request, job)
    response = empty()
    response["Location"] = Documents(request, job.slot).links.run(job, run.number)
    return response


def _history(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    site = site_for(request, sub, rg, app, slot)
    job = job_for(request, app, slot, JobType.TRIGGERED, name)
    size = page_size(request)
    asked = wanted(request.GET, limit=size, before=_before(request))
    runs = list(asked.of(job))
    documents = Documents(request, site.slot)
    value = [_history_item(site, documents, job, run) for run in runs[:size]]
    token = str(runs[size - 1].number) if len(runs) > size else None
    return page(request, value, token)


def _before(request: HttpRequest) -> int | None:
    token = _token(request)
    return number_of(token) if token else None


def _history_item(site: Site, documents: Documents, job: WebJob, run: Run) -> dict[str, Any]:
    properties = {"runs": [run_properties(documents, job, run)]}
    return resource(site, "triggeredwebjobs/history", [job.name, str(run.number)], properties)


def _history_run(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    site = site_for(request, sub, rg, app, slot)
    job = job_for(request, app, slot, JobType.TRIGGERED, name)
    documents = Documents(request, site.slot)
    return answer(_history_item(site, documents, job, run_of(job, id)))


def _stop_run(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, JobType.TRIGGERED, name, Role.OPERATOR)
    dispatch.stop_run(run_of(job, id), actor_of(request))
    return empty()


def _start(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, JobType.CONTINUOUS, name, Role.OPERATOR)
    dispatch.start(job, actor_of(request))
    return empty()


def _stop(
    request: HttpRequest, sub: str, rg: str, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, JobType.CONTINUOUS, name, Role.OPERATOR)
    dispatch.stop(job, actor_of(request))
    return empty()


all_jobs = endpoint(GET=_list)
any_job = endpoint(GET=_get)
job = endpoint(GET=_get, DELETE=_delete)
run = endpoint(POST=_run)
history = endpoint(GET=_history)
history_run = endpoint(GET=_history_run)
history_stop = endpoint(POST=_stop_run)
start = endpoint(POST=_start)
stop = endpoint(POST=_stop)
