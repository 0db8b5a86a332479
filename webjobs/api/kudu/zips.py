"""`PUT /api/zip/site/wwwroot/`: WebJobs as they lie in a site, below `App_Data/jobs/`."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from webjobs import dispatch, packages
from webjobs.access import slot_for
from webjobs.api.answers import empty
from webjobs.api.bodies import BLOCK, spooled
from webjobs.api.kudu.surface import KUDU
from webjobs.api.kudu.uploads import check_name, checked, put_job
from webjobs.dispatch import Refused
from webjobs.models import Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.runner import archive
from webjobs.runner.package import PackageError, PackageLimits
from webjobs.states import JobType

Key: TypeAlias = tuple[JobType, str]
_JOB_FILE = re.compile(
    r"(?:site/wwwroot/)?App_Data/jobs/(?P<type>triggered|continuous)/(?P<name>[^/]+)/(?P<rest>.+)",
    re.IGNORECASE,
)
NOTHING = (
    "The zip holds no WebJob. Put each into App_Data/jobs/triggered/NAME/ or "
    "App_Data/jobs/continuous/NAME/."
)


def _put(request: HttpRequest, app: str, path: str = "", slot: str = PRODUCTION) -> HttpResponse:
    """Every WebJob in the zip gets new files, or none does; other files are not kept."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    most = settings.WEBJOBS_MAX_UPLOAD
    prefix = path.strip("/") + "/" if path.strip("/") else ""
    with spooled(request, most) as file, ExitStack() as files:
        _put_all(request, found, _uploads(file, prefix, files))
    return empty()


def _put_all(request: HttpRequest, slot: Slot, uploads: dict[Key, packages.Upload]) -> None:
    """All of them or none; raises Refused that names the WebJob."""
    for upload in uploads.values():
        # What takes its time is done before the rows are locked.
        dispatch.keep_upload(upload)
    with transaction.atomic():
        for key, upload in uploads.items():
            with _named(key):
                put_job(request, slot, *key, upload)


def _uploads(path: Path, prefix: str, files: ExitStack) -> dict[Key, packages.Upload]:
    """A checked package for each WebJob in the zip at `path`; raises Refused."""
    limits = PackageLimits()
    try:
        with path.open("rb") as source, archive.opened(source, limits) as opened:
            archive.read_members(opened, limits)
            archive.verify(opened, limits)
            parts = {key: _part(opened, infos, files) for key, infos in _split(opened, prefix)}
    except PackageError as error:
        raise Refused("BadRequest", error.message, 400) from error
    if not parts:
        raise Refused("BadRequest", NOTHING, 400)
    return {key: _checked(key, part) for key, part in parts.items()}


_Members: TypeAlias = list[tuple[zipfile.ZipInfo, str]]


def _split(opened: zipfile.ZipFile, prefix: str) -> Iterator[tuple[Key, _Members]]:
    """The entries of each WebJob with their paths inside it."""
    found: dict[tuple[str, str], tuple[str, _Members]] = {}
    for info in opened.infolist():
        if info.is_dir():
            continue
        match = _JOB_FILE.fullmatch(prefix + info.filename.replace("\\", "/"))
        if match:
            key = match["type"].lower(), match["name"].lower()
            found.setdefault(key, (match["name"], []))[1].append((info, match["rest"]))
    for (type, _), (name, infos) in found.items():
        check_name(name)
        yield (JobType(type), name), infos


def _part(opened: zipfile.ZipFile, infos: _Members, files: ExitStack) -> Path:
    """A zip of its own with these entries, which is gone when `files` is closed."""
    target = files.enter_context(
        tempfile.NamedTemporaryFile(  # noqa: SIM115
            dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".zip"
        )
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as part:
        for info, name in infos:
            new = zipfile.ZipInfo(name, info.date_time)
            new.compress_type, new.external_attr = zipfile.ZIP_DEFLATED, info.external_attr
            with archive.content(opened, info) as source, part.open(new, "w") as copy:
                _copy(source, copy)
    target.flush()
    return Path(target.name)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(BLOCK):
        target.write(block)


def _checked(key: Key, part: Path) -> packages.Upload:
    with _named(key):
        return checked(part, f"{key[1]}.zip", is_zip=True)


@contextmanager
def _named(key: Key) -> Iterator[None]:
    """A refusal inside names the WebJob that it is about."""
    try:
        yield
    except Refused as error:
        words = "{}/{}: {}".format(*key, error.message)
        raise Refused(error.code, words, error.status) from error


NOT_PACKED = "Folders are not packed here. Download a package from its WebJob's page."
zips = KUDU.endpoint(NOT_PACKED, PUT=_put)
