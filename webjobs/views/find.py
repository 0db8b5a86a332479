"""The command search: apps, WebJobs, pages and actions by what is typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Case, IntegerField, Q, Value, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webjobs.access import slot_for
from webjobs.models import App, Slot, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.views.addresses import job_url, slot_url
from webjobs.views.answers import asked
from webjobs.views.rights import rights_in

MOST_APPS = 5
MOST_JOBS = 10
# So few WebJobs are shown with their main pages.
FEW_JOBS = 3
MAIN_PAGES = 2
LONGEST_QUERY = 100

Found = dict[str, Any]


def _item(label: str, detail: str, url: str, icon: str, **more: str) -> Found:
    return {"label": label, "detail": detail, "url": url, "icon": icon, **more}


def _folded(text: str) -> str:
    """As people type it in haste: without capitals and accents, with the keyboard's apostrophe."""
    parts = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    return "".join(part for part in parts if not unicodedata.combining(part))


def _matches(words: list[str], *texts: str) -> bool:
    found = [_folded(text) for text in texts]
    return all(any(word in text for text in found) for word in words)


def _begins_first(field: str, word: str) -> Case:
    """0 for names that begin with `word`, 1 for those that contain it, 2 for all others."""
    begins = When(**{f"{field}__istartswith": word}, then=Value(0))
    contains = When(**{f"{field}__icontains": word}, then=Value(1))
    return Case(begins, contains, default=Value(2), output_field=IntegerField())


def _apps(request: HttpRequest, words: list[str]) -> list[Found]:
    found = App.objects.visible_to(request.user)
    for word in words:
        found = found.filter(name__icontains=word)
    first = words[0] if words else ""
    found = found.order_by(_begins_first("name", first), "name")[:MOST_APPS]
    return [_item(a.name, _("App"), reverse("webjobs", args=[a.name]), "app") for a in found]


def _jobs(request: HttpRequest, words: list[str]) -> list[WebJob]:
    if not words:
        return []
    jobs = WebJob.objects.living().filter(slot__app__in=App.objects.visible_to(request.user))
    for word in words:
        jobs = jobs.filter(Q(name__icontains=word) | Q(slot__app__name__icontains=word))
    jobs = jobs.select_related("slot__app").defer("slot__publishing_password")
    return list(jobs.order_by(_begins_first("name", words[0]), "name", "pk")[:MOST_JOBS])


def _pages_of(
    request: HttpRequest, job: WebJob, words: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Those with `words` in their title; without any the first MAIN_PAGES need no asking."""
    pages = [
        (_("History and logs"), job_url(job, "webjob-details"), "history"),
        (_("Properties"), job_url(job, "webjob-properties"), "properties"),
        (_("Package versions"), job_url(job, "webjob-versions"), "versions"),
    ]
    if not job.is_continuous:
        pages.append((_("Call this WebJob"), job_url(job, "webjob-call"), "call"))
    yield from (page for page in pages if _matches(words, page[0]))
    # Last, because it costs a query.
    if words and _matches(words, _("Edit")) and rights_in(request, job.slot.app).may_change:
        yield _("Edit"), job_url(job, "webjob-edit"), "edit"


def _job_items(request: HttpRequest, words: list[str]) -> list[Found]:
    """WebJobs; with the name of one of their pages behind it, that page."""
    jobs, pages = _jobs(request, words), []
    if not jobs:
        pages = [word for word in words if len(word) > 2]
        jobs = _jobs(request, words[:-1]) if words and words[-1] in pages else []
        pages = words[-1:]
    items = []
    for job in jobs:
        shown = list(_pages_of(request, job, pages))
        if not pages:
            shown = shown[: MAIN_PAGES if len(jobs) <= FEW_JOBS else 1]
        for title, url, icon in shown:
            items.append(_item(job.name, f"{job.slot} · {title}", url, icon))
    return items[:MOST_JOBS]


def _slot_at(request: HttpRequest) -> Slot | None:
    """The slot of the page that asks, when the viewer may see it."""
    with suppress(Resolver404, Http404):
        where = resolve(urlsplit(request.GET.get("at", "")).path).kwargs
        if "app" in where:
            return slot_for(request, where["app"], where.get("slot", PRODUCTION))
    return None


def _pages(request: HttpRequest, slot: Slot | None) -> Iterator[Found]:
    if slot is not None:
        app = str(slot)
        yield _item(_("WebJobs"), app, slot_url(slot, "webjobs"), "webjobs-mono")
        yield _item(_("Environment variables"), app, slot_url(slot, "settings"), "variables")
        yield _item(_("Configuration"), app, slot_url(slot, "configuration"), "settings")
        yield _item(_("Deployment Center"), app, slot_url(slot, "deployment"), "download")
        yield _item(_("Deployment slots"), app, slot_url(slot, "slots"), "app")
        yield _item(_("WebJobs history"), app, slot_url(slot, "history"), "history")
    yield _item("App Services", _("Page"), reverse("apps"), "home")
    yield _item(_("Instances"), _("Page"), reverse("instances"), "instances")
    yield _item(_("API tokens"), _("Page"), reverse("tokens"), "key")
    yield _item(_("Help"), _("Page"), reverse("help"), "help")
    if getattr(request.user, "is_staff", False):
        yield _item(_("Administration"), _("Page"), reverse("admin:index"), "settings")


def _actions(request: HttpRequest, slot: Slot | None) -> Iterator[Found]:
    action = _("Action")
    if slot is not None and rights_in(request, slot.app).may_change:
        where = f"{action} · {slot}"
        yield _item(_("Add WebJob"), where, slot_url(slot, "webjob-add"), "add", panel="1")
    if getattr(request.user, "is_superuser", False):
        yield _item(_("Create app"), action, reverse("app-add"), "add", panel="1")
    for code, _name in settings.LANGUAGES:
        if code != get_language():
            label = _("Switch language: %(name)s") % {"name": get_language_info(code)["name_local"]}
            yield _item(label, action, reverse("set_language"), "user", language=code)


@require_GET
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """JSON of what fits `?q=`, a bounded number in groups; `?at=` is the page that asks."""
    words = _folded(asked(request, "q")[:LONGEST_QUERY]).split()
    slot = _slot_at(request)
    pages = [p for p in _pages(request, slot) if _matches(words, p["label"], p["detail"])]
    actions = [a for a in _actions(request, slot) if _matches(words, a["label"], a["detail"])]
    groups = [
        (_("WebJobs"), _job_items(request, words)),
        (_("Apps"), _apps(request, words)),
        (_("Pages"), pages),
        (_("Actions"), actions),
    ]
    shown = [{"title": title, "items": items} for title, items in groups if items]
    return JsonResponse({"groups": shown})
