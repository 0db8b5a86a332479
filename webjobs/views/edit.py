"""Edit a WebJob: all at once, with what changes shown before it is applied."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webjobs import deploying, dispatch, packages
from webjobs.access import actor_of, webjob_for
from webjobs.forms.editing import EditForm, package_token
from webjobs.models import Package, Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.runner.package import PackageError
from webjobs.telling import told
from webjobs.timezones import names as zone_names
from webjobs.views.add import OF_THE_PACKAGE
from webjobs.views.addresses import job_url
from webjobs.views.answers import done
from webjobs.views.meanwhile import labels, last_editor, shown, shown_of
from webjobs.views.undo import offer_back, present_state
from webjobs.views.versions import changes_between


def _differences(job: WebJob, edit: dispatch.Edit) -> list[tuple[str, str, str]]:
    """Name, present value and new value of what changes. Raises Refused."""
    old, new = job.settings_job, edit.settings_after(job).to_dict()
    names = labels()
    keys = [*(key for key in names if key in old | new), *sorted((old | new).keys() - names.keys())]
    found = [
        (names.get(key, key), shown_of(key, old.get(key)), shown_of(key, new.get(key)))
        for key in keys
        if old.get(key) != new.get(key)
    ]
    if (script := edit.script_after(job)) != job.script:
        found.insert(0, (_("Run command"), job.script, script))
    schedule = getattr(job, "schedule", None)
    if edit.is_enabled is not None and (schedule is None or schedule.is_enabled != edit.is_enabled):
        found.append((_("Run on schedule"), shown(not edit.is_enabled), shown(edit.is_enabled)))
    return found


def _page(
    request: HttpRequest, job: WebJob, form: EditForm, template: str, status: int, **more: Any
) -> HttpResponse:
    context = {
        "job": job, "slot": job.slot, "form": form, "labels": labels(),
        "zone_names": zone_names(), "seen": form["seen"].value(),
        "back": job_url(job, "webjob-details"),
    } | more  # fmt: skip
    return render(request, f"webjobs/{template}", context, status=status)


def _with_package(request: HttpRequest, job: WebJob, form: EditForm) -> EditForm:
    """Put an uploaded file into the storage, so that the next form only names it."""
    upload = form.cleaned_data.get("file")
    if upload is None:
        return form
    packages.keep(upload)
    package = packages.store(upload, actor_of(request).user)
    data = request.POST.copy()
    data["package"] = package_token(job, package)
    # What was chosen was one of the present files.
    data["script"] = job.script_in(package)
    again = EditForm(data, job=job)
    again.is_valid()
    return again


@require_http_methods(["GET", "POST"])
@never_cache
def edit(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """The form (GET), its review and, once reviewed, its application (POST)."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    if request.method != "POST":
        return _page(request, job, EditForm.begun(job, dispatch.state_of(job)), "edit.html", 200)
    form = EditForm(request.POST, request.FILES, job=job)
    is_good = form.is_valid()
    if form.cleaned_data.get("file") and deploying.is_connected(job.slot):
        form.add_error("file", _(deploying.MANAGED))
        is_good = False
    try:
        form = _with_package(request, job, form)
    except packages.NotKept as error:
        text = _("The package storage does not take the file: %(error)s.")
        form.add_error("file", text % {"error": error})
        is_good = False
    action = request.POST.get("action")
    if not is_good or action == "back":
        return _page(request, job, form, "edit.html", 200 if is_good else 400)
    settings, is_enabled = form.changed
    wanted = dispatch.Edit(settings, is_enabled, form.cleaned_data["package"], form.chosen_script)
    by, was = "", present_state(job)
    if action == "apply":
        try:
            dispatch.edit_webjob(job, wanted, form.cleaned_data["seen"], actor_of(request))
        except dispatch.Refused as error:
            if error.code != "changed":
                form.add_error(None, told(error))
                return _page(request, job, form, "edit.html", error.status)
            by = last_editor(job) or "?"
        else:
            message = _("Successfully updated WebJob '%(name)s'") % {"name": job.name}
            url = job_url(job, "webjob-details")
            return done(request, message, url, undo=offer_back(request, job, was, message, url))
    return _review(request, job, form, wanted, by)


def _review(
    request: HttpRequest, job: WebJob, form: EditForm, wanted: dispatch.Edit, by: str
) -> HttpResponse:
    """What would change from what is now; `by` is who changed something meanwhile."""
    try:
        differences = _differences(job, wanted)
    except dispatch.Refused as error:
        fields = {"schedule": "cron", "time_zone": "time_zone", "script": "script"}
        field, words = fields.get(error.code), told(error)
        if error.code in OF_THE_PACKAGE and wanted.package and error.code not in wanted.settings:
            field, words = "file", f"settings.job: {words}"
        form.add_error(field if field in form.fields else None, words)
        return _page(request, job, form, "edit.html", error.status)
    more: dict[str, Any] = {"differences": differences, "by": by}
    if wanted.package and wanted.package.pk != job.package_id:
        more |= {"package": wanted.package} | _files(job.package, wanted.package)
    now = dispatch.state_of(job)
    stale = form.cleaned_data["seen"] != now
    offers = "package" in more and form.offers_scripts
    shown = {"file", "seen", *(["script"] if offers else [])}
    more["hidden"] = [field for field in form if field.name not in shown]
    more["offers"] = offers
    more |= {"now": now, "stale": stale, "nothing": not differences and "package" not in more}
    return _page(request, job, form, "review.html", 409 if by else 200, **more)


def _files(old: Package, new: Package) -> dict[str, Any]:
    try:
        return {"changes": changes_between(old, new)}
    except PackageError as error:
        return {"error": told(error)}
