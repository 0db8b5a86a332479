"""WebJobs: lists, one, delete, start and stop, settings.job."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.arm.properties import job_properties
from webjobs.api.arm_mode import is_arm, resource, resources
from webjobs.api.bodies import read_object
from webjobs.api.documents import Documents, load
from webjobs.api.finding import job_for, jobs_of, reload
from webjobs.api.kudu.surface import KUDU
from webjobs.api.kudu.uploads import put
from webjobs.api.versions import version_of
from webjobs.dispatch import Refused
from webjobs.models import Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.runner.settings_job import SettingsError, from_dict

NO_SETTINGS = "The request's body must have properties, with the settings as an object."


def _list(
    request: HttpRequest, app: str, slot: str = PRODUCTION, type: str | None = None
) -> HttpResponse:
    """All WebJobs of the slot, or those of one type; triggered ones first."""
    found = slot_for(request, app, slot)
    version = version_of(request, found, type=type)
    if unchanged := version.not_modified(request):
        return unchanged
    documents, loaded = Documents(request, found), load(jobs_of(found, type), found)
    if is_arm(request):
        items = [([one.job.name], job_properties(documents, one)) for one in loaded]
        told: Any = resources(request, found, _kind(type), items)
        return answer(told, ETag=version.etag(properties for _, properties in items))
    told = documents.jobs(loaded)
    return answer(told, ETag=version.etag(told))


def _kind(type: str | None) -> str:
    return f"{(type or '').lower()}webjobs"


def _get(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    found = job_for(request, app, slot, type, name)
    version = version_of(request, found.slot, job=found.pk)
    if unchanged := version.not_modified(request):
        return unchanged
    document, told = _told(request, found)
    return answer(told, ETag=version.etag([document]))


def _told(request: HttpRequest, job: WebJob) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document of a WebJob, and how it is told: the same, or a resource around it."""
    documents, loaded = Documents(request, job.slot), reload(job)
    if not is_arm(request):
        document = documents.job(loaded)
        return document, document
    document = job_properties(documents, loaded)
    return document, resource(request, job.slot, _kind(job.type), [job.name], document)


def _put(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """New files; from the front end of ARM, which takes none, `properties.settings` alone."""
    if not is_arm(request):
        return put(request, app, type, name, slot)
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    properties = read_object(request).get("properties")
    settings = properties.get("settings") if isinstance(properties, dict) else None
    _set_settings(request, job, settings)
    return answer(_told(request, job)[1])


def _delete(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """200 also for what does not exist, as in Kudu."""
    slot_for(request, app, slot, Role.CONTRIBUTOR)
    try:
        job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    except Http404:
        return empty()
    dispatch.delete(job, actor_of(request))
    return empty()


def _start(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    job = job_for(request, app, slot, "continuous", name, Role.OPERATOR)
    dispatch.start(job, actor_of(request))
    return empty()


def _stop(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    job = job_for(request, app, slot, "continuous", name, Role.OPERATOR)
    dispatch.stop(job, actor_of(request))
    return empty()


def _get_settings(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name)
    if is_arm(request):
        kind = f"{_kind(type)}/settings"
        return answer(resource(request, job.slot, kind, [job.name], job.settings_job))
    return answer(job.settings_job)


def _put_settings(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Replace all of settings.job; what the engine cannot use is refused by name."""
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    sent = read_object(request)
    _set_settings(request, job, sent.get("properties") if is_arm(request) else sent)
    return empty()


def _set_settings(request: HttpRequest, job: WebJob, settings: object) -> None:
    if not isinstance(settings, dict):
        raise Refused("BadRequest", NO_SETTINGS, 400)
    try:
        values = from_dict(settings)
    except SettingsError as error:
        raise Refused("BadRequest", str(error), 400) from error
    dispatch.set_settings_job(job, values, actor_of(request))


jobs = KUDU.endpoint(GET=_list)
job = KUDU.endpoint(GET=_get, PUT=_put, DELETE=_delete)
start = KUDU.endpoint(POST=_start)
stop = KUDU.endpoint(POST=_stop)
job_settings = KUDU.endpoint(GET=_get_settings, PUT=_put_settings)
