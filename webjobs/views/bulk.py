"""Run, Start, Stop or Delete of several WebJobs; each is a change of its own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from webjobs import dispatch
from webjobs.access import actor_of, slot_for, webjob_for
from webjobs.dispatch import Actor
from webjobs.models import WebJob
from webjobs.models.app import PRODUCTION
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.commands import DELETE, RUN, START, STOP
from webjobs.views.rows import ROWS_PER_PAGE
from webjobs.views.undo import offer

Act = Callable[[WebJob, Actor], object]

COMMANDS = {command.name: command for command in (RUN, START, STOP, DELETE)}
ACTS: dict[str, Act] = {
    "run": dispatch.run_now,
    "start": dispatch.start,
    "stop": dispatch.stop,
    "delete": dispatch.delete,
}


WAYS_BACK = {"start": "stop", "stop": "start", "delete": "restore"}


def _done_words(command: str, count: int) -> str:
    words = {
        "run": ngettext(
            "Successfully triggered %(count)d WebJob",
            "Successfully triggered %(count)d WebJobs",
            count,
        ),
        "start": ngettext(
            "Successfully started %(count)d WebJob",
            "Successfully started %(count)d WebJobs",
            count,
        ),
        "stop": ngettext(
            "Successfully stopped %(count)d WebJob",
            "Successfully stopped %(count)d WebJobs",
            count,
        ),
        "delete": ngettext(
            "Successfully deleted %(count)d WebJob",
            "Successfully deleted %(count)d WebJobs",
            count,
        ),
    }
    return words[command] % {"count": count}


@require_POST
def bulk(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Do `command` with each `job` (`triggered/nightly`); one that fails does not hold up others.

    JSON: the sentence for all, `done` and `failed` counts.
    """
    command = COMMANDS.get(request.POST.get("command", ""))
    keys = dict.fromkeys(request.POST.getlist("job"))
    if command is None or not 0 < len(keys) <= ROWS_PER_PAGE:
        return JsonResponse({"error": _("Select a WebJob first.")}, status=400)
    parent = slot_for(request, app, slot, command.role)
    sentences, done = [], 0
    undoable: list[int] = []
    for key in keys:
        type, _slash, name = key.partition("/")
        try:
            job = webjob_for(request, app, slot, type, name, command.role)
            is_change = job.is_stopped == (command is START)
            ACTS[command.name](job, actor_of(request))
            done += 1
            undoable += [job.pk] if is_change or command is DELETE else []
        except Http404:
            why = _("It has been deleted.")
            sentences.append(command.failed % {"name": name, "why": why})
        except dispatch.Refused as error:
            sentences.append(command.failed % {"name": name, "why": told(error)})
    failed = len(sentences)
    if done:
        sentences.insert(0, _done_words(command.name, done) + ("." if failed else ""))
    message = " ".join(sentences)
    answer = {"message": message, "done": done, "failed": failed}
    if undoable and command.name in WAYS_BACK:
        url = slot_url(parent, "webjobs")
        answer["undo"] = offer(request, WAYS_BACK[command.name], message, url, undoable)
    return JsonResponse(answer)
