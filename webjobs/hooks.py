"""Telling web hooks what happened: written down with the event itself, sent afterwards."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from celery import current_app
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webjobs import outages
from webjobs.dotnet import duration_text, time_text
from webjobs.models import Hook, HookDelivery, Run
from webjobs.models.hook import TRIGGERED_JOB_FINISHED

DELIVER = "webjobs.deliver_hook"
# Of one attempt (Kudu's).
SECONDS = 10.0
BATCH = 100
# How long the log of deliveries goes back.
KEPT = timedelta(days=7)
# The receiver wants to hear no more.
GONE = 410

# Written as SQL because every run that ends asks, nearly always for nothing.
_IS_WANTED = """
    SELECT 1 FROM webjobs_hook JOIN webjobs_webjob ON webjobs_webjob.slot_id = webjobs_hook.slot_id
    WHERE webjobs_webjob.id = %s AND webjobs_hook.event = %s LIMIT 1
"""


def announce_end(run: Run, now: datetime) -> None:
    """Note a delivery to every hook that wants to know of finished runs, in the transaction in
    which the run ended."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_WANTED, [run.job_id, TRIGGERED_JOB_FINISHED])
        if cursor.fetchone() is None:
            return
    hooks = Hook.objects.filter(slot__webjobs=run.job_id, event=TRIGGERED_JOB_FINISHED)
    # As the row has it: whoever ended the run may know it from before.
    ended = Run.objects.select_related("job").get(pk=run.pk)
    for hook in hooks:
        note(hook, hook.event, document_of(ended, hook.base), now)


def note(hook: Hook, event: str, payload: Any, now: datetime) -> HookDelivery:
    """Note one delivery and send it after the commit."""
    delivery = HookDelivery.objects.create(
        hook=hook, event=event, payload=json.dumps(payload), created_at=now, next_at=now
    )
    transaction.on_commit(partial(enqueue, delivery.pk), robust=True)
    return delivery


def document_of(run: Run, base: str) -> dict[str, Any]:
    """The run as Kudu tells it; what is empty is left out."""
    job = run.job
    url = f"{base}/api/triggeredwebjobs/{job.name}/history/{run.number}"
    log = f"{base}/vfs/data/jobs/triggered/{job.name}/{run.number}/output_log.txt"
    values = {
        "id": str(run.number),
        "name": str(run.number),
        "status": run.status,
        "start_time": time_text(run.started_at or run.queued_at),
        "end_time": time_text(run.ended_at),
        "duration": duration_text(run.duration()),
        "output_url": log if run.started_at else None,
        "url": url,
        "job_name": job.name,
        "trigger": run.trigger_text,
        "exit_code": run.exit_code,
        "reason": run.reason,
        "attempt": run.attempt,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def enqueue(delivery_pk: int) -> None:
    """Hint to any worker; without it the next clean-up finds what is due."""
    try:
        current_app.send_task(DELIVER, (delivery_pk,), retry=False, ignore_result=True)
    except (OperationalError, RedisError) as error:
        outages.broker.gone(error)
    else:
        outages.broker.back()


def enqueue_due(now: datetime) -> None:
    """Hint to every delivery whose time has come, and forget what was over long ago."""
    HookDelivery.objects.filter(next_at=None, created_at__lt=now - KEPT).delete()
    for pk in HookDelivery.objects.due(now).values_list("pk", flat=True)[:BATCH]:
        enqueue(pk)


def deliver(delivery_pk: int) -> None:
    """Make one attempt, if it is due and nobody else makes it."""
    now = timezone.now()
    delivery = HookDelivery.objects.select_related("hook").filter(pk=delivery_pk).first()
    if delivery is None or not delivery.claim(now):
        return
    try:
        status = _post(delivery)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Never the address, which may hold a password.
        reason = getattr(error, "strerror", None) or type(error).__name__
        delivery.fail(timezone.now(), None, f"No answer: {reason}", is_last=False)
        return
    if 200 <= status < 300:
        delivery.succeed(status)
    else:
        reason = f"The receiver answered {status}."
        delivery.fail(timezone.now(), status, reason, is_last=status == GONE)
    if status == GONE:
        delivery.hook.delete()


def _post(delivery: HookDelivery) -> int:
    """The receiver's HTTP status; redirects are answers like any other."""
    hook, body = delivery.hook, delivery.payload.encode()
    parts = urlsplit(hook.url)
    signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "WebJobs-Portal",
        "X-WebJobs-Event": delivery.event,
        "X-WebJobs-Delivery": str(delivery.pk),
        "X-WebJobs-Signature-256": f"sha256={signature}",
    }
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    connection = _connection(parts, is_insecure=hook.insecure_ssl)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(parts: SplitResult, *, is_insecure: bool) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=SECONDS)
    context = ssl.create_default_context()
    if is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)
