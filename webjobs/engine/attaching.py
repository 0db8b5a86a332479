"""One copy of a continuous WebJob and its debugger: what is wished, and what its process has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from webjobs.engine.machine import CannotStart, Prepared, free_port
from webjobs.models import DebugSession
from webjobs.runner.debugger import CannotDebug, Language, debug_command


@dataclass(frozen=True)
class Attached:
    """The debugger that a process was started under."""

    session: DebugSession
    port: int
    folder: str


class DebugState:
    """Only the supervisor's thread calls it, but for `prepare`."""

    def __init__(self) -> None:
        self.wish: DebugSession | None = None
        self.here: DebugSession | None = None  # that a process is under, or is about to be
        self.running: Attached | None = None
        self.refused = ""  # why the wish cannot be granted here
        self.is_news = False

    @property
    def revision(self) -> int:
        """Another one means another start."""
        return 0 if self.wish is None or self.refused else self.wish.pk

    def set_wish(self, wish: DebugSession | None) -> bool:
        """False when it is the same session as before."""
        before, self.wish = self.wish, wish
        if (before and before.pk) == (wish and wish.pk):
            return False
        self.refused = ""
        return True

    def begin(self) -> DebugSession | None:
        """A process is about to be started; the session that it shall be under."""
        self.here = None if self.refused else self.wish
        return self.here

    def started(self, attached: Attached | None) -> int:
        """The process runs; the revision that it has."""
        self.running, self.is_news = attached, self.here is not None
        if attached is None:
            self.here = None
        return attached.session.pk if attached else 0

    def over(self) -> None:
        """No process is here any more."""
        self.is_news = self.here is not None
        self.here = self.running = None

    def prepare(
        self, prepared: Prepared, session: DebugSession | None
    ) -> tuple[Prepared, Attached | None]:
        """What is to be started, under a debugger if there is a session and it can be. A helper
        thread calls this."""
        if session is None:
            return prepared, None
        script = prepared.copy.script
        try:
            port = free_port()
            command = debug_command(prepared.command, script, Language(session.language), port)
        except (CannotDebug, CannotStart) as error:
            self.refused = str(error)
            return prepared, None
        attached = Attached(session, port, str(script.parent))
        return replace(prepared, command=command), attached
