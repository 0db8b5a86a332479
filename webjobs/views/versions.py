"""The packages that a WebJob has had: list, difference, download, roll back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of, webjob_for
from webjobs.models import Package, PackageVersion, Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.models.version import KEPT_VERSIONS, SEARCHED_RUNS, uses
from webjobs.runner import comparison
from webjobs.runner.comparison import Change
from webjobs.runner.package import PackageError
from webjobs.telling import told
from webjobs.views.addresses import job_url
from webjobs.views.answers import done, refused
from webjobs.views.rights import rights_in
from webjobs.views.undo import offer_back, present_state

# What a list shows; a WebJob has more only while old runs keep them.
MOST_VERSIONS = 200


def _numbered(job: WebJob, text: str | int | None) -> PackageVersion:
    versions = PackageVersion.objects.filter(job=job).select_related("package")
    number = int(text) if text and str(text).isdecimal() and len(str(text)) < 9 else 0
    found = versions.filter(number=number).first()
    if found is None:
        raise Http404("No such version.")
    return found


def _runs_words(count: int) -> str:
    return ngettext("%(count)d run", "%(count)d runs", count) % {"count": count}


def _context(request: HttpRequest, job: WebJob) -> dict[str, Any]:
    return {"job": job, "slot": job.slot, "rights": rights_in(request, job.slot.app)}


@require_GET
def versions(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Which packages the WebJob has had, which one serves, and which runs used them."""
    job = webjob_for(request, app, slot, type, name)
    found = PackageVersion.objects.filter(job=job).select_related("package")[:MOST_VERSIONS]
    used = uses(job)
    shown = list(found)
    rows = [
        {
            "version": version,
            "before": shown[index + 1] if index + 1 < len(shown) else None,
            "serves": version.package_id == job.package_id,
            "used": used.get(version.package_id),
            "used_words": _runs_words(used.get(version.package_id, (0, 0))[0]),
        }
        for index, version in enumerate(shown)
    ]
    context = {"rows": rows, "kept": KEPT_VERSIONS, "searched": SEARCHED_RUNS}
    return render(request, "webjobs/versions.html", _context(request, job) | context)


@contextmanager
def _opened(package: Package) -> Iterator[IO[bytes]]:
    """The stored bytes; raises Http404 when the storage has lost them."""
    try:
        with storages["packages"].open(package.storage_name) as file:
            yield file
    except FileNotFoundError:
        raise Http404(f"The storage no longer has the package {package}.") from None


def changes_between(old: Package, new: Package) -> list[Change]:
    """What leads from one package to the other. Raises PackageError, Http404."""
    with ExitStack() as stack:
        before, after = (
            stack.enter_context(
                comparison.contents(
                    stack.enter_context(_opened(package)), package.kind, package.file_name
                )
            )
            for package in (old, new)
        )
        return comparison.compare(before, after)


@require_GET
def version_changes(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """How version `?to=` differs from version `?from=`, file by file and line by line."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    old = _numbered(job, request.GET.get("from"))
    new = _numbered(job, request.GET.get("to"))
    context = _context(request, job) | {"old": old, "new": new}
    try:
        context["changes"] = changes_between(old.package, new.package)
    except PackageError as error:
        context["error"] = told(error)
    return render(request, "webjobs/version_changes.html", context)


@require_GET
def version_download(
    request: HttpRequest, app: str, type: str, name: str, number: int, slot: str = PRODUCTION
) -> FileResponse:
    """The package as it was uploaded, byte for byte."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    package = _numbered(job, number).package
    try:
        file = storages["packages"].open(package.storage_name)
    except FileNotFoundError:
        raise Http404(f"The storage no longer has the package {package}.") from None
    response = FileResponse(
        file,
        as_attachment=True,
        filename=package.file_name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "POST"])
def roll_back(
    request: HttpRequest, app: str, type: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse:
    """Ask, then give the WebJob the files of an earlier version again."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    version = _numbered(job, number)
    url = job_url(job, "webjob-versions")
    if request.method != "POST":
        context = {"version": version, "url": url}
        return render(request, "webjobs/roll_back.html", _context(request, job) | context)
    words, was = {"name": job.name, "number": version.number}, present_state(job)
    try:
        dispatch.roll_back(job, version, actor_of(request))
    except dispatch.Refused as error:
        message = _("Failed to roll back WebJob '%(name)s': %(why)s")
        return refused(request, error, message % {**words, "why": told(error)}, url)
    message = _("Successfully rolled back WebJob '%(name)s' to version %(number)d") % words
    return done(request, message, url, undo=offer_back(request, job, was, message, url))
