"""WebJobs: lists, one, delete, start and stop, settings.job."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.bodies import read_object
from webjobs.api.documents import Documents, load
from webjobs.api.finding import job_for, jobs_of, reload
from webjobs.api.kudu.surface import KUDU
from webjobs.api.kudu.uploads import put
from webjobs.api.versions import version_of
from webjobs.dispatch import Refused
from webjobs.models import Role
from webjobs.models.app import PRODUCTION
from webjobs.runner.settings_job import SettingsError, from_dict


def _list(
    request: HttpRequest, app: str, slot: str = PRODUCTION, type: str | None = None
) -> HttpResponse:
    """All WebJobs of the slot, or those of one type; triggered ones first."""
    found = slot_for(request, app, slot)
    version = version_of(request, found, type=type)
    if unchanged := version.not_modified(request):
        return unchanged
    documents = Documents(request, found).jobs(load(jobs_of(found, type), found))
    return answer(documents, ETag=version.etag(documents))


def _get(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    found = job_for(request, app, slot, type, name)
    version = version_of(request, found.slot, job=found.pk)
    if unchanged := version.not_modified(request):
        return unchanged
    document = Documents(request, found.slot).job(reload(found))
    return answer(document, ETag=version.etag([document]))


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
    return answer(job_for(request, app, slot, type, name).settings_job)


def _put_settings(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Replace all of settings.job; what the engine cannot use is refused by name."""
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    try:
        values = from_dict(read_object(request))
    except SettingsError as error:
        raise Refused("BadRequest", str(error), 400) from error
    dispatch.set_settings_job(job, values, actor_of(request))
    return empty()


jobs = KUDU.endpoint(GET=_list)
job = KUDU.endpoint(GET=_get, PUT=put, DELETE=_delete)
start = KUDU.endpoint(POST=_start)
stop = KUDU.endpoint(POST=_stop)
job_settings = KUDU.endpoint(GET=_get_settings, PUT=_put_settings)
