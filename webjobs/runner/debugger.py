"""Starting a script under the debugger of its language, which listens on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path, PurePath

from webjobs.reasons import gettext_noop


class Language(StrEnum):
    """What can be debugged; the values are kept in rows."""

    PYTHON = "python"
    NODE = "node"
    JAVA = "java"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {Language.PYTHON: "Python", Language.NODE: "JavaScript", Language.JAVA: "Java"}
_BY_EXTENSION = {".py": Language.PYTHON, ".js": Language.NODE, ".jar": Language.JAVA}
# How the names of the programs begin that take the options below.
_PROGRAMS = {
    Language.PYTHON: ("python", "pypy"),
    Language.NODE: ("node",),
    Language.JAVA: ("java",),
}
HOST = "127.0.0.1"


_OTHER_PROGRAM = gettext_noop(
    "%(program)s is set up for files of this type on this instance, and how %(language)s is "
    "debugged with it is not known. Mend INTERPRETERS there."
)


class CannotDebug(Exception):
    """There is no debugger for a command; the message says why and what to do."""


def language_of(script: str) -> Language | None:
    """The language of a script by its name; None when it cannot be debugged."""
    return _BY_EXTENSION.get(PurePath(script).suffix.lower())


def debug_command(command: Sequence[str], script: Path, language: Language, port: int) -> list[str]:
    """`command`, which runs `script`, with a debugger that listens on `port` of loopback.

    The script starts at once, whether or not somebody attaches. Raises CannotDebug.
    """
    program = PurePath(command[0]).name.lower()
    if not program.startswith(_PROGRAMS[language]) or str(script) not in command:
        raise CannotDebug(_OTHER_PROGRAM % {"program": command[0], "language": language.label})
    address = f"{HOST}:{port}"
    if language == Language.NODE:
        return [command[0], f"--inspect={address}", *command[1:]]
    if language == Language.JAVA:
        agent = f"jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address={address}"
        return [command[0], f"-agentlib:{agent}", *command[1:]]
    at = list(command).index(str(script))
    # Frozen modules have no lines to stop at, and debugpy complains about them.
    options = ["-X", "frozen_modules=off"]
    before = [*options, *command[1:at], _debugpy(), "--listen", address]
    return [command[0], *before, *command[at:]]


def _debugpy() -> str:
    """The folder of the portal's own debugpy. Any Python runs it from there, and nothing else of
    the portal's environment gets in its path."""
    found = find_spec("debugpy")
    if found is None or not found.submodule_search_locations:
        text = gettext_noop(
            "debugpy is not installed beside the worker of this instance. Install what "
            "requirements.txt names."
        )
        raise CannotDebug(text)
    return found.submodule_search_locations[0]
