"""Starting a run for a client, at most once per `Idempotency-Key`."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from webjobs import dispatch
from webjobs.access import actor_of, caller_of
from webjobs.dispatch import Refused
from webjobs.models import IdempotencyKey, Run, WebJob
from webjobs.models.idempotency import KEPT, MAX_LENGTH
from webjobs.states import Trigger


def start_run(request: HttpRequest, job: WebJob) -> Run:
    """Start a run with the arguments of the query; raises Refused.

    Asked again with the same `Idempotency-Key` it gives the run of the first time.
    """
    arguments = request.GET.get("arguments", "")
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return _start(request, job, arguments)
    if len(key) > MAX_LENGTH or "\0" in key:
        words = f"Idempotency-Key: must have at most {MAX_LENGTH} characters."
        raise Refused("BadRequest", words, 400)
    try:
        with transaction.atomic():
            return _start_first(request, job, key, arguments)
    except IntegrityError:
        return _repeated(job, key, arguments)


def _start_first(request: HttpRequest, job: WebJob, key: str, arguments: str) -> Run:
    """The key is kept only when the run starts; raises IntegrityError when it is known."""
    now = timezone.now()
    IdempotencyKey.objects.filter(job=job, created_at__lt=now - KEPT).delete()
    row = IdempotencyKey.objects.create(job=job, key=key, arguments=arguments, created_at=now)
    run = _start(request, job, arguments)
    IdempotencyKey.objects.filter(pk=row.pk).update(run=run)
    return run


def _repeated(job: WebJob, key: str, arguments: str) -> Run:
    known = IdempotencyKey.objects.filter(job=job, key=key).select_related("run").first()
    if known is None or known.run is None:
        raise Refused("Conflict", "The first request with this Idempotency-Key failed.", 409)
    if known.arguments != arguments:
        words = "Idempotency-Key: was used with other arguments before."
        raise Refused("UnprocessableEntity", words, 422)
    return known.run


def _start(request: HttpRequest, job: WebJob, arguments: str) -> Run:
    caller = caller_of(request)
    is_webhook = caller is not None and caller.slot is not None
    return dispatch.run_now(
        job,
        actor_of(request),
        arguments=arguments,
        trigger=Trigger.WEBHOOK if is_webhook else Trigger.API,
        trigger_text=f"External - {request.headers.get('User-Agent', '')}".replace("\0", ""),
    )
