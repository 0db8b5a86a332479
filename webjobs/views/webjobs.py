"""The WebJobs blade."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_GET

from webjobs import deploying
from webjobs.access import slot_for
from webjobs.models import Slot
from webjobs.models.app import PRODUCTION
from webjobs.views.answers import asked
from webjobs.views.rights import rights_in
from webjobs.views.rows import Rows


def _context(request: HttpRequest, slot: Slot) -> dict[str, Any]:
    rows = Rows(slot, bars=True)
    return {
        "slot": slot,
        "page": rows.page(asked(request, "q"), asked(request, "after")),
        "engine": rows.engine,
        "has_instance": rows.has_instance,
        "rights": rights_in(request, slot.app),
        "managed": _(deploying.MANAGED) if deploying.is_connected(slot) else "",
    }


@require_GET
def webjobs(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Grid, commands and menus of a slot's WebJobs."""
    found = slot_for(request, app, slot)
    return render(request, "webjobs/webjobs.html", _context(request, found))


@require_GET
@conditional_page
def webjob_rows(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """The part of the blade that Refresh replaces; 304 when nothing has changed."""
    found = slot_for(request, app, slot)
    return render(request, "webjobs/_grid.html", _context(request, found))
