"""Starting and stopping debug sessions, and connecting to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs.dispatch.asking import Actor, Refused, hold, path_of, record
from webjobs.models import Copy, DebugSession, Instance, WebJob
from webjobs.models.debugging import DEFAULT_MINUTES, LONGEST_MINUTES, OVER
from webjobs.runner.debugger import language_of
from webjobs.states import COPY_ALIVE, CopyStatus
from webjobs.tasks import nudge_workers
from webjobs.tunnel import GONE, Connection, RedisError

DEFAULT_LASTS = timedelta(minutes=DEFAULT_MINUTES)
_CONTINUOUS_ONLY = gettext_noop(
    "Only continuous WebJobs can be debugged remotely; a triggered one ends by itself."
)
_NO_DEBUGGER = gettext_noop(
    "%(script)s cannot be debugged remotely: only .py, .js and .jar files can, because there is "
    "a debugger for them."
)
_NOT_RUNNING = gettext_noop("It does not run on that instance. Start it first.")
_TAKEN = gettext_noop(
    "%(name)s debugs this WebJob on %(instance)s until %(until)s UTC. Ask them, or choose another "
    "instance."
)
_NOT_YOURS = gettext_noop("Only %(name)s, who started debugging, can connect.")
_ENDED = gettext_noop("The debug session is over. Start debugging again.")
_LENGTH = gettext_noop("A debug session lasts from 1 to %(most)d minutes.")
_NO_BROKER = gettext_noop("The broker cannot be reached, so nothing can be sent. Try again.")


def start_debugging(
    job: WebJob, instance: Instance | None, actor: Actor, lasts: timedelta = DEFAULT_LASTS
) -> DebugSession:
    """Wish a continuous WebJob under a debugger on one instance (None: any one that runs it).

    Whoever debugs it there already gets their session as it is. Raises Refused.
    """
    script = _debuggable(job)
    if not timedelta(0) < lasts <= timedelta(minutes=LONGEST_MINUTES):
        raise Refused("lasts", _LENGTH, 400, most=LONGEST_MINUTES)
    now = timezone.now()
    try:
        with transaction.atomic():
            hold(job)
            where = _running_on(job, instance, actor, now)
            taken = _taken(job, where, now)
            if taken is not None:
                return _own(taken, actor)
            session = DebugSession.objects.create(
                job=job,
                instance=where,
                language=script,
                requested_at=now,
                requested_by=actor.user,
                by_name=actor.name[:150],
                until=now + lasts,
            )
            minutes = round(lasts.total_seconds() / 60, 1)
            record(
                actor, "debug.start", job.slot, path_of(job), instance=where.name, minutes=minutes
            )
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("taken", _ENDED) from None
    return session


def _debuggable(job: WebJob) -> str:
    """The language of `job`; raises Refused when there is no debugger for it."""
    if not job.is_continuous:
        raise Refused("not-continuous", _CONTINUOUS_ONLY, 400)
    language = language_of(job.script)
    if language is None:
        raise Refused("no-debugger", _NO_DEBUGGER, 400, script=job.script)
    return language.value


def _running_on(job: WebJob, wanted: Instance | None, actor: Actor, now: datetime) -> Instance:
    """The instance where it runs; the actor's own session decides when none is named."""
    if wanted is None:
        own = DebugSession.objects.current(now).filter(job=job, by_name=actor.name).first()
        if own is not None:
            return own.instance
    copies = Copy.objects.filter(
        job=job,
        status__in=[*COPY_ALIVE, CopyStatus.PENDING_RESTART],
        instance__in=Instance.objects.live(now),
    ).select_related("instance")
    if wanted is not None:
        copies = copies.filter(instance=wanted)
    found = copies.order_by("instance__name").first()
    if found is None:
        raise Refused("not-running", _NOT_RUNNING)
    return found.instance


def _taken(job: WebJob, instance: Instance, now: datetime) -> DebugSession | None:
    """The session there that is not over; one that nobody can end any more is ended."""
    for session in DebugSession.objects.overdue(now).filter(job=job, instance=instance):
        session.end(now, OVER)
    unended = DebugSession.objects.unended().filter(job=job, instance=instance)
    return unended.select_related("instance").first()


def _own(session: DebugSession, actor: Actor) -> DebugSession:
    if session.by_name != actor.name or not session.is_current(timezone.now()):
        raise Refused(
            "taken", _TAKEN, name=session.by_name, instance=session.instance.name,
            until=f"{session.until:%H:%M:%S}",
        )  # fmt: skip
    return session


@transaction.atomic
def stop_debugging(session: DebugSession, actor: Actor) -> None:
    """Wish a session ended; asking twice is no error."""
    if session.request_stop(timezone.now(), actor.name):
        job = session.job
        record(actor, "debug.stop", job.slot, path_of(job), instance=session.instance.name)
        transaction.on_commit(nudge_workers)


def check_connectable(session: DebugSession, actor: Actor) -> None:
    """Raises Refused unless `actor` may send and receive now."""
    if session.by_name != actor.name:
        raise Refused("not-yours", _NOT_YOURS, name=session.by_name)
    if not session.is_current(timezone.now()):
        raise Refused("ended", _ENDED, 410)


def note_lost(session: DebugSession, connection: Connection, actor: Actor) -> None:
    """Record in the place of a worker that is gone that a connection has ended."""
    if connection.leave():
        job = session.job
        record(actor, "debug.disconnect", job.slot, path_of(job), reason=GONE)


def connect_debugger(session: DebugSession, actor: Actor) -> Connection:
    """Open a connection to the debugger; the worker records its end. Raises Refused."""
    check_connectable(session, actor)
    try:
        user = actor.user.pk if actor.user else None
        connection = Connection.ask(session.pk, user, actor.name, actor.address)
    except RedisError as error:
        raise Refused("broker", _NO_BROKER, 503) from error
    job = session.job
    record(actor, "debug.connect", job.slot, path_of(job), instance=session.instance.name)
    return connection
