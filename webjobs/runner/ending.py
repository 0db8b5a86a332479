"""How the life of a process ended, and why, in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from webjobs.reasons import gettext_noop
from webjobs.runner.process import Exit

_NOT_OURS = gettext_noop("It was not sent from here: often the memory of the machine ran out.")


class Cause(StrEnum):
    """What ended a process."""

    EXITED = "exited"
    STOPPED = "stopped"
    IDLE_TIMEOUT = "idle timeout"
    MAX_RUN_TIME = "max run time"
    SHUTDOWN = "shutdown"
    LOST = "lost"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Limits:
    """What a process may take: seconds, None for no limit.

    `grace`: from the request to stop until the kill. `term_at_once`: TERM goes to the whole
    group with the request; otherwise only to the processes that handle it, the others have
    the shutdown file and the grace.
    """

    grace: float
    idle_timeout: float | None = None
    max_time: float | None = None
    term_at_once: bool = True


@dataclass(frozen=True)
class End:
    """The end of a process. `lived` is in seconds, `reason` is for people."""

    cause: Cause
    exit: Exit
    lived: float
    reason: str


def describe(cause: Cause, exit: Exit, limits: Limits, killed_after: float | None) -> str:
    """Why the process ended, in words.

    `killed_after`: seconds from the request to stop until it was killed, None when it was not.
    """
    if cause is Cause.EXITED:
        return _describe_exit(exit)
    if cause is Cause.LOST:
        return gettext_noop(
            "The process that watches over jobs on this instance ended unexpectedly, and the "
            "job was killed with it. Start it again; if this repeats, check the memory."
        )
    if cause is Cause.EXPIRED:
        return gettext_noop(
            "The instance could not renew its right to run it, because it stood still or could "
            "not reach the database, and killed it so that it never runs twice."
        )
    return f"{_why(cause, limits)} {_how(exit, killed_after)}"


def _why(cause: Cause, limits: Limits) -> str:
    if cause is Cause.IDLE_TIMEOUT:
        text = gettext_noop(
            "Nothing was printed and no CPU time was used for %(time)s (WEBJOBS_IDLE_TIMEOUT); "
            "raise this setting, or set it to -1 for no limit."
        )
        return text % {"time": _seconds(limits.idle_timeout)}
    if cause is Cause.MAX_RUN_TIME:
        text = gettext_noop(
            "It ran for %(time)s, the most that is allowed (WEBJOBS_MAX_RUN_TIME); raise this "
            "setting, or remove it for no limit."
        )
        return text % {"time": _seconds(limits.max_time)}
    if cause is Cause.SHUTDOWN:
        return gettext_noop("This instance is shutting down.")
    return gettext_noop("It was asked to stop.")


def _how(exit: Exit, killed_after: float | None) -> str:
    if exit.lost:
        return gettext_noop(
            "The process was killed together with the process that watches over it."
        )
    if killed_after is None or exit.signal != signal.SIGKILL:
        return _describe_exit(exit)
    if killed_after < 0.1:
        return gettext_noop("The process was killed.")
    text = gettext_noop("The process was killed: it had not ended within %(time)s.")
    return text % {"time": _seconds(round(killed_after, 1))}


def _describe_exit(exit: Exit) -> str:
    if exit.signal is not None:
        text = gettext_noop("The process was ended by signal %(signal)s.")
        text %= {"signal": _signal(exit.signal)}
        if exit.signal == signal.SIGKILL:
            text += " " + _NOT_OURS
        return text
    code = exit.code or 0
    return _exit_text(code) % {"code": code, "signal": _signal(code - 128)}


def _exit_text(code: int) -> str:
    """With the meaning that shells give to some codes."""
    if code == 126:
        return gettext_noop(
            "The process exited with code %(code)d, by which a shell tells that a command could "
            "not be executed."
        )
    if code == 127:
        return gettext_noop(
            "The process exited with code %(code)d, by which a shell tells that a command was not "
            "found."
        )
    if code - 128 in set(signal.Signals):
        return gettext_noop(
            "The process exited with code %(code)d, by which a shell tells that signal %(signal)s "
            "ended a command."
        )
    return gettext_noop("The process exited with code %(code)d.")


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def _seconds(value: float | None) -> str:
    return "1 second" if value == 1 else f"{value:g} seconds"
