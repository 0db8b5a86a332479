"""PUT of a WebJob: a zip, or a single script, checked before anything changes."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch, packages
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer
from webjobs.api.bodies import spooled
from webjobs.api.documents import Documents
from webjobs.api.finding import job_for, reload
from webjobs.dispatch import NewWebJob, Refused
from webjobs.models import Role, Slot, WebJob
from webjobs.models.app import PRODUCTION, validate_name
from webjobs.models.webjob import NAME_MAX_LENGTH
from webjobs.runner.package import PackageError
from webjobs.states import JobType

# Kudu's own words.
NO_DISPOSITION = "Missing Content-Disposition header."
_FILE_NAME = re.compile(r'filename\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^;]*))', re.IGNORECASE)
_ZIP = frozenset({"application/zip", "application/x-zip-compressed"})


def put(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Add the WebJob, or give it new files; the old ones serve until these are complete."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    file_name = _file_name(request)
    is_zip = (request.content_type or "").lower() in _ZIP
    check_name(name)
    with spooled(request, settings.WEBJOBS_MAX_UPLOAD) as path:
        upload = checked(path, file_name, is_zip=is_zip)
        job = put_job(request, found, JobType(type.lower()), name, upload)
    return answer(Documents(request, found).job(reload(job)))


def _file_name(request: HttpRequest) -> str:
    """The name without folders; raises Refused when there is none."""
    found = _FILE_NAME.search(request.headers.get("Content-Disposition", ""))
    text = (found["quoted"] or found["plain"] or "").strip() if found else ""
    name = re.split(r"[\\/]", text)[-1]
    if not name:
        raise Refused("BadRequest", NO_DISPOSITION, 400)
    return name


def check_name(name: str) -> None:
    """Raises Refused for a name that no WebJob can have."""
    try:
        validate_name(name)
    except ValidationError as error:
        raise Refused("BadRequest", f"name: {error.message}", 400) from error
    if len(name) > NAME_MAX_LENGTH:
        raise Refused("BadRequest", f"name: has more than {NAME_MAX_LENGTH} characters.", 400)


def checked(path: Path, file_name: str, *, is_zip: bool) -> packages.Upload:
    """Raises Refused that says what is wrong with the file."""
    try:
        return packages.check_upload(path, file_name, "zip" if is_zip else None)
    except PackageError as error:
        status = 413 if error.code == "too_large" else 400
        code = "RequestEntityTooLarge" if status == 413 else "BadRequest"
        raise Refused(code, error.message, status) from error


def put_job(
    request: HttpRequest, slot: Slot, type: JobType, name: str, upload: packages.Upload
) -> WebJob:
    """The WebJob with the files of `upload`, whether it existed or not."""
    actor = actor_of(request)
    try:
        job = job_for(request, slot.app.name, slot.name, type, name, Role.CONTRIBUTOR)
    except Http404:
        return dispatch.add_webjob(slot, NewWebJob(name=name, type=type, upload=upload), actor)
    dispatch.replace_package(job, upload, actor)
    return job
