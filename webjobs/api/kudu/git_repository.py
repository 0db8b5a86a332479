"""`{app}.git`: where git pushes the WebJobs of an app."""

from __future__ import annotations

import shutil

from django.http import Http404, HttpRequest, HttpResponse

from webjobs.access import actor_of, slot_for
from webjobs.api.bodies import spooled
from webjobs.api.kudu.surface import KUDU
from webjobs.deploying import push
from webjobs.deploying.reaching import limits
from webjobs.dispatch import Refused
from webjobs.models import Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.runner import git_push
from webjobs.runner.git_errors import MISSING

ONLY_PUSH = "This repository takes pushes only; it keeps no history that could be fetched."


def _slot(request: HttpRequest, app: str, slot: str, repository: str) -> Slot:
    """The slot that can be pushed to; raises Refused when git is missing or it is connected."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    if repository.lower() != found.app.name.lower():
        raise Http404("No such repository.")
    if shutil.which("git") is None:
        raise Refused("GitMissing", MISSING, 503)
    push.require_open(found)
    return found


def _refs(request: HttpRequest, app: str, repository: str, slot: str = PRODUCTION) -> HttpResponse:
    """Nothing is there yet, and a push is welcome."""
    _slot(request, app, slot, repository)
    if request.GET.get("service") != "git-receive-pack":
        raise Refused("BadRequest", ONLY_PUSH, 409)
    return _answer(git_push.advertisement(), git_push.ADVERTISEMENT_TYPE)


def _pack(request: HttpRequest, app: str, repository: str, slot: str = PRODUCTION) -> HttpResponse:
    """Deploy what is pushed; the answer is for git, which shows it."""
    found = _slot(request, app, slot, repository)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("BadRequest", "The push must not be compressed as a whole.", 400)
    with spooled(request, limits().size) as path:
        try:
            with path.open("rb") as body:
                pushed = git_push.read(body)
        except git_push.NotDeployable as error:
            return _answer(git_push.report(error.push, [], error.message), git_push.RESULT_TYPE)
        except git_push.PushError as error:
            raise Refused("BadRequest", error.message, 400) from error
        if pushed is None:
            return _answer(b"", git_push.RESULT_TYPE)
        lines, refusal = push.receive(found, pushed, path, actor_of(request))
    told = [*lines, refusal] if refusal else lines
    return _answer(git_push.report(pushed, told, refusal), git_push.RESULT_TYPE)


def _answer(content: bytes, type: str) -> HttpResponse:
    return HttpResponse(content, content_type=type, headers={"Cache-Control": "no-store"})


refs = KUDU.endpoint("Only GET, as git asks.", GET=_refs)
pack = KUDU.endpoint("Only POST, as git pushes.", POST=_pack)
