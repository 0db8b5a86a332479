"""Run, Start, Stop and Delete: a question, then the deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of, webjob_for
from webjobs.dispatch import Actor
from webjobs.forms.runs import RunForm
from webjobs.models import Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.states import Trigger
from webjobs.telling import told
from webjobs.views.addresses import run_url, slot_url
from webjobs.views.answers import done, invalid, posted, refused, wants_json
from webjobs.views.undo import offer


@dataclass(frozen=True)
class Command:
    """A command on one WebJob. The words are lazy translations."""

    name: str
    title: Any
    question: Any
    succeeded: Any
    failed: Any
    role: Role


RUN = Command(
    "run",
    _("Run WebJob"),
    _("Are you sure you want to run the selected WebJob?"),
    _("Successfully triggered WebJob '%(name)s'"),
    _("Failed to run WebJob '%(name)s': %(why)s"),
    Role.OPERATOR,
)
START = Command(
    "start",
    _("Start WebJob"),
    _("Are you sure you want to start the selected WebJob?"),
    _("Successfully started WebJob '%(name)s'"),
    _("Failed to start WebJob '%(name)s': %(why)s"),
    Role.OPERATOR,
)
STOP = Command(
    "stop",
    _("Stop WebJob"),
    _("Are you sure you want to stop the selected WebJob?"),
    _("Successfully stopped WebJob '%(name)s'"),
    _("Failed to stop WebJob '%(name)s': %(why)s"),
    Role.OPERATOR,
)
DELETE = Command(
    "delete",
    _("Delete WebJob"),
    _("Are you sure you want to delete the selected WebJob?"),
    _("Successfully deleted WebJob '%(name)s'"),
    _("Failed to delete WebJob '%(name)s': %(why)s"),
    Role.CONTRIBUTOR,
)


def _ask(request: HttpRequest, job: WebJob, command: Command, form: RunForm) -> HttpResponse:
    context = {"job": job, "slot": job.slot, "command": command, "form": form}
    return render(request, "webjobs/confirm.html", context, status=400 if form.errors else 200)


def _serve(
    request: HttpRequest,
    job: WebJob,
    command: Command,
    act: Callable[[WebJob, Actor, RunForm], str],
    way_back: str = "",
) -> HttpResponse:
    """Ask on GET, act on POST. `act` returns where to go on; `way_back` undoes it."""
    form = RunForm(posted(request), initial={"arguments": request.GET.get("arguments", "")})
    if request.method != "POST":
        return _ask(request, job, command, form)
    if not form.is_valid():
        return invalid(form) if wants_json(request) else _ask(request, job, command, form)
    words = {"name": job.name}
    try:
        url = act(job, actor_of(request), form)
    except dispatch.Refused as error:
        message = command.failed % {**words, "why": told(error)}
        return refused(request, error, message, slot_url(job.slot, "webjobs"))
    message = command.succeeded % words
    undo = offer(request, way_back, message, url, [job.pk]) if way_back else ""
    return done(request, message, url, undo=undo, key=f"{job.type}/{job.name}")


@require_http_methods(["GET", "POST"])
def run(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Start a run of a triggered WebJob."""

    def act(job: WebJob, actor: Actor, form: RunForm) -> str:
        arguments = form.cleaned_data["arguments"]
        return run_url(dispatch.run_now(job, actor, arguments=arguments, trigger=Trigger.MANUAL))

    job = webjob_for(request, app, slot, type, name, RUN.role)
    return _serve(request, job, RUN, act)


@require_http_methods(["GET", "POST"])
def start(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Let a continuous WebJob run; one that waits for its restart starts now."""

    def act(job: WebJob, actor: Actor, form: RunForm) -> str:
        dispatch.start(job, actor)
        return slot_url(job.slot, "webjobs")

    job = webjob_for(request, app, slot, type, name, START.role)
    # One that waits for its restart has not been stopped before.
    return _serve(request, job, START, act, "stop" if job.is_stopped else "")


@require_http_methods(["GET", "POST"])
def stop(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Let a continuous WebJob end and stay ended."""

    def act(job: WebJob, actor: Actor, form: RunForm) -> str:
        dispatch.stop(job, actor)
        return slot_url(job.slot, "webjobs")

    job = webjob_for(request, app, slot, type, name, STOP.role)
    return _serve(request, job, STOP, act, "" if job.is_stopped else "start")


@require_http_methods(["GET", "POST"])
def delete(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Stop a WebJob and remove it with its history."""

    def act(job: WebJob, actor: Actor, form: RunForm) -> str:
        dispatch.delete(job, actor)
        return slot_url(job.slot, "webjobs")

    job = webjob_for(request, app, slot, type, name, DELETE.role)
    return _serve(request, job, DELETE, act, "restore")
