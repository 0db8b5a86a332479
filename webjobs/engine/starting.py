"""The start of one copy's process, which a helper thread carries out."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from webjobs.engine.attaching import Attached
from webjobs.engine.machine import Prepared
from webjobs.runner.child import Child


class NotWanted(Exception):
    """The wish changed while the files were prepared."""


@dataclass(frozen=True)
class Started:
    """A program that was started, with its files and its debugger."""

    prepared: Prepared
    child: Child
    attached: Attached | None


def undo(start: Future[Started]) -> None:
    """Nobody waits for this start any more."""
    if not start.cancelled() and start.exception() is None:
        started = start.result()
        started.child.process.kill()
        started.child.process.close()
        started.prepared.release()
