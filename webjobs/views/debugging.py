"""Remote debugging: Start and Stop with their questions, and how it stands on each instance."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of, webjob_for
from webjobs.forms.debugging import DebugForm
from webjobs.models import Copy, DebugSession, Instance, Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.runner.debugger import Language, language_of
from webjobs.states import COPY_ALIVE, CopyStatus
from webjobs.telling import told
from webjobs.views.addresses import job_url, slot_url
from webjobs.views.answers import done, posted, refused

# For how long a page still says why a session has ended.
_TOLD_FOR = timedelta(minutes=10)
_WORDS = {
    "Starting": gettext_noop("The debugger starts"),
    "Listening": gettext_noop("The debugger listens"),
    "Connected": gettext_noop("A debugger is connected"),
    "Ending": gettext_noop("Debugging ends"),
    "Ended": gettext_noop("Debugging has ended"),
}
_KINDS = {"Starting": "warn", "Listening": "busy", "Connected": "busy", "Ending": "warn"}


@dataclass(frozen=True)
class Debugged:
    """A copy and its debug session, if there is one; `command` is empty unless it is the
    viewer's."""

    copy: Copy
    session: DebugSession | None
    state: str
    base: str
    command: str
    can_start: bool

    @property
    def words(self) -> str:
        return _(_WORDS[self.state]) if self.state else ""

    @property
    def kind(self) -> str:
        return _KINDS.get(self.state, "none")

    @property
    def can_stop(self) -> bool:
        return self.state in ("Starting", "Listening", "Connected")

    @property
    def session_id(self) -> str:
        return str(self.session.pk) if self.session else ""

    @property
    def language(self) -> str:
        return Language(self.session.language).label if self.session else ""


def debugged(request: HttpRequest, job: WebJob, copies: Sequence[Copy]) -> list[Debugged]:
    """How debugging stands on the instances that live; empty when `job` has no debugger."""
    if language_of(job.script) is None:
        return []
    now = timezone.now()
    sessions = DebugSession.objects.filter(job=job, until__gt=now - timedelta(hours=2))
    newest: dict[int, DebugSession] = {}
    for session in sessions.order_by("pk"):
        if session.ended_at is None or session.ended_at > now - _TOLD_FOR:
            newest[session.instance_id] = session
    return [
        _shown(request, job, copy, newest.get(copy.instance_id), now)
        for copy in copies
        if copy.instance.is_live(now)
    ]


def _shown(
    request: HttpRequest, job: WebJob, copy: Copy, session: DebugSession | None, now: datetime
) -> Debugged:
    state = session.state(now) if session else ""
    is_mine = session is not None and session.by_name == request.user.get_username()
    runs = copy.status in COPY_ALIVE or copy.status == CopyStatus.PENDING_RESTART
    return Debugged(
        copy=copy,
        session=session,
        state=state,
        base=slot_url(job.slot, "debug-start", name=job.name, key=copy.instance.key).removesuffix(
            "start"
        ),
        command=_command(request, job, copy) if is_mine and state not in ("", "Ended") else "",
        can_start=runs and state in ("", "Ended"),
    )


def _command(request: HttpRequest, job: WebJob, copy: Copy) -> str:
    """What the developer types on their machine."""
    words = ["python", "manage.py", "debug", job.slot.app.name, job.name]
    if not job.slot.is_production:
        words += ["--slot", job.slot.name]
    words += ["--instance", copy.instance.name, "--url", request.build_absolute_uri("/")]
    return shlex.join(words)


def _found(
    request: HttpRequest, app: str, slot: str, name: str, key: str
) -> tuple[WebJob, Instance]:
    job = webjob_for(request, app, slot, "continuous", name, Role.CONTRIBUTOR)
    if "\0" in key:
        raise Http404("No such instance.")
    return job, get_object_or_404(Instance, key=key)


@require_http_methods(["GET", "POST"])
def debug_start(
    request: HttpRequest, app: str, name: str, key: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Ask for how long, then start this copy anew under a debugger."""
    job, instance = _found(request, app, slot, name, key)
    form = DebugForm(posted(request))
    back = job_url(job, "webjob-details")
    if not form.is_valid():
        return _ask(request, job, instance, form, is_start=True)
    try:
        lasts = timedelta(minutes=form.cleaned_data["minutes"])
        dispatch.start_debugging(job, instance, actor_of(request), lasts)
    except dispatch.Refused as error:
        words = _("Debugging was not started: %(why)s") % {"why": told(error)}
        return refused(request, error, words, back)
    words = _("The WebJob is started anew under its debugger on %(instance)s.")
    return done(request, words % {"instance": instance.name}, back)


@require_http_methods(["GET", "POST"])
def debug_stop(
    request: HttpRequest, app: str, name: str, key: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Ask, then let this copy go on without its debugger."""
    job, instance = _found(request, app, slot, name, key)
    if request.method != "POST":
        return _ask(request, job, instance, DebugForm(), is_start=False)
    unended = DebugSession.objects.unended().filter(job=job, instance=instance)
    for session in unended.select_related("instance"):
        session.job = job
        dispatch.stop_debugging(session, actor_of(request))
    words = _("Debugging ends on %(instance)s; the WebJob goes on without it.")
    return done(request, words % {"instance": instance.name}, job_url(job, "webjob-details"))


def _ask(
    request: HttpRequest, job: WebJob, instance: Instance, form: DebugForm, *, is_start: bool
) -> HttpResponse:
    context = {
        "job": job,
        "slot": job.slot,
        "instance": instance,
        "form": form,
        "is_start": is_start,
        "back": job_url(job, "webjob-details"),
    }
    return render(request, "webjobs/debug.html", context, status=400 if form.errors else 200)
