"""`/debug`: debug sessions of a continuous WebJob, and the bytes of a debugger's connections.

A client keeps one request open for what comes down, asks on with the number that it has got, and
numbers what it sends up, so that a request that was cut off is simply made again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.api.answers import answer, empty
from webjobs.api.bodies import blocks, read_object
from webjobs.api.finding import job_for, number_of
from webjobs.api.kudu.surface import KUDU_JSON
from webjobs.dispatch import Refused
from webjobs.models import DebugSession, Instance, Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.models.debugging import DEFAULT_MINUTES
from webjobs.tunnel import (
    BLOCK,
    CLOSED,
    CONNECTION_ID,
    GONE,
    Closed,
    Connection,
    Full,
    Piece,
    RedisError,
)

# How long a request waits for bytes; below the time limits of usual proxies.
WAIT_SECONDS = 20.0
_WAITS_FOR_ROOM = 5.0
AFTER = "X-Debug-After"
NO_BROKER = "The broker cannot be reached. Try again."


def document(session: DebugSession, now: datetime) -> dict[str, Any]:
    """What clients learn of a session."""
    return {
        "id": str(session.pk),
        "instance": session.instance.name,
        "instance_id": session.instance.key,
        "language": session.language,
        "state": session.state(now),
        "requested_by": session.by_name,
        "requested_at": session.requested_at.isoformat(),
        "until": session.until.isoformat(),
        "remaining_seconds": session.remaining(now),
        "folder": session.folder,
        "connections": session.connections,
        "reason": session.reason,
    }


def _sessions(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    now = timezone.now()
    found = DebugSession.objects.unended().filter(job=job).select_related("instance")
    return answer([document(session, now) for session in found])


def _start(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    asked = read_object(request) if request.headers.get("Content-Length", "0") != "0" else {}
    minutes = asked.get("minutes", DEFAULT_MINUTES)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float):
        raise Refused("BadRequest", "minutes must be a number.", 400)
    lasts = timedelta(minutes=min(max(minutes, -1), 1e6))
    instance = _instance(asked.get("instance", ""))
    session = dispatch.start_debugging(job, instance, actor_of(request), lasts)
    return answer(document(session, timezone.now()))


def _instance(name: object) -> Instance | None:
    """By its name or the beginning of its key; raises Refused."""
    if not isinstance(name, str) or "\0" in name:
        raise Refused("BadRequest", "instance must be a name.", 400)
    if not name:
        return None
    live = list(Instance.objects.live(timezone.now()))
    for instance in live:
        if instance.name == name or instance.key.startswith(name):
            return instance
    names = ", ".join(sorted(instance.name for instance in live)) or "none"
    raise Refused("NoInstance", f"There is no instance {name}; those that live: {names}.", 404)


def _of(job: WebJob, id: str) -> DebugSession:
    """One of its sessions, whoever's; raises Http404."""
    found = DebugSession.objects.filter(job=job, pk=number_of(id)).select_related("instance")
    session = found.first()
    if session is None:
        raise Http404("No such debug session.")
    session.job = job
    return session


def _session(
    request: HttpRequest, app: str, type: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    return answer(document(_of(job, id), timezone.now()))


def _stop(
    request: HttpRequest, app: str, type: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    dispatch.stop_debugging(_of(job, id), actor_of(request))
    return empty(204)


def _connect(
    request: HttpRequest, app: str, type: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    connection = dispatch.connect_debugger(_of(job, id), actor_of(request))
    return answer({"id": connection.id}, 201)


def _connection(
    request: HttpRequest, app: str, type: str, name: str, id: str, slot: str, connection: str
) -> tuple[DebugSession, Connection]:
    """One that the caller may use now; raises Http404, PermissionDenied or Refused."""
    session = _of(job_for(request, app, slot, type, name, Role.CONTRIBUTOR), id)
    dispatch.check_connectable(session, actor_of(request))
    if not CONNECTION_ID.fullmatch(connection):
        raise Http404("No such connection.")
    return session, Connection(session.pk, connection)


def _receive(
    request: HttpRequest,
    app: str,
    type: str,
    name: str,
    id: str,
    connection: str,
    slot: str = PRODUCTION,
) -> HttpResponse:
    """What has come; 204 when nothing has for a while, 410 with the reason at the end."""
    session, one = _connection(request, app, type, name, id, slot, connection)
    try:
        piece = _piece(one, number_of(request.GET.get("after") or "0"))
    except Closed as error:
        if str(error) == GONE:
            dispatch.note_lost(session, one, actor_of(request))
        raise Refused("Closed", str(error), 410) from error
    except RedisError as error:
        raise Refused("NoBroker", NO_BROKER, 503) from error
    response = empty(204)
    if piece.data:
        response = HttpResponse(piece.data, content_type="application/octet-stream")
    response[AFTER] = str(piece.after)
    # Proxies must not keep it back.
    response["X-Accel-Buffering"] = "no"
    return response


def _piece(one: Connection, after: int) -> Piece:
    is_known = one.touch("client")
    piece = one.receive("down", after, WAIT_SECONDS if is_known else 0)
    if not piece.data and not is_known:
        raise Closed(CLOSED)
    if not piece.data and not one.is_there("worker"):
        # It may have said why in this moment.
        one.receive("down", after, 0)
        raise Closed(GONE)
    return piece


def _send(
    request: HttpRequest,
    app: str,
    type: str,
    name: str,
    id: str,
    connection: str,
    slot: str = PRODUCTION,
) -> HttpResponse:
    """Entry `?number=` for the debugger; 503 while too many wait, and then it is sent again."""
    _, one = _connection(request, app, type, name, id, slot, connection)
    number = number_of(request.GET.get("number") or "")
    data = b"".join(blocks(request, BLOCK))
    deadline = timezone.now() + timedelta(seconds=_WAITS_FOR_ROOM)
    try:
        if number < 1 or not data:
            raise Refused("BadRequest", "Send some bytes, with a number from 1.", 400)
        if not one.touch("client"):
            raise Refused("Closed", CLOSED, 410)
        one.send("up", number, data, lambda: timezone.now() < deadline)
    except Full as error:
        raise Refused("Full", "The debugger does not take more now. Try again.", 503) from error
    except RedisError as error:
        raise Refused("NoBroker", NO_BROKER, 503) from error
    return empty(204)


def _close(
    request: HttpRequest,
    app: str,
    type: str,
    name: str,
    id: str,
    connection: str,
    slot: str = PRODUCTION,
) -> HttpResponse:
    _, one = _connection(request, app, type, name, id, slot, connection)
    try:
        one.leave()
    except RedisError as error:
        raise Refused("NoBroker", NO_BROKER, 503) from error
    return empty(204)


sessions = KUDU_JSON.endpoint(GET=_sessions, POST=_start)
session = KUDU_JSON.endpoint(GET=_session, DELETE=_stop)
connections = KUDU_JSON.endpoint(POST=_connect)
connection = KUDU_JSON.endpoint(GET=_receive, POST=_send, DELETE=_close)
