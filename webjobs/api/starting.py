"""Starting a run for a client, at most once per `Idempotency-Key`."""

from __future__ import annotations

from django.http import HttpRequest

from webjobs import dispatch
from webjobs.access import actor_of, caller_of
from webjobs.models import Run, WebJob
from webjobs.states import Trigger


def start_run(request: HttpRequest, job: WebJob) -> Run:
    """Start a run with the arguments of the query; raises Refused."""
    caller = caller_of(request)
    is_webhook = caller is not None and caller.slot is not None
    return dispatch.run_now(
        job,
        actor_of(request),
        arguments=request.GET.get("arguments", ""),
        trigger=Trigger.WEBHOOK if is_webhook else Trigger.API,
        trigger_text=f"External - {request.headers.get('User-Agent', '')}".replace("\0", ""),
    )
