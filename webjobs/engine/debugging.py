"""The debug sessions of this instance: wishes handed to the copies, facts written, tunnels open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from webjobs.engine.machine import Machine
from webjobs.engine.managed import Managed
from webjobs.engine.tunnel_end import Tunnel
from webjobs.models import AuditEntry, DebugSession
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.reasons import gettext_noop
from webjobs.states import CopyStatus

_HERE = PreparedQuery(
    lambda: (
        DebugSession.objects.unended()
        .filter(instance=Given("instance"))
        .select_related("job__slot__app")
    )
)
_ELSEWHERE = gettext_noop("It is a singleton, and another instance runs it.")


class Debugging:
    """Belongs to the supervisor's thread."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._handed: set[int] = set()
        self._tunnels: dict[int, Tunnel] = {}

    def look(self, managed: Mapping[int, Managed], now: datetime) -> set[Managed]:
        """Compare all sessions here with the copies; whose wish has changed. May raise
        django.db.Error, and is called again."""
        instance = self._machine.instance
        wished: dict[int, DebugSession] = {}
        for session in _HERE.all(instance=instance.pk):
            one = managed.get(session.job_id)
            over = _why_over(session, one, now)
            if not over:
                wished[session.job_id] = session
                self._note(session, one)
            else:
                self._close_tunnel(session.pk)
                if one is None or one.debug.here is None or one.debug.here.pk != session.pk:
                    self._end(session, over, now)
        for pk in self._tunnels.keys() - {session.pk for session in wished.values()}:
            self._close_tunnel(pk)
        concerned = self._handed | wished.keys()
        self._handed = set(wished)
        return {
            managed[pk]
            for pk in concerned
            if pk in managed and managed[pk].set_debugging(wished.get(pk))
        }

    def close(self) -> None:
        """Nothing is supervised here any more."""
        for pk in list(self._tunnels):
            self._close_tunnel(pk)

    def _note(self, session: DebugSession, one: Managed | None) -> None:
        running = one.debug.running if one else None
        if running is None or running.session.pk != session.pk:
            port, folder = None, session.folder
        else:
            port, folder = running.port, running.folder
        tunnel = self._tunnels.get(session.pk)
        if tunnel is None:
            tunnel = self._tunnels[session.pk] = Tunnel(session)
        tunnel.port = port
        facts = {"port": port, "folder": folder, "connections": tunnel.count}
        if any(getattr(session, name) != value for name, value in facts.items()):
            session.note(self._machine.instance.epoch, **facts)

    def _end(self, session: DebugSession, reason: str, now: datetime) -> None:
        if session.end(now, reason):
            AuditEntry.objects.create(
                user_name="WebJobs Portal",
                action="debug.end",
                app=session.job.slot.app,
                target=str(session.job)[:300],
                details={"instance": self._machine.instance.name, "reason": reason},
            )

    def _close_tunnel(self, session: int) -> None:
        tunnel = self._tunnels.pop(session, None)
        if tunnel is not None:
            tunnel.close()


def _why_over(session: DebugSession, one: Managed | None, now: datetime) -> str:
    """Why nothing shall be under its debugger any more; empty while it shall."""
    if not session.is_current(now):
        return session.why_over()
    if one is None:
        return ""
    if one.debug.refused and one.debug.wish and one.debug.wish.pk == session.pk:
        return one.debug.refused
    if one.unwanted is not None:
        return one.unwanted
    return _ELSEWHERE if one.copy.status == CopyStatus.INACTIVE_INSTANCE else ""
