"""Call this WebJob: its web hook, and commands for curl, PowerShell, Python and az."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from webjobs.access import webjob_for
from webjobs.api.calling import examples
from webjobs.api.calling.examples import Call, Target
from webjobs.api.links import Links, root_of
from webjobs.models import WebJob
from webjobs.models.app import PRODUCTION
from webjobs.views.rights import rights_in

MAX_ARGUMENTS = 1000
SAMPLE = 'one "two words"'
WAIT = 60


class Example(TypedDict):
    """A command with what it does; `id` is unique in the page."""

    id: str
    title: str
    text: str


class Tool(TypedDict):
    name: str
    examples: list[Example]


def _target(request: HttpRequest, job: WebJob) -> Target:
    slot = job.slot
    return Target(
        url=Links(request, slot).job(job),
        user=slot.publishing_user,
        root=root_of(request),
        app=slot.app.name,
        slot=None if slot.is_production else slot.name,
        type=job.type,
        name=job.name,
        person=request.user.get_username(),
    )


def _calls(job: WebJob, arguments: str) -> list[tuple[str, Call]]:
    if job.is_continuous:
        return [(_("Start"), Call("start")), (_("Stop"), Call("stop"))]
    return [
        (_("Run"), Call("run")),
        (_("Run with arguments"), Call("run", {"arguments": arguments})),
        (_("Run and wait for the end"), Call("run", {"wait": str(WAIT)})),
    ]


def _tool(
    name: str, make: Callable[[Target, Call], str], target: Target, calls: list[tuple[str, Call]]
) -> Tool:
    found: list[Example] = [
        {"id": f"{name.lower()}-{index}", "title": title, "text": make(target, call)}
        for index, (title, call) in enumerate(calls, 1)
    ]
    return {"name": name, "examples": found}


def _context(request: HttpRequest, job: WebJob, arguments: str) -> dict[str, Any]:
    target, calls = _target(request, job), _calls(job, arguments or SAMPLE)
    plain = [(title, call) for title, call in calls if not call.query]
    tools = [
        _tool("curl", examples.curl, target, calls),
        _tool("PowerShell", examples.powershell, target, calls),
        _tool("Python", examples.python, target, calls),
    ]
    return {
        "job": job,
        "slot": job.slot,
        "rights": rights_in(request, job.slot.app),
        "tools": tools,
        "az": _tool("az", examples.az, target, plain),
        "az_setup": examples.az_setup(target),
        "target": target,
        "hook": f"{target.url}/run",
        "hook_with_credentials": examples.address_with_credentials(
            target, Call("run"), _("PASSWORD")
        ),
        "password_variable": examples.PASSWORD,
        "token_variable": examples.TOKEN,
        "arguments": arguments,
        "sample": SAMPLE,
        "max_arguments": MAX_ARGUMENTS,
        "is_secure": request.is_secure(),
        "openapi": f"{target.root}/api/openapi.json",
    }


@require_GET
def call(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """How to call the WebJob from elsewhere; `?arguments=` are shown in the commands."""
    job = webjob_for(request, app, slot, type, name)
    arguments = request.GET.get("arguments", "").replace("\0", "")[:MAX_ARGUMENTS]
    return render(request, "webjobs/call.html", _context(request, job, arguments))
